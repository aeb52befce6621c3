# SPDX-License-Identifier: BSD-2-Clause
"""waiting.py [THREADS [NAME]]: waits for the end of its input, with THREADS other threads, named
NAME; with "-leaderless" as THREADS, its main thread ends and another one waits. Runs in any
Python."""

import os
import sys
import threading


def wait():
    sys.stdin.read()
    os._exit(0)


def end_thread():
    import ctypes
    import platform
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)


def start(function):
    t = threading.Thread(target=function)
    t.daemon = True
    t.start()


def main():
    if len(sys.argv) > 2:
        with open("/proc/self/comm", "wb") as f:
            f.write(os.fsencode(sys.argv[2]))
    what = sys.argv[1] if len(sys.argv) > 1 else "0"
    if what == "-leaderless":
        start(wait)
        print("READY")
        sys.stdout.flush()
        end_thread()
    for _ in range(int(what)):
        start(threading.Event().wait)
    print("READY")
    sys.stdout.flush()
    wait()


main()
