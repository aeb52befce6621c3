# SPDX-License-Identifier: BSD-2-Clause
# spawner.py: for "fork", "exec", "shortfork" or "shortexec" on standard input, starts one child
# (short: twenty, one after the other), and prints DONE and the last pid at its end. Times are CPU
# times.
import os
import subprocess
import sys
import time


def compute(seconds):
    end = time.process_time() + seconds
    n = 0
    while time.process_time() < end:
        for i in range(200):
            n += i
    return n


def forked_hot():
    compute(0.4)


def executed_hot():
    compute(0.4)


def shortfork_hot():
    compute(0.03)


def shortexec_hot():
    compute(0.03)


def fork(run):
    pid = os.fork()
    if pid == 0:
        run()
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def execute(name):
    child = subprocess.Popen([sys.executable, "-S", "-E", __file__, name])
    child.wait()
    return child.pid


def repeat(run, *args):
    for _ in range(19):
        run(*args)
    return run(*args)


def listen():
    todo = {"fork": lambda: fork(forked_hot), "exec": lambda: execute("executed_hot"),
            "shortfork": lambda: repeat(fork, shortfork_hot),
            "shortexec": lambda: repeat(execute, "shortexec_hot")}
    print("READY", flush=True)
    for line in iter(sys.stdin.readline, ""):
        print("DONE", todo[line.strip()](), flush=True)


if len(sys.argv) > 1:
    globals()[sys.argv[1]]()
else:
    listen()
