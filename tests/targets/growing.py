# SPDX-License-Identifier: BSD-2-Clause
# growing.py: keeps creating functions with long names that call each other fifteen deep, so that
# each function and each stack is new. A child process keeps running one function.
import ctypes
import os
import signal

MAKE = "def f%d_%s(go_on):\n    return go_on()\n"
LONG = "x" * 900


def make(depth, number):
    if not depth:
        return sum(range(3000))
    space = {}
    name = "%d_%s" % (depth, LONG)
    exec(MAKE % (number, name), space)
    return space["f%d_%s" % (number, name)](lambda: make(depth - 1, number))


def steady():
    while True:
        sum(range(1000))


child = os.fork()
if not child:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with its parent
    steady()
print("READY", child, flush=True)
number = 0
while True:
    make(15, number)
    number += 1
