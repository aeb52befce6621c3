#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""How stacks are written: the root frames of --by, the forms of a frame, a hostile process name."""

import os
import shutil

import lib


def recorded(target, *args):
    return lib.observe([target.pid], 0.3, "-F", 499, *args)[0]


def check_by(t, target, thread):
    """Single dimensions and combinations, in various orders."""
    comm = lib.label(target.pid).rpartition("-")[0]
    process = f"{comm}-{target.pid}"
    name = "Thread-1 (two)" if lib.system().minor >= (3, 10) else "Thread-1"
    both = {process, f"{name}-{thread}"}
    cases = {"process": {process}, "comm": {comm}, "thread": both,
             "comm,thread": {f"{comm};{x}" for x in both},
             "thread,process": {f"{x};{process}" for x in both},
             "process,comm,thread": {f"{process};{comm};{x}" for x in both}}
    for by, wanted in cases.items():
        t.trial(f"--by {by}", check_roots, t, target, by, wanted)
    with t.guard("--by none"):
        stacks = recorded(target, "--by", "none")
        t.ok(stacks and {s.frames[0].name for s in stacks} <= {"<module>", "_bootstrap",
                                                               "Thread._bootstrap"},
             "--by none", lib.worst(stacks))


def check_roots(t, target, by, wanted):
    more = by.count(",")
    stacks = recorded(target, "--by", by)
    seen = {";".join([s.root] + [f.name for f in s.frames[:more]]) for s in stacks}
    t.ok(seen <= wanted, f"--by {by}", f"{seen}, not {wanted}")
    t.bound(seen >= wanted, f"--by {by}: all root frames", f"{seen}, not {wanted}")
    bottom = {s.frames[more].name.rpartition(".")[2] for s in stacks}
    t.ok(bottom <= {"<module>", "_bootstrap"}, f"--by {by}: then Python's outermost frame", bottom)


def check_text(t, target):
    leaf = [s.frames[-1] for s in recorded(target)]
    leaf = [f for f in leaf if f.name == "compute"]
    t.ok(leaf and all(f.file.endswith("named.py") and f.line and f.file != target.path
                      for f in leaf), "short paths", leaf[:3])
    leaf = [s.frames[-1] for s in recorded(target, "--full-paths")]
    leaf = [f for f in leaf if f.name == "compute"]
    t.ok(leaf and all(f.file == target.path for f in leaf), "--full-paths", leaf[:3])
    leaf = [s.frames[-1] for s in recorded(target, "--no-lines")]
    t.ok(leaf and not any(f.line for f in leaf), "--no-lines", leaf[:3])
    leaf = [s.frames[-1] for s in recorded(target, "--no-lines", "--full-paths", "--by", "none")]
    t.ok(leaf and set(leaf) <= {lib.Frame("compute", target.path, None),
                                lib.Frame("one", "<string>", None)},
         "--no-lines --full-paths", leaf[:3])


def check_hostile_comm(t, interpreter):
    """A process name may contain any character; the output must remain well-formed."""
    name = "a;b 1\nc (d"
    with lib.scratch() as where:
        copy = shutil.copy(os.path.realpath(interpreter.argv[0]), f"{where}/{name}")
        with lib.Target(lib.As(copy), "named.py", "odd") as target:
            stacks = recorded(target)
            t.ok(stacks and {lib.pid_of(s) for s in stacks} == {target.pid} and
                 all("odd" in lib.names(s) for s in stacks), "a hostile process name",
                 lib.worst(stacks))


def main():
    lib.need_krait()
    t = lib.Tap()
    system = lib.system()
    with lib.scratch() as where:
        script = shutil.copy(f"{lib.TARGETS}/named.py", f"{where}/named.py")
        with lib.Target(system, script, "two", 1) as target:
            others = lib.threads_of(target.pid) - {target.pid}
            check_by(t, target, others.pop())
        with t.guard("frame text"), lib.Target(system, script, "one") as target:
            check_text(t, target)
    with t.guard("hostile comm"):
        check_hostile_comm(t, system)
    t.done()


main()
