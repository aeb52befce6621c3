#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""No wrong stack at any instruction of the interpreter: a program of calls, yields and exceptions
is single-stepped, and its stack is walked after each machine instruction.

In addition to the installed interpreters, builds of 3.11 and 3.12 by clang and other GCCs are
stepped."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import interpreters
import lib
import steps
import ways

ROUND = 170000  # instructions of one iteration of the script in 3.12.1, approximately
SHORT = 20000
OBSERVED = "observed.py"
OBSERVED_MARKED = {(3, 12): 0.01}


# --- interpreters -------------------------------------------------------------------------------

def clang_build():
    """3.11 compiled by clang, whose function prologues differ; lib.Skip if it is not available."""
    try:
        exe = os.path.join(interpreters.build("python3.11-clang"), "python")
    except interpreters.Unavailable as e:
        raise lib.Skip(e)
    asked = subprocess.run([exe, "-c", "import sys; print(*sys.version_info[:3])"], check=True,
                           stdout=subprocess.PIPE, text=True)
    version = tuple(map(int, asked.stdout.split()))
    return interpreters.Interpreter(version, "%d.%d.%d built with clang" % version, (exe,), False)


def all_interpreters(t):
    for what, why in interpreters.absent():
        t.skip(f"every step [{what}]", why)
    found = interpreters.chosen()
    with t.guard("every step [3.11 built with clang]"):
        found.append(clang_build())
    others, absent = ways.builds("3.11", "3.12")
    for what, why in absent:
        t.skip(f"every step [{what}]", why)
    return found + others


def steps_for(interpreter):
    """The number of steps: at least a whole round for 3.11 and 3.12, in which the chain of frames
    is wrong at some instructions."""
    if interpreter.minor in ((3, 11), (3, 12)):
        return 2 * ROUND if lib.TRUTH else ROUND
    return ROUND + ROUND // 4 if lib.TRUTH else SHORT * (5 if interpreter.debug else 1)


def observed(interpreter):
    """[(mode of observed.py, number of steps)], only for 3.11 and 3.12."""
    modes = ["trace", "profile", "resume"] + ["monitor"] * (interpreter.minor > (3, 11))
    if interpreter.minor not in ((3, 11), (3, 12)):
        return []
    return [(mode, ROUND if lib.TRUTH else SHORT // 2) for mode in modes]


def main():
    t = lib.Tap()
    program = None
    with t.guard("every step"):
        program = steps.build()
    if program:
        found = all_interpreters(t)
        with ThreadPoolExecutor(2) as pool:  # one on each CPU
            coming = [pool.submit(steps.run, program, i, steps_for(i)) for i in found]
            others = [(i, mode, number, pool.submit(steps.run, program, i, number, OBSERVED, mode))
                      for i in found for mode, number in observed(i)]
            for i, said in zip(found, coming):
                with t.guard(f"every step [{i.label}]"):
                    steps.check(t, i.label, i.version, lib.stage(i, steps.SCRIPT), said.result(),
                                steps_for(i))
            for i, mode, number, said in others:
                with t.guard(f"every step [{i.label} {mode}]"):
                    steps.judged(t, f"{i.label} {mode}", i.version, lib.stage(i, OBSERVED),
                                 said.result(), number, OBSERVED,
                                 OBSERVED_MARKED.get(i.minor, steps.MARKED))
    t.done()


main()
