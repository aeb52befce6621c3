#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Programs under trace and profile functions, monitoring or a frame evaluation hook (debuggers,
coverage tools, other profilers), and generators, coroutines and asynchronous generators that are
constantly resumed: every stack is possible, and nearly all are complete."""

import contextlib

import graph
import lib

SCRIPT = "observed.py"
SECONDS = lib.SECONDS if lib.TRUTH else 0.2
MARKED = 0.01


def modes(interpreter):
    """[(mode, arguments)] that this interpreter has."""
    yield from (("trace",), ("profile",), ("resume",))
    # The helper is built on this system; roots with an older libc cannot load it.
    if interpreter.minor >= ((3, 11) if interpreter.root else (3, 9)):
        yield "evaluate", lib.stage(interpreter, lib.helper())
    if interpreter.minor >= (3, 12):
        yield ("monitor",)


def recorded(interpreter, which):
    """[(mode, path in frames, root frame, stacks)]"""
    with contextlib.ExitStack() as on:
        targets = [on.enter_context(lib.Target(interpreter, SCRIPT, *mode, cpu=i % 2))
                   for i, mode in enumerate(which)]
        for x in targets:
            x.tell("")
        roots = [lib.label(x.pid) for x in targets]
        stacks, _ = lib.observe([x.pid for x in targets], SECONDS, "-F", lib.RATE, "--full-paths")
        return [(mode[0], x.path, root, lib.of(stacks, x.pid))
                for mode, x, root in zip(which, targets, roots)]


def judged(interpreter, which):
    """[(mode, stacks, verdict)]"""
    for mode, path, root, stacks in recorded(interpreter, which):
        truth = graph.load(f"{lib.TARGETS}/{SCRIPT}", path, interpreter.version)
        yield mode, stacks, graph.judge(truth, stacks, root)


def check(t, name, stacks, v):
    t.ok(v.total > 100, f"{name}: enough samples", v.total)
    t.ok(not v.impossible, f"{name}: none impossible",
         f"{v.impossible} of {v.total}\n{v.examples}")
    marked = [s for s in stacks if any(f.file is None for f in s.frames)]
    t.ok(v.marked <= MARKED * v.total, f"{name}: at most 1 % marked",
         f"{v.marked} of {v.total}\n{lib.worst(marked)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("observed"):
        with t.guard(name):
            which = list(modes(i))
            seen = list(judged(i, which))
            if any(v.marked > MARKED * v.total for _, _, v in seen):  # perhaps by chance: once more
                seen = list(judged(i, which))
            for mode, stacks, v in seen:
                check(t, f"{name} {mode}", stacks, v)
    t.done()


main()
