#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""JIT-compiled code (3.14+) stores its instruction pointer only at some instructions. While it
runs, the leaf's line is marked as approximate; no other line is."""

import re

import lib

LEAF = re.compile(r"hot \(jit\.py:~\d+\)")


def samples(interpreter, jit):
    """(the rest of the READY line, [(frames, count)])"""
    with lib.Target(interpreter, "jit.py", env={"PYTHON_JIT": jit}) as target:
        with lib.Krait("-p", target.pid, "-F", 999) as k:
            lib.compute(0.8, target.pid)
            k.finish()
        lines = (line.rpartition(" ") for line in k.out.lines)
        return target.ready, [(re.sub(r"[^ (;]*/", "", stack).split(";"), int(count))
                              for stack, _, count in lines]


def marked(stacks):
    return sum(n for frames, n in stacks if LEAF.fullmatch(frames[-1]))


def check(t, name, interpreter):
    ready, stacks = samples(interpreter, "1")
    total = sum(n for _, n in stacks)
    callers = [f for frames, _ in stacks for f in frames[:-1]]
    t.ok(not any(":~" in f for f in callers), f"{name}: no caller is approximate", callers)
    if ready == "on":
        t.bound(total > 20 and marked(stacks) > 0.3 * total, f"{name}: compiled code is marked",
                f"{marked(stacks)} of {total}")
    _, stacks = samples(interpreter, "0")
    t.ok(stacks and not marked(stacks), f"{name}: without the JIT nothing is marked", stacks[:5])


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("JIT"):
        if i.minor >= (3, 14):
            t.trial(name, check, t, name, i)
    t.done()


main()
