#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""Thread states that are passed between threads: a stack is shown under the thread that runs it,
whichever thread created the thread state, and under no other. This also holds for waiting threads
and in mode gil. One interpreter for each layout; TRUTH=1 takes all."""

import json
import os
import tempfile

import lib

ENDS = ("[no Python frame]", "[entering]")  # also correct: the thread is in C code of CPython


def recorded(pid, mode, seconds):
    with tempfile.TemporaryDirectory() as where:
        out = os.path.join(where, "x.jsonl")
        status, _, said = lib.usage("record", "-m", mode, "--no-states", "-F", 999, "-d", seconds, "-p",
                                    pid, "-o", out)
        if status:
            raise RuntimeError(said)
        with open(out) as f:
            return [o for o in map(json.loads, f) if o["type"] == "samples"]


def names(sample):
    return [f["name"] for f in sample["stack"]]


def worker(sample):
    """K of a thread named w-K; None: not a worker."""
    return sample["thread"][2:] if sample["thread"].startswith("w-") else None


def weight(samples):
    return sum(s["weight"] for s in samples)


def shown(samples):
    return "\n".join(f"{s['weight']} {s['thread']} {s.get('state')} {';'.join(names(s))}"
                     for s in sorted(samples, key=lambda s: -s["weight"])[:8])


def foreign(sample):
    """Does the stack have a frame of another thread's job?"""
    return any(n.startswith("job_") and n != f"job_{worker(sample)}" for n in names(sample))


class Times:
    """How the CPU time of the workers is divided. On a busy machine the time between two jobs, when
    a worker has no thread state, is a larger part of it."""

    def __init__(self, target):
        self.target, self.asked = target, 0
        self.start = self.now()

    def now(self):
        self.target.tell("?")
        self.asked += 1
        return [int(x) for x in self.target.out.wait_for("TIMES", nth=self.asked).split()[1:]]

    def inside(self):
        """Share of the CPU time since the start in which a worker ran Python code."""
        inside, between = (now - start for start, now in zip(self.start, self.now()))
        return inside / (inside + between)


def check_own(t, name, samples, states, least):
    """At least that share of the workers' samples in these states has the worker's own stack."""
    mine = [s for s in samples if worker(s) is not None and s.get("state") in states]
    good = [s for s in mine if f"job_{worker(s)}" in names(s) or names(s)[-1] in ENDS]
    t.ok(mine and weight(good) >= least * weight(mine), f"{name}: the workers' own stacks",
         f"{weight(good)} of {weight(mine)}\n{shown([s for s in mine if s not in good])}")


def check(t, name, samples, states, least):
    wrong = [s for s in samples if foreign(s)]
    t.ok(not wrong, f"{name}: no other thread's stack", shown(wrong))
    check_own(t, name, samples, states, least)


def check_gil(t, name, samples):
    check(t, name, samples, ("running", "runnable", None), 0.97)
    held = weight(samples)
    off = [s for s in samples if s.get("state") in ("futex", "sleeping", "gil wait")]
    t.ok(weight(off) <= 0.01 * held, f"{name}: the GIL's holder does not wait", shown(off))


def check_interpreter(t, name, i, library, way):
    target = lib.stage(i, library)
    with lib.Target(i, "handed.py", target, way) as p:
        seconds = 5 if lib.TRUTH else 1
        times = Times(p)
        samples = recorded(p.pid, "cpu", seconds)
        check(t, f"{name} cpu", samples, ("running", None), 0.97 * times.inside())
        check(t, f"{name} wall", recorded(p.pid, "wall", seconds), ("sleeping",), 0.97)
        if not i.threaded:
            check_gil(t, f"{name} gil", recorded(p.pid, "gil", seconds))


def check_elsewhere(t, name, i, library):
    """One thread starts the interpreter and releases it; another thread runs Python code."""
    found = [x for x in os.listdir(f"{i.prefix}/lib") if x.startswith("libpython3.") and ".so.1.0" in x]
    path = os.path.join(i.prefix, "lib", found[0])
    argv = [lib.tool("embed"), "-t", path, os.path.join(lib.TARGETS, "elsewhere.py")]
    with lib.Process(argv, env=dict(os.environ, PYTHONHOME=i.prefix)) as p:
        p.out.wait_for("READY")
        for mode in ("cpu", "wall"):
            samples = recorded(p.pid, mode, 1)
            main = [s for s in samples if s["tid"] == p.pid]
            other = [s for s in samples if s["tid"] != p.pid]
            t.ok(not any("elsewhere" in names(s) for s in main),
                 f"{name} {mode}: not in the waiting thread", shown(main))
            good = [s for s in other if names(s)[0] == "<module>"]
            t.ok(good and weight(good) >= 0.95 * weight(other),
                 f"{name} {mode}: in the working thread",
                 shown([s for s in other if s not in good]))


def main():
    lib.need_krait()
    t = lib.Tap()
    library = lib.helper("handed")
    for i, name in t.each_interpreter("handed", chosen=lib.interpreters.few):
        if i.root and i.minor < (3, 10):
            t.skip(name, "its libc is too old for the helper library")
            continue
        if i.debug:
            t.skip(name, "a debug build refuses thread states of other threads")
            continue
        with t.guard(name):
            check_interpreter(t, name, i, library, "swap")
        if i.shared and not i.root:
            with t.guard(f"{name} elsewhere"):
                check_elsewhere(t, f"{name} elsewhere", i, library)
    t.done()


main()
