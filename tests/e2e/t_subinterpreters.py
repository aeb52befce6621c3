#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""A thread that runs code in a sub-interpreter is shown with that interpreter's stack, or as
ambiguous, but never with only the stack from which it entered. From 3.12 on, the stack includes its
callers in other interpreters, in order."""

import lib

KINDS = ("_interpreters", "_xxsubinterpreters", "_testcapi")
PLACES = ("run_inside", "between", "sub_hot", "main_hot")


def inside(minor, kind):
    """A test for right stacks. Up to 3.11, these have only callers of the same interpreter."""
    path = ["run_inside", "between", "sub_hot"]
    if kind == "_testcapi":
        path.remove("between")
    if minor < (3, 12):
        path = path[-1:]
    return lambda s: [n for n in lib.names(s) if n in PLACES] == path


def check(t, name, inside, main, other):
    t.bound(lib.total(other) > 20 and lib.total(main) > 20, f"{name}: enough samples",
            f"{lib.total(main)}, {lib.total(other)}")
    own = lib.share(main, lambda s: "main_hot" in lib.names(s) and "sub_hot" not in lib.names(s))
    t.bound(own >= 0.97, f"{name}: main thread", f"{own:.3f}\n{lib.worst(main)}")
    good = lib.share(other, inside)
    honest = lib.share(other, lambda s: s.frames[-1].name.startswith("["))
    t.bound(good >= 0.5, f"{name}: the sub-interpreter's stack is shown",
            f"{good:.3f}\n{lib.worst(other)}")
    wrong = [s for s in other if not inside(s) and s.frames[-1].file]
    # The outer interpreter runs while the sub-interpreter is entered and left.
    t.bound(good + honest >= 0.99, f"{name}: no other stack",
            f"{good + honest:.3f}\n{lib.worst(wrong)}")


def record(interpreter, kind):
    """(stacks of the main thread, stacks of the other threads)"""
    with lib.Target(interpreter, "subinterpreter.py", kind) as target:
        if target.ready == "absent":
            raise lib.Skip(f"it has no module {kind}")
        stacks, _ = lib.observe([target.pid], 1, "-F", 1999, "--by", "thread")
        main = lib.of(stacks, target.pid)
        return main, [s for s in stacks if s not in main]


def run(t, name, interpreter, kind):
    check(t, name, inside(interpreter.minor, kind), *record(interpreter, kind))


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("sub-interpreter"):
        for kind in KINDS:
            t.trial(f"{name} {kind}", run, t, f"{name} {kind}", i, kind)
    t.done()


main()
