#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Two interpreters of different versions in one process: each thread is shown with the stack of the
interpreter that it runs, also in forked children; a thread that is in both at once is ambiguous. An
unsupported interpreter does not hide the other one."""

import glob
import json
import os

import lib

PAIRS = [((3, 9), (3, 11)), ((3, 12), (3, 8)), ((3, 6), (3, 13)), ((3, 11), (3, 12)), ((3, 7), (3, 10))]
AMBIGUOUS = "[ambiguous interpreter]"


def library(minor):
    found = glob.glob(os.path.expanduser("~/.pyenv/versions/%d.%d.*/lib/libpython*.so.1.0" % minor))
    if not found:
        raise lib.Skip("no libpython%d.%d here" % minor)
    return found[0]


def start(first, second, **more):
    return lib.Process([lib.tool("two"), library(first), os.path.join(lib.TARGETS, "two_first.py"),
                        library(second), os.path.join(lib.TARGETS, "two_second.py")],
                       cwd=lib.TARGETS, **more)


def ends_in(function, line):
    return lambda s: s.frames[-1].name.rpartition(".")[2] == function and s.frames[-1].line == line


def listed(pid):
    return json.loads(lib.usage("list", "--json", "-p", pid)[1])["processes"][0]


def record(process, child, seconds=1):
    """(all stacks, stacks of the first thread, of the second thread, of the child)"""
    stacks, _ = lib.observe([process.pid, child], seconds, "-F", 1999, "--by", "thread")
    other = lib.threads_of(process.pid) - {process.pid}
    return (stacks, lib.of(stacks, process.pid), lib.of(stacks, min(other)),
            lib.of(stacks, child))


def check_threads(t, name, first, second, child):
    hot_first = ends_in("first_hot", lib.hot_lines("two_first.py")["first"])
    hot_second = ends_in("second_hot", lib.hot_lines("two_second.py")["second"])

    part = lib.share(second, hot_second)
    t.bound(lib.total(second) > 100 and part > 0.9, f"{name}: the second interpreter's thread",
            f"{part:.3f}\n{lib.worst(second)}")
    part = lib.share(child, hot_first)
    t.bound(lib.total(child) > 100 and part > 0.9, f"{name}: a forked child",
            f"{part:.3f}\n{lib.worst(child)}")
    # In the second interpreter, it has frames of both. Before and after, it waits or calls.
    part = lib.share(first, lambda s: hot_first(s) or s.frames[-1].name == AMBIGUOUS or
                     lib.names(s)[-1] in ("inside", "<module>"))
    t.bound(lib.share(first, hot_first) > 0.3 and part > 0.99,
            f"{name}: the first interpreter's thread", f"{part:.3f}\n{lib.worst(first)}")
    t.bound(lib.share(first, lambda s: s.frames[-1].name == AMBIGUOUS) > 0.02,
            f"{name}: a thread in both at once", lib.worst(first))


def check_pair(t, name, first, second):
    with start(first, second) as p:
        child = int(p.out.wait_for("READY")[6:])
        versions = {listed(p.pid)["version"], *listed(p.pid)["more_versions"]}
        t.ok({v.rpartition(".")[0] for v in versions} == {"%d.%d" % first, "%d.%d" % second},
             f"{name}: both are listed", versions)
        t.trial(name, check_recorded, t, name, p, child)


def check_recorded(t, name, process, child):
    stacks, *parts = record(process, child)
    check_threads(t, name, *parts)
    both = [s for s in stacks if {"first_hot", "second_hot"} <= set(lib.names(s))]
    t.ok(not both, f"{name}: no stack has frames of both", lib.worst(both))


def check_unsupported(t, name):
    with start((2, 7), (3, 12), env=dict(os.environ, NOT_BESIDE="1")) as p:
        p.out.wait_for("READY")
        with lib.Krait("-p", p.pid, "-F", 999, "--by", "thread") as k:
            lib.compute(1, p.pid)
            second = min(lib.threads_of(p.pid) - {p.pid})
            stacks = k.finish()
            said = k.err.text()
    hot = ends_in("second_hot", lib.hot_lines("two_second.py")["second"])
    t.bound(lib.share(lib.of(stacks, second), hot) > 0.9, f"{name}: the other one is recorded",
            lib.worst(stacks))
    t.ok("CPython 2.7 is not supported" in said, f"{name}: the unsupported one is reported", said)


def main():
    lib.need_krait()
    t = lib.Tap()
    for first, second in PAIRS:
        name = "two interpreters [%d.%d and %d.%d]" % (*first, *second)
        with t.guard(name):
            check_pair(t, name, first, second)
    name = "two interpreters [2.7 and 3.12]"
    t.trial(name, check_unsupported, t, name)
    t.done()


main()
