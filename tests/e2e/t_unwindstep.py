#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The native walk is right at every machine instruction: programs are single-stepped, and the return
addresses that user/native finds are compared with a shadow stack of all calls. x86-64 only."""

import os
import re
import subprocess

import interpreters
import lib

STEPS = 400000 if lib.TRUTH else 30000
MARKED = 0.001  # of steps: in libffi's trampolines, which are made at run time
MISLED = 0.002  # of a program whose linker has moved code and not its unwind information


def chosen():
    """All that need no chroot; without TRUTH=1 the system's and the newest other one."""
    found = [i for i in interpreters.all() if not i.root]
    return found if lib.TRUTH else found[:1] + found[1:][-1:]


def check(t, name, interpreter):
    with lib.Target(interpreter, "unwound.py") as p:
        done = subprocess.run([lib.tool("unwindstep"), str(p.pid), str(STEPS)],
                              stdout=subprocess.PIPE, text=True)
    if done.returncode == 77:
        raise lib.Skip("not x86-64")
    m = re.search(r"^steps (\d+) levels (\d+) right (\d+) wrong (\d+) marked (\d+)$", done.stdout, re.M)
    if not m:
        raise RuntimeError(f"status {done.returncode}: {done.stdout}")
    steps, levels, right, wrong, marked = map(int, m.groups())
    bolted = "3.14.6" in interpreter.label
    t.ok(steps == STEPS and wrong <= (MISLED * steps if bolted else 0), f"{name}: no wrong caller",
         done.stdout)
    t.ok(marked <= MARKED * steps, f"{name}: nearly all walks are complete", done.stdout)
    t.note(f"{name}: {right} of {steps} right, {levels // steps} levels each")


def main():
    t = lib.Tap()
    if os.geteuid() != 0:
        t.skip("every step", "needs root")
        t.done()
    for i in chosen():
        with t.guard(f"every step [{i.label}]"):
            check(t, f"every step [{i.label}]", i)
    t.done()


main()
