#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Libraries that switch Python stacks within a thread: greenlet and gevent."""

import graph
import interpreters
import lib

SCRIPT = "greenlets.py"
MARKED = 0.01
# program: (package it needs, functions of different greenlets, which never share a stack)
PROGRAMS = {"greenlet": ("greenlet", ("left", "right")),
            "gevent": ("gevent", ("left", "right")),
            "switch": ("greenlet", ("left", "right", "use_switch"))}


def recorded(interpreter, program):
    """(the script's graph, stacks of a recording)"""
    where = {"PYTHONPATH": lib.package(interpreter, PROGRAMS[program][0])}
    with lib.Target(interpreter, SCRIPT, program, env=where) as target:
        seconds = 0.5 if program == "switch" else 1
        stacks, _ = lib.observe([target.pid], seconds, "-F", lib.RATE, "--full-paths", "--by", "thread")
        truth = graph.load(f"{lib.TARGETS}/{SCRIPT}", target.path, interpreter.version)
        return truth, lib.of(stacks, target.pid)


def plain(stacks):
    """The set of unqualified function names of each stack."""
    return [{name.split(".")[-1] for name in lib.names(s)} for s in stacks]


def switching(t, name, interpreter, program):
    truth, stacks = recorded(interpreter, program)
    truth.foreign_root = program == "gevent"  # the root of its greenlets is the hub's code
    v = graph.judge(truth, stacks)
    t.ok(not v.impossible, f"{name}: none impossible",
         f"{v.impossible} of {v.total}\n{v.examples}")
    sides = PROGRAMS[program][1]
    seen = plain(stacks)
    for side in sides:
        mine = sum(s.count for s, names in zip(stacks, seen) if side in names)
        t.bound(mine > 100, f"{name}: {side}", f"{mine}\n{lib.worst(stacks)}")
    mixed = [s for s, names in zip(stacks, seen) if len(names.intersection(sides)) > 1]
    t.ok(not mixed, f"{name}: no stack has frames of two greenlets", lib.worst(mixed))
    marked = [s for s in stacks if any(f.file is None for f in s.frames)]
    t.bound(v.marked <= MARKED * v.total, f"{name}: at most 1 % marked",
            f"{v.marked} of {v.total}\n{lib.worst(marked)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i in interpreters.all():  # pyenv's have pip
        if i.root or "pyenv" not in i.label:
            continue
        for program in PROGRAMS:
            name = f"{program} [{i.label}]"
            t.trial(name, switching, t, name, i, program)
    t.done()


main()
