#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Filters show what was asked for and nothing else; --by and the ways to write a frame."""

import contextlib
import os
import shutil

import lib

NOBODY = 65534


class As:
    """The interpreter run with a prefix or by another name."""

    def __init__(self, *argv):
        self.root, self.argv = None, argv


def functions(stacks):
    """Which of the targets' functions were seen."""
    return {n for s in stacks for n in lib.names(s) if n in ("one", "two", "three")}


def check_filters(t, targets, others):
    one, two, three = (targets[n].pid for n in ("one", "two", "three"))
    cases = [("-p one", ("-p", one), {"one"}),
             ("-p one,two", ("-p", f"{one},{two}"), {"one", "two"}),
             ("-p one -p three", ("-p", one, "-p", three), {"one", "three"}),
             ("-t main thread", ("-t", one), {"one"}),
             ("-t another thread", ("-t", others[0]), {"two"}),
             ("--comm", ("--comm", "renamed"), {"three"}),
             ("--uid by number", ("--uid", NOBODY), {"one"}),
             ("--uid by name", ("--uid", "nobody"), {"one"}),
             ("all filters together", ("-p", one, "--uid", 0), set()),
             ("none", (), {"one", "two", "three"})]
    for name, flags, wanted in cases:
        with t.guard(f"filter {name}"):
            seen = functions(lib.record("700ms", "-F", 499, *flags))
            t.ok(seen == wanted, f"filter {name}", f"{seen}, not {wanted}")


def check_by(t, target, thread):
    comm = lib.label(target.pid).rpartition("-")[0]
    roots = {"process": {f"{comm}-{target.pid}"}, "comm": {comm},
             "thread": {f"{comm}-{target.pid}", f"{comm}-{thread}"}}
    for by, wanted in roots.items():
        with t.guard(f"--by {by}"):
            seen = {s.root for s in lib.record("700ms", "-F", 499, "-p", target.pid, "--by", by)}
            t.ok(seen == wanted, f"--by {by}", f"{seen}, not {wanted}")
    with t.guard("--by none"):
        stacks = lib.record("700ms", "-F", 499, "-p", target.pid, "--by", "none")
        t.ok(stacks and {s.frames[0].name for s in stacks} <= {"<module>", "_bootstrap",
                                                               "Thread._bootstrap"},
             "--by none", lib.worst(stacks))


def check_text(t, target):
    leaf = [s.frames[-1] for s in lib.record("700ms", "-F", 499, "-p", target.pid)]
    leaf = [f for f in leaf if f.name == "compute"]
    t.ok(leaf and all(f.file.endswith("named.py") and f.line and f.file != target.path
                      for f in leaf), "short paths", leaf[:3])
    leaf = [s.frames[-1] for s in lib.record("700ms", "-F", 499, "-p", target.pid, "--full-paths")]
    leaf = [f for f in leaf if f.name == "compute"]
    t.ok(leaf and all(f.file == target.path for f in leaf), "--full-paths", leaf[:3])
    leaf = [s.frames[-1] for s in lib.record("700ms", "-F", 499, "-p", target.pid, "--no-lines")]
    t.ok(leaf and not any(f.line for f in leaf), "--no-lines", leaf[:3])


def check_hostile_comm(t, interpreter):
    """A process may call itself anything; the lines stay lines."""
    name = "a;b 1\nc (d"
    with lib.scratch() as where:
        copy = shutil.copy(os.path.realpath(interpreter.argv[0]), f"{where}/{name}")
        with lib.Target(As(copy), "named.py", "odd") as target:
            stacks = lib.record("700ms", "-F", 499, "-p", target.pid)
            t.ok(stacks and {lib.pid_of(s) for s in stacks} == {target.pid} and
                 all("odd" in lib.names(s) for s in stacks), "a hostile process name",
                 lib.worst(stacks))


def main():
    lib.need_krait()
    t = lib.Tap()
    system = lib.system()
    with lib.scratch() as where, contextlib.ExitStack() as on:
        script = shutil.copy(f"{lib.TARGETS}/named.py", f"{where}/named.py")
        renamed = shutil.copy(os.path.realpath(system.argv[0]), f"{where}/renamed")
        user = ("setpriv", f"--reuid={NOBODY}", "--clear-groups", *system.argv)
        targets = {"one": on.enter_context(lib.Target(As(*user), script, "one")),
                   "two": on.enter_context(lib.Target(system, script, "two", 1)),
                   "three": on.enter_context(lib.Target(As(renamed), script, "three"))}
        others = sorted(lib.threads_of(targets["two"].pid) - {targets["two"].pid})
        check_filters(t, targets, others)
        check_by(t, targets["two"], others[0])
        with t.guard("frame text"):
            check_text(t, targets["one"])
    with t.guard("hostile comm"):
        check_hostile_comm(t, system)
    t.done()


main()
