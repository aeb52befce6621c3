#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Filters keep the matching samples and no others, alone and combined."""

import contextlib
import json
import os
import shutil

import lib

NOBODY = 65534
RENAMED = f"renamed{os.getpid()}"  # a process name that no other process has


def functions(stacks):
    """The targets' functions that occur in the stacks."""
    return {n for s in stacks for n in lib.names(s) if n in ("one", "two", "three")}


def check_filters(t, targets, others):
    one, two, three = (targets[n].pid for n in ("one", "two", "three"))
    cases = [("-p one", ("-p", one), {"one"}),
             ("-p one,two", ("-p", f"{one},{two}"), {"one", "two"}),
             ("-p one -p three", ("-p", one, "-p", three), {"one", "three"}),
             ("-t main thread", ("-t", one), {"one"}),
             ("-t another thread", ("-t", others[0]), {"two"}),
             ("--comm", ("--comm", RENAMED), {"three"}),
             ("--uid by number", ("--uid", NOBODY), {"one"}),
             ("--uid by name", ("--uid", "nobody"), {"one"}),
             ("-p one,one -p one", ("-p", f"{one},{one}", "-p", one), {"one"}),
             ("-t and -t again", ("-t", f"{one},{others[0]},{one}", "-t", one), {"one", "two"}),
             ("--comm with a name of no process", ("--comm", f"{RENAMED},nobody-else"), {"three"}),
             ("--uid by name and number", ("--uid", f"nobody,{NOBODY}"), {"one"}),
             ("-p two and -t its thread", ("-p", two, "-t", others[0]), {"two"}),
             ("-p one and -t of two", ("-p", one, "-t", others[0]), set()),
             ("-p one,two and -t of two", ("-p", f"{one},{two}", "-t", others[0]), {"two"}),
             ("--comm and its --uid", ("--comm", RENAMED, "--uid", 0), {"three"}),
             ("--comm and another --uid", ("--comm", RENAMED, "--uid", NOBODY), set()),
             ("-p and another --uid", ("-p", one, "--uid", 0), set()),
             ("all filters together", ("-p", f"{two},{three}", "-t", f"{three},{others[0]}",
                                       "--comm", RENAMED, "--uid", 0), {"three"}),
             ("none", (), {"one", "two", "three"})]
    pids = [x.pid for x in targets.values()]
    for name, flags, wanted in cases:
        t.trial(f"filter {name}", check_filter, t, f"filter {name}", pids, flags, wanted)


def check_filter(t, name, pids, flags, wanted):
    stacks, _ = lib.watch(pids, 0.2, "-F", 499, *flags)
    mine = [s for s in stacks if lib.pid_of(s) in pids]
    seen = functions(mine)
    t.ok(seen <= wanted, name, f"{seen}, not {wanted}")
    t.bound(seen >= wanted, f"{name}: all matching targets", f"{seen}, not {wanted}")
    if {"-p", "-t", "--comm"} & set(flags):  # without these, other processes match, too
        t.ok(mine == stacks, f"{name}: no other process",
             lib.worst([s for s in stacks if s not in mine]))


def check_threads(t, two, others):
    """-p and -t together keep only the given thread of the process."""
    with t.guard("-p and -t: one thread"):
        stacks, _ = lib.watch([two], 0.3, "-F", 499, "-p", two, "-t", others[0], "--by", "thread")
        seen = {lib.pid_of(s) for s in stacks}
        t.ok(seen == {others[0]}, "-p and -t: one thread", f"{seen}, not {others[0]}")


def check_family(t, system):
    """-s adds existing descendants, down to grandchildren, and later ones; else there are none."""
    for flags in ((), ("-s",)):
        name = " ".join(("-p", *flags))
        t.trial(name, check_followed, t, name, system, flags)


def check_followed(t, name, system, flags):
    with lib.Target(system, "family.py") as target, \
            lib.Krait("-F", 499, "-p", target.pid, *flags) as k:
        target.tell("more")
        there = json.loads(target.ready)
        later = json.loads(target.out.wait_for("LATER")[6:])
        pids = {"parent": target.pid, **there}
        every = [target.pid, *there.values(), *later.values()]
        lib.until(lambda: min(map(lib.cpu_seconds, every)) > 0.25, "all compute", 120)
        stacks = k.finish()
    family(t, name, stacks, pids, flags)
    family(t, f"{name}, later", stacks, {"parent": target.pid, **later}, flags)
    strange = {lib.pid_of(s) for s in stacks} - set(every)
    t.ok(not strange, f"{name}: no other process", strange)


def family(t, name, stacks, pids, flags):
    for who, pid in pids.items():
        mine = [s for s in lib.of(stacks, pid) if s.frames]
        if who != "parent" and not flags:
            t.ok(not mine, f"{name}: not the {who}", lib.worst(mine))
            continue
        part = lib.share(mine, lambda s, w=who: w in lib.names(s))
        t.bound(lib.total(mine) > 20 and part > 0.5, f"{name}: the {who}", lib.worst(mine))


def main():
    lib.need_krait()
    t = lib.Tap()
    system = lib.system()
    with lib.scratch() as where, contextlib.ExitStack() as on:
        script = shutil.copy(f"{lib.TARGETS}/named.py", f"{where}/named.py")
        renamed = shutil.copy(os.path.realpath(system.argv[0]), f"{where}/{RENAMED}")
        user = ("setpriv", f"--reuid={NOBODY}", "--clear-groups", *system.argv)
        targets = {"one": on.enter_context(lib.Target(lib.As(*user), script, "one")),
                   "two": on.enter_context(lib.Target(system, script, "two", 1)),
                   "three": on.enter_context(lib.Target(lib.As(renamed), script, "three"))}
        others = sorted(lib.threads_of(targets["two"].pid) - {targets["two"].pid})
        check_filters(t, targets, others)
        check_threads(t, targets["two"].pid, others)
    check_family(t, system)
    t.done()


main()
