# SPDX-License-Identifier: BSD-2-Clause
# chain.py OTHER: one process that execs a sequence of programs: this interpreter, the interpreter
# OTHER, a shell, this interpreter. Each computes for 0.2 s of CPU time, the shell for long enough
# that krait recognizes it as a program other than Python.
import os
import sys
import time

OWN = sys.executable
SHELL = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; exec %s %s %s third"


def compute():
    end = time.process_time() + 0.2
    n = 0
    while time.process_time() < end:
        for i in range(200):
            n += i
    return n


def first():
    compute()


def second():
    compute()


def third():
    compute()


if len(sys.argv) == 2:
    print("READY", flush=True)
    sys.stdin.readline()
    first()
    os.execv(sys.argv[1], [sys.argv[1], __file__, OWN, "second"])
elif sys.argv[2] == "second":
    second()
    os.execv("/bin/sh", ["/bin/sh", "-c", SHELL % (sys.argv[1], __file__, "-")])
else:
    third()
