#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""krait record --by task against programs whose frames tell which task runs, on the CPU and in wall-clock mode: names,
default names, other event loops, threads without one, and tasks that get the address of the one before."""

import collections
import contextlib
import json
import os

import interpreters
import lib
import pprof

SECONDS = 20 if lib.TRUTH else 2
RATE = 997
FEW = 5
UNKNOWN = "[task unknown]"
OTHER = "in another loop"  # the only task of its thread, so half of all samples
# tests/targets/tasked.py: what tasks that call work_X() are called. A name is cut to 256 bytes.
TRUTH = {"named": "fetch-7", "default": "default", "method": "Server.handle", "asked": "asks_its_name",
         "wide": "größe €", "long": "x" * 256, "derived": "of a class", "eager": "eagerly", "inner": "awaits",
         "other": OTHER, "outside": None, "between": None}
READS = {(3, 12): 8.5, (3, 13): 8.5, (3, 14): 6.5, (3, 15): 6.5}


def samples(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [r for r in rows if r["type"] == "samples"]


def told(row):
    """What the frames of a sample say: the name of its task, None without one, or False if they do not say."""
    names = [f["name"] for f in row["stack"]]
    if "one_after_another" in names:
        return "outer"  # also while it calls number_X(), which makes the coroutine
    for name in names:
        if name.startswith("work_"):
            return TRUTH[name[5:]]
    number = [n for n in names if n.startswith("number_")]
    return (number[0], f"n-{number[0][7:]}") if number else False


def is_right(row):
    truth, task = told(row), row.get("task")
    return task in truth if isinstance(truth, tuple) else task == truth


def check_program(t, name, rows, few):
    sure = [r for r in rows if told(r) is not False and r.get("task") != UNKNOWN]
    wrong = [r for r in sure if not is_right(r)]
    t.ok(not wrong, f"{name}: each sample has its own task",
         "\n".join(str((r.get("task"), told(r), [f["name"] for f in r["stack"]][-4:])) for r in wrong[:5]))
    unknown = sum(r["weight"] for r in rows if r.get("task") == UNKNOWN)
    t.bound(unknown <= few, f"{name}: few samples before tasks are known", unknown)
    seen = collections.Counter()
    for r in sure:
        seen[told(r) if not isinstance(told(r), tuple) else "number"] += r["weight"]
    missing = {*TRUTH.values(), "number"} - {*seen}
    t.bound(not missing, f"{name}: every task was seen", missing)


def recorded(where, targets, mode, seconds=SECONDS):
    pids = ",".join(str(x.pid) for x in targets)
    out = os.path.join(where, f"{mode}.jsonl")
    status, _, err = lib.usage("record", "-v", "-m", mode, "-F", RATE, "-d", seconds, "-p", pids, "--by", "task",
                               "-o", out)
    if status:
        raise RuntimeError(f"status {status}: {err}")
    return samples(out), err


def check_mode(t, where, mode, pythons, targets):
    rows, _ = recorded(where, targets, mode)
    for name, target in zip(pythons, targets):
        mine = [r for r in rows if r["pid"] == target.pid]
        check_program(t, f"{mode} [{name}]", mine, RATE)


def check_all(t, where):
    few = interpreters.few()
    chosen = [i for i in interpreters.chosen() if i.minor >= (3, 12) and (i in few or i.minor == (3, 14) and
                                                                          not i.threaded)]
    # Few at a time: all of them compute.
    for at in range(0, len(chosen), FEW):
        part = chosen[at:at + FEW]
        with contextlib.ExitStack() as stack:
            targets = [stack.enter_context(lib.Target(i, "tasked.py", wait=False)) for i in part]
            for target in targets:
                target.until_ready()
            for mode in ("cpu", "wall"):
                t.trial(f"{mode} {at}", check_mode, t, where, mode, [i.label for i in part], targets)


def check_reads(t, where, interpreter, target):
    _, err = recorded(where, [target], "cpu", 1)
    line = [x for x in err.splitlines() if x.startswith("  tasks: ")][0].split()
    mean = int(line[line.index("reads") - 1]) / int(line[1])
    t.ok(0 < mean <= READS[interpreter.minor], f"reads a sample [{interpreter.label}]: {mean:.1f}", mean)


def by_root(text):
    sums = collections.Counter()
    for s in lib.parse(text):
        sums[s.root] += s.count
    return sums


def check_formats(t, where, target):
    """All formats of one recording tell the same tasks."""
    base = os.path.join(where, "all")
    names = [f"{base}.{x}" for x in ("krait", "folded", "jsonl", "pb.gz")]
    status, _, err = lib.usage("record", "-F", RATE, "-d", 1, "-p", target.pid, "--by", "task",
                               *[x for n in names for x in ("-o", n)])
    t.ok(status == 0, "several outputs", err)
    with open(names[1], encoding="utf-8") as f:
        live = by_root(f.read())
    t.ok(live[OTHER] and live["[no task]"], "folded stacks: root frames", live)
    sums = collections.Counter()
    for r in samples(names[2]):
        sums[r.get("task", "[no task]")] += r["weight"]
    t.ok(sums == live, "JSON lines", f"{sums}, not {live}")
    sums = collections.Counter()
    for _, values, labels in pprof.samples(pprof.decode(names[3])):
        sums[labels.get("task", "[no task]")] += values[0]
    t.ok(sums == live, "pprof: labels", f"{sums}, not {live}")
    status, out, err = lib.usage("report", names[0], "-f", "folded", "--by", "task")
    t.ok(by_root(out) == live, "a recording", f"{by_root(out)}, not {live} {err}")
    status, out, err = lib.usage("report", names[0], "-f", "folded", "--by", "task", "--where", "task=in another*")
    t.ok(by_root(out) == {OTHER: live[OTHER]}, "--where task=", f"{by_root(out)} {err}")


def check_old(t, where, interpreter):
    with lib.Target(interpreter, "tasked.py") as target:
        rows, err = recorded(where, [target], "cpu", 1)
    t.ok(rows and not {r.get("task") for r in rows} - {None, UNKNOWN} and
         "tasks are read from CPython 3.12 on" in err, f"before 3.12 [{interpreter.label}]: said plainly", err)


def check_refused(t):
    status, _, err = lib.usage("record", "--native", "--by", "task", "-d", 1)
    t.ok(status == 2 and "--by task" in err, "not together with --native", err)


def main(where):
    lib.need_krait()
    t = lib.Tap()
    check_refused(t)
    check_all(t, where)
    newest = {}
    for i in interpreters.chosen():
        if not i.debug and not i.threaded:
            newest[i.minor] = i
    for minor in READS if lib.TRUTH else (min(READS), max(READS)):
        if minor in newest:
            with t.guard(f"reads {minor}"), lib.Target(newest[minor], "tasked.py") as target:
                t.trial(f"reads {minor}", check_reads, t, where, newest[minor], target)
                if minor == max(READS):
                    check_formats(t, where, target)
    if (3, 11) in newest:
        t.trial("old", check_old, t, where, newest[(3, 11)])
    t.done()


if __name__ == "__main__":
    lib.in_scratch(main)
