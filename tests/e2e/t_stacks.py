#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""No impossible stacks: in programs that call, yield, raise and recurse as fast as they can, every
caller and line of every sample must be possible according to graph.py. One recording per
interpreter has all programs; each computes for a second, or for 20 with TRUTH=1."""

import contextlib

import graph
import lib

# Three on each CPU.
PROGRAMS = [("paths.py",), ("coroutines.py",),
            ("arguments.py",), ("shapes.py",),
            ("recursion.py", 300), ("recursion.py", 1500)]
SECONDS = lib.SECONDS if lib.TRUTH else 1
MARKED = 0.01


def recorded(interpreter):
    """[(arguments, path in frames, root frame, stacks, samples expected from the CPU time)]"""
    with contextlib.ExitStack() as on:
        targets = [on.enter_context(lib.Target(interpreter, *argv, cpu=n % 2, wait=False))
                   for n, argv in enumerate(PROGRAMS)]
        for x in targets:
            x.until_ready()
        pids = [x.pid for x in targets]
        roots = [lib.label(x.pid) for x in targets]
        stacks, spent = lib.observe(pids, SECONDS, "-F", lib.RATE, "--full-paths")
        return [(argv, x.path, root, lib.of(stacks, x.pid), spent[x.pid] * lib.RATE)
                for argv, x, root in zip(PROGRAMS, targets, roots)]


def check(t, name, interpreter, argv, path, root, stacks, due):
    truth = graph.load(f"{lib.TARGETS}/{argv[0]}", path, interpreter.version)
    v = graph.judge(truth, stacks, root)
    # Up to 3.10, a walk of 1,500 frames takes most of a period, so samples are lost (and counted).
    t.bound(v.total > (0.5 if 1500 in argv else 0.9) * due, f"{name}: enough samples",
            f"{v.total} of {due:.0f}")
    t.bound(v.unlined <= MARKED * v.total, f"{name}: at most 1 % without line", v.unlined)
    t.ok(not v.impossible, f"{name}: none impossible",
         f"{v.impossible} of {v.total}\n{v.examples}")
    marked = [s for s in stacks if any(f.file is None for f in s.frames)]
    t.bound(v.marked <= MARKED * v.total, f"{name}: at most 1 % marked",
            f"{v.marked} of {v.total}\n{lib.worst(marked)}")
    if argv[0] == "recursion.py":
        check_depth(t, name, argv[1], stacks)


def check_depth(t, name, depth, stacks):
    deepest = max((len(s.frames) for s in stacks if s.frames[0].file), default=0)
    t.ok(deepest <= depth + 5, f"{name}: no stack is deeper than possible", deepest)
    t.bound(deepest == depth + 5, f"{name}: the deepest stack is complete",
            f"{deepest} frames, not {depth + 5}")


def check_all(t, name, interpreter):
    for argv, path, root, stacks, due in recorded(interpreter):
        what = " ".join(map(str, argv))
        check(t, f"{name} {what}", interpreter, argv, path, root, stacks, due)


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("stacks"):
        t.trial(name, check_all, t, name, i)
    t.done()


main()
