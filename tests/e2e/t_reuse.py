#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""Code objects are freed and their addresses reused: no frame may show another code object's name,
file or line. tests/targets/reuse.py gives each generated module a number, which must be the same in
all frames of the module and match the line that runs it. One interpreter for each layout; TRUTH=1
takes all."""

import contextlib
import re

import lib

FILE = re.compile(r"/generated/mod_(\d{3})\.py\Z")
FUNCTION = re.compile(r"(outer|inner)_(\d{3})(?::\d+)?\Z")  # the targets differ in first lines
OFFSETS = {"<module>": (0, 1, 2, 3), "outer": (0,), "inner": (1, 2)}  # from the module's first line

PROLOGUE = (None, 0, 1)  # lines of a module's first instructions, independent of its statements


def digits(path):
    """{line of reuse.py: last digit of the numbers of the modules that it runs}"""
    with open(path) as f:
        return {n: int(m[1]) for n, m in
                ((n, re.search(r"# digit (\d)", text)) for n, text in enumerate(f, 1)) if m}


def problem(frames, calls, moves):
    """Why these frames are impossible, or None."""
    number = None
    for caller, f in zip((None,) + frames, frames):
        m = FILE.match(f.file or "")
        if not m:
            continue
        number = number or m[1]
        named = FUNCTION.match(f.name)
        if m[1] != number or (named and named[2] != number):
            return "mixed numbers"
        kind = named[1] if named else f.name
        if kind == "<module>" and caller.file and calls.get(caller.line) != int(number) % 10:
            return f"line {caller.line} runs {number}"
        first = int(number) if moves else 100
        if kind == "<module>" and f.line in PROLOGUE:
            continue
        if f.line is None or f.line - first not in OFFSETS.get(kind, ()):
            return f"line {f.line} of {kind} of {number}"
    return None



def check(t, name, interpreter, target, stacks, moves):
    calls = digits(f"{lib.TARGETS}/reuse.py")
    if not interpreter.threaded:  # its allocator takes the next free block, not the last freed one
        t.bound(float(target.ready) > 0.5, f"{name}: addresses are reused", target.ready)
    generated = [s for s in stacks if any(FILE.match(f.file or "") for f in s.frames)]
    t.bound(lib.total(generated) > 200, f"{name}: enough samples",
            f"{lib.total(generated)} of {lib.total(stacks)}\n{lib.worst(stacks)}")
    wrong = [(problem(s.frames, calls, moves), s) for s in generated]
    wrong = [(why, s) for why, s in wrong if why]
    n = lib.total([s for _, s in wrong])
    t.ok(not wrong, f"{name}: no frame of another module", f"{n} of {lib.total(generated)}\n" +
         "\n".join(f"{why}: {lib.worst([s])}" for why, s in wrong[:5]))
    marked = lib.share(stacks, lambda s: any(f.file is None for f in s.frames))
    t.bound(marked <= 0.01, f"{name}: at most 1 % marked", marked)


def check_itself(t):
    """problem() detects wrong stacks."""
    line = next(n for n, d in digits(f"{lib.TARGETS}/reuse.py").items() if d == 3)
    good = (lib.Frame("run", "reuse.py", line), lib.Frame("<module>", "/generated/mod_123.py", 126),
            lib.Frame("outer_123", "/generated/mod_123.py", 123))
    calls = digits(f"{lib.TARGETS}/reuse.py")
    t.ok(not problem(good, calls, True), "a right stack passes", problem(good, calls, True))
    other = (good[0]._replace(line=line + 2), good[1]._replace(file="/generated/mod_124.py"),
             good[2]._replace(name="outer_124"), good[2]._replace(line=124))
    spoiled = [(other[0],) + good[1:], (good[0], other[1], good[2])]
    spoiled += [good[:2] + (x,) for x in other[2:]]
    t.ok(all(problem(s, calls, True) for s in spoiled), "wrong stacks are detected")


def check_both(t, name, interpreter):
    modes = ("lines", "same")
    with contextlib.ExitStack() as on:
        targets = [on.enter_context(lib.Target(interpreter, "reuse.py", mode, cpu=cpu))
                   for cpu, mode in enumerate(modes)]
        pids = [x.pid for x in targets]
        stacks, _ = lib.observe(pids, lib.SECONDS, "-F", lib.RATE, "--full-paths")
    for target, mode in zip(targets, modes):
        check(t, f"{name} {mode}", interpreter, target, lib.of(stacks, target.pid), mode == "lines")


def main():
    lib.need_krait()
    t = lib.Tap()
    check_itself(t)
    for i, name in t.each_interpreter("reuse", chosen=lib.interpreters.few):
        t.trial(name, check_both, t, name, i)
    t.done()


main()
