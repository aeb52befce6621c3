# SPDX-License-Identifier: BSD-2-Clause
# storm.py: processes that live for a few milliseconds: repeatedly four by fork and one by exec.
import os
import subprocess
import sys


def brief():
    s = 0
    for i in range(20000):
        s += i
    return s


def forked():
    pid = os.fork()
    if pid == 0:
        brief()
        os._exit(0)
    return pid


def executed():
    return subprocess.Popen([sys.executable, "-S", "-E", __file__, "brief"])


def storm():
    print("READY", flush=True)
    while True:
        pids = [forked() for _ in range(4)]
        child = executed()
        for pid in pids:
            os.waitpid(pid, 0)
        child.wait()


brief() if len(sys.argv) > 1 else storm()
