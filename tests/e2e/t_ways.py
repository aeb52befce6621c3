#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""All ways in which CPython is linked, embedded and packaged (ways.py): the process is listed
correctly, lines and names are right, threads have their own stacks with and without the GIL, and no
stack is impossible. One recording per way checks all this; TRUTH=1 makes it a long one. An argument
selects the ways whose name contains it."""

import contextlib
import json
import os
import signal
import sys

import graph
import lib
import ways

SECONDS = 20 if lib.TRUTH else 0.5
RATE = 1999
MARKED = 0.01
OWN = {"loop_1": "compute_1", "loop_2": "compute_2", "fetch_1": "fetch_1", "fetch_2": "fetch_2"}


def end(target, pid):
    """Ends the process that runs Python first: only then does the parent of a frozen program remove
    the files that it unpacked."""
    if pid != target.pid:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        target.wait()


def build_of(way):
    kinds = ["free-threaded"] * way.threaded + ["debug"] * way.debug
    return " ".join(kinds) or "release"


def check_list(t, name, way, pids):
    status, out, err = lib.usage("list", "--json", "-p", ",".join(map(str, pids)))
    rows = json.loads(out)["processes"] if status == 0 else []
    want = {"version": "%d.%d.%d" % way.version, "build": build_of(way), "supported": True,
            "linked": "shared" if way.shared else "static", "embedded": way.embedded}
    wrong = [r for r in rows if any(r[k] != v for k, v in want.items())]
    t.ok(len(rows) == len(pids) and not wrong, f"{name}: listed", f"{want} {wrong or rows} {err}")


def check_lines(t, name, script, stacks):
    for function, line in lib.hot_lines(script).items():
        mine = [s for s in stacks if s.frames[-1].name == function]
        part = lib.share(mine, lambda s, n=line: s.frames[-1].line == n)
        t.bound(lib.total(mine) > 40 and part > 0.9, f"{name}: {function}",
                f"{part:.3f} of {lib.total(mine)}\n{lib.worst(stacks)}")


def check_threads(t, name, stacks):
    """Each thread runs a function of its own; two of them without the GIL."""
    seen = set()
    for tid in {lib.pid_of(s) for s in stacks}:
        own = [s for s in stacks if lib.pid_of(s) == tid]
        mine = {f for s in own for f in lib.names(s) if f in OWN}
        seen |= mine
        few = lib.total(own) <= 20
        t.ok(len(mine) == 1 or (few and not mine), f"{name}: a thread's own function", lib.worst(own))
    t.bound(seen == set(OWN), f"{name}: all threads", f"{seen}\n{lib.worst(stacks)}")
    # Between two calls a thread is in none of these functions.
    part = lib.share(stacks, lambda s: s.frames[-1].name in OWN.values())
    t.bound(part > 0.95, f"{name}: few other leaves", f"{part:.3f}\n{lib.worst(stacks, 12)}")


def check_stacks(t, name, way, path, stacks):
    truth = graph.load(f"{lib.TARGETS}/paths.py", path, way.version)
    v = graph.judge(truth, graph.own_frames(stacks, path))
    t.ok(not v.impossible, f"{name}: no impossible stack", f"{v.impossible} of {v.total}\n{v.examples}")
    t.bound(v.total > 100, f"{name}: enough samples", v.total)
    t.bound(v.marked <= max(2, MARKED * v.total), f"{name}: at most 1 % marked",
            f"{v.marked} of {v.total}\n{lib.worst(stacks)}")


def check(t, name, way):
    with contextlib.ExitStack() as on:
        targets = [on.enter_context(lib.Target(way, s, wait=False))
                   for s in ("hotline.py", "apart.py", "paths.py")]
        for target in targets:
            target.until_ready()
        pids = [lib.python_of(x) for x in targets]
        for target, pid in zip(targets, pids):
            on.callback(end, target, pid)
        check_list(t, name, way, pids)
        tids = [lib.threads_of(p) for p in pids]
        stacks, _ = lib.observe(pids, SECONDS, "-F", RATE, "--by", "thread", "--full-paths")
    lines, threads, calls = ([s for s in stacks if lib.pid_of(s) in own] for own in tids)
    check_lines(t, name, "hotline.py", lines)
    check_lines(t, name, "apart.py", threads)
    check_threads(t, name, threads)
    check_stacks(t, name, way, targets[2].path, calls)


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, why in ways.absent():
        t.skip(f"ways [{what}]", why)
    for way in ways.all():
        name = f"ways [{way.label}]"
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        t.trial(name, check, t, name, way)
    t.done()


main()
