#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Tests graph.py, which t_stacks.py relies on: every stack that the interpreter itself reports is
judged possible, and wrong stacks are judged impossible."""

import subprocess

import graph
import lib
from lib import Frame

TARGETS = [("paths.py", 20000), ("coroutines.py", 20000), ("arguments.py", 20000),
           ("shapes.py", 20000), ("recursion.py", 3000)]


def traced(interpreter, script, events):
    """(stacks that the interpreter reports, path of the script in them)"""
    path = lib.stage(interpreter, script)
    argv = [*interpreter.argv, lib.stage(interpreter, "traced.py"), events, path, 60]
    out = subprocess.run(list(map(str, argv)), stdout=subprocess.PIPE, check=True, timeout=60)
    lines = out.stdout.decode().split("\n")
    return lib.parse("\n".join(x for x in lines if x.startswith("traced-1;"))), path


def spoil(stack):
    """(what, frames): wrong stacks that a faulty walk could make of a right one."""
    f = stack.frames
    yield "a frame left out", f[:-2] + f[-1:]
    yield "the root side left out", f[1:]
    yield "the callers of the next line", f[:-2] + (f[-2]._replace(line=f[-2].line + 1), f[-1])
    yield "a frame twice", f[:-1] + f[-2:]
    yield "a wrong function", f[:-1] + (Frame("main", f[-1].file, f[-1].line),)


def check_possible(t, name, truth, stacks):
    v = graph.judge(truth, stacks)
    t.ok(v.total > 1000 and not v.impossible, name, f"{v.impossible} of {v.total}\n{v.examples}")


def check_spoiled(t, name, truth, stacks):
    full = [s for s in stacks if len(s.frames) > 4 and s.frames[-1].name == "leaf"]
    missed = [what for s in full for what, frames in spoil(s) if not truth.problem(frames)]
    t.ok(full and not missed, name, f"{len(full)} stacks; missed: {missed[:5]}")


def check_markers(t, truth, stacks):
    s = max(stacks, key=lambda x: len(x.frames))
    cut = (Frame("[unreadable]", None, None),) + s.frames[-2:]
    t.ok(not truth.problem(cut), "a marked cut is possible", truth.problem(cut))
    alone = s._replace(frames=cut[:1], count=3)
    t.ok(graph.judge(truth, [alone]).marked == 3, "marked samples are counted")
    wrong = (cut[0], s.frames[-1], s.frames[-2])
    t.ok(truth.problem(wrong), "frames after a marker are checked")


def main():
    t = lib.Tap()
    for i, name in t.each_interpreter("every reported stack is possible"):
        for script, events in TARGETS:
            with t.guard(f"{name} {script}"):
                stacks, path = traced(i, script, events)
                truth = graph.load(f"{lib.TARGETS}/{script}", path, i.version)
                check_possible(t, f"{name} {script}", truth, stacks)
                if script == "paths.py":
                    check_spoiled(t, f"wrong stacks are impossible [{i.label}]", truth, stacks)
                    last = truth, stacks
    check_markers(t, *last)
    t.done()


main()
