#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each thread is shown with its own stack or none: threads without the GIL, threads without Python,
threads that C code calls back with a new thread state each time, children of libc's fork(),
io_uring workers, and many threads. Each sample tells whether its thread held the GIL.
One interpreter for each layout; TRUTH=1 takes all."""

import contextlib
import json
import os

import lib

KINDS = ("nogil", "stateless", "callbacks", "libc_fork", "uring", "many")
NO_STATE = "[no Python state]"


def only(stacks, *allowed):
    """The stacks with a frame of another name than the allowed ones."""
    return [s for s in stacks if any(f.name.rpartition(".")[2] not in allowed for f in s.frames)]


def mostly(t, name, stacks, condition, least=0.95, enough=50):
    part = lib.share(stacks, condition)
    t.bound(lib.total(stacks) >= enough and part >= least, name,
            f"{part:.3f} of {lib.total(stacks)}\n" +
            lib.worst([s for s in stacks if not condition(s)] or stacks))


def none_of(t, name, stacks):
    t.ok(not stacks, name, f"{lib.total(stacks)}\n{lib.worst(stacks)}")


def nogil(t, name, mine, _):
    for leaf in ("hash_it", "zip_it", "spin_it"):
        loop = leaf.replace("it", "loop")
        own = [s for s in mine if lib.names(s)[-1:] == [leaf]]
        mostly(t, f"{name} {leaf}", own, lambda s, loop=loop: lib.names(s)[-2] == loop)
    mostly(t, f"{name}: no other leaf", mine, lambda s: lib.names(s)[-1].endswith("_it"))


def stateless(t, name, mine, _):
    spinner = [s for s in mine if s.root.startswith("c-spinner-")]
    mostly(t, f"{name}: C thread", spinner, lambda s: [f.name for f in s.frames] == [NO_STATE], 1)
    python = [s for s in mine if not s.root.startswith("c-spinner-")]
    mostly(t, f"{name}: main thread", python, lambda s: "stateless" in lib.names(s))


def callbacks(t, name, mine, _):
    caller = [s for s in mine if s.root.startswith("c-caller-")]
    marks = [n for n in {f.name for s in caller for f in s.frames} if n.startswith("[")]
    none_of(t, f"{name}: only its own frames",
            only(caller, "callback", "called", "compute", *marks))
    mostly(t, f"{name}: the callback", caller, lambda s: "callback" in lib.names(s), 0.2)
    main = [s for s in mine if not s.root.startswith("c-caller-")]
    none_of(t, f"{name}: not in the main thread", [s for s in main if "callback" in lib.names(s)])
    mostly(t, f"{name}: main thread", main, lambda s: "callbacks" in lib.names(s))


def libc_fork(t, name, mine, child):
    parent = [s for s in mine if lib.pid_of(s) != child]
    forked = [s for s in mine if lib.pid_of(s) == child]
    mostly(t, f"{name}: child", forked, lambda s: "child_hot" in lib.names(s))
    mostly(t, f"{name}: parent", parent, lambda s: "parent_hot" in lib.names(s))
    none_of(t, f"{name}: no frames of the other process",
            [s for s in forked if "parent_hot" in lib.names(s)] +
            [s for s in parent if "child_hot" in lib.names(s)])


def uring(t, name, mine, status):
    if status:
        t.skip(f"{name}: worker", f"io_uring refused: {status}")
        return
    workers = [s for s in mine if s.root.startswith("iou-wrk-")]
    mostly(t, f"{name}: worker", workers, lambda s: not any(f.file for f in s.frames), 1)


def many(t, name, mine, table):
    at_once = table.pop("at once", None)
    if at_once is not None:
        t.bound(at_once > len(table) // 2, f"{name}: without a GIL, threads run in parallel",
                f"{at_once} of {len(table)} were runnable at once")
    for tid, k in table.items():
        own = [s for s in mine if lib.pid_of(s) == int(tid)]
        mostly(t, f"{name}: thread {k}", own, lambda s, k=k: f"hot_{k}" in lib.names(s), 0.95, 5)
        none_of(t, f"{name}: thread {k}: no other thread's function", [
            s for s in own if any(n.startswith("hot_") and n != f"hot_{k}" for n in lib.names(s))])


def at_once(tids):
    """The median number of these threads that are runnable at once. With a GIL, most of them sleep
    and wake now and then to request it."""
    seen = sorted(sum(lib.state(int(x)) == "R" for x in tids) for _ in range(100))
    return seen[len(seen) // 2]


def holders(path):
    """{"spin", "hot": [samples without the GIL, samples with it]} of the functions spin_it and hot_N."""
    counts = {}
    with open(path, encoding="utf-8") as f:
        for s in map(json.loads, f):
            for name in {x["name"].partition("_")[0] for x in s.get("stack", ())} & {"spin", "hot"}:
                counts.setdefault(name, [0, 0])[s.get("holds_gil", False)] += s["weight"]
    return counts


def check_gil(t, name, gil, threaded):
    """C code that computes has released the GIL. Threads that run Python code hold it, in builds
    with a GIL, except while they request it (eight threads do so every 5 ms)."""
    for who, wanted in (("spin", 0), ("hot", 0 if threaded else 1)):
        if who not in gil:
            continue
        without, having = gil[who]
        share = having / (without + having)
        t.bound(without + having >= 50 and abs(share - wanted) <= (0.15 if wanted else 0.05),
                f"{name}: {who} and the GIL", f"{share:.3f} of {without + having}")


def recorded(interpreter, kinds, library):
    """({kind: (stacks, data of the READY line)}, holders())"""
    with contextlib.ExitStack() as on:
        lines = os.path.join(on.enter_context(lib.scratch()), "x.jsonl")
        targets = {k: on.enter_context(lib.Target(interpreter, "threads.py", k, library))
                   for k in kinds}
        said = {k: json.loads(x.ready) for k, x in targets.items()}
        pids = {k: [x.pid] for k, x in targets.items()}
        if "libc_fork" in kinds:
            pids["libc_fork"].append(said["libc_fork"])
        tids = {kind: {t for p in pids[kind] for t in lib.threads_of(p)} for kind in kinds}
        if said.get("uring"):
            del pids["uring"]  # io_uring is refused, and the target has ended
        wanted = [p for known in pids.values() for p in known]
        stacks, _ = lib.observe(wanted, 0.5, "-F", 1999, "--by", "thread", "-o", "-", "-o",
                                lines)
        if interpreter.threaded and "many" in kinds:
            said["many"]["at once"] = at_once(said["many"])
        for kind in kinds:  # including threads that started meanwhile
            tids[kind] |= {t for p in pids.get(kind, ()) for t in lib.threads_of(p)}
        return ({k: ([s for s in stacks if lib.pid_of(s) in tids[k]], said[k]) for k in kinds},
                holders(lines))


def rounds(interpreter):
    """Lists of kinds to run together. Free-threaded builds run them one by one: while others use
    all CPUs, 3.13t takes a minute to start (for each lock that it holds itself, it yields the CPU
    dozens of times)."""
    return [[k] for k in KINDS] if interpreter.threaded else [KINDS]


def check(t, name, interpreter, kinds, library):
    found, gil = recorded(interpreter, kinds, library)
    check_gil(t, name, gil, interpreter.threaded)
    for kind, (stacks, said) in found.items():
        with t.guard(f"{name} {kind}"):
            globals()[kind](t, f"{name} {kind}", stacks, said)


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("threads", here=True, chosen=lib.interpreters.few):
        if i.root and i.minor < (3, 10):
            t.skip(name, "its libc is too old for the helper library")
            continue
        with t.guard(name):
            library = lib.stage(i, lib.helper())
            for kinds in rounds(i):
                t.trial(name, check, t, name, i, kinds, library)
    t.done()


main()
