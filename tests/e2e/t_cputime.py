#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Samples measure CPU time: for several kinds of processes and threads, samples times period equals
the CPU time that the kernel accounted in the same interval."""

import contextlib
import signal
import interpreters
import lib

RATE = 1999
MODES = ("busy", "half", "threads", "sleep")


def stop(targets):
    for x in targets:
        x.signal(signal.SIGSTOP)
    for x in targets:
        lib.until(lambda x=x: lib.state(x.pid) == "T", "a target stops")


def measured(targets, seconds, *args):
    """The stacks of a recording during which the targets use that many seconds of CPU time
    together. They are stopped before and after it."""
    stop(targets)
    start = sum(lib.cpu_seconds(x.pid) for x in targets)
    with lib.Krait("-F", RATE, "-d", "unlimited", *args) as k:
        for x in targets:
            x.signal(signal.SIGCONT)
        lib.until(lambda: sum(lib.cpu_seconds(x.pid) for x in targets) - start >= seconds, "they compute", 300)
        stop(targets)
        return k.finish()


def check(t, name, samples, cpu):
    """Allows 2 %, four standard deviations of the count, and one clock tick of rounding per end."""
    allowed = 0.02 * cpu + 4 * max(samples, 1) ** 0.5 / RATE + 2 / lib.TICK
    off = samples / RATE - cpu
    t.bound(abs(off) <= allowed, name,
            f"{samples} samples = {samples / RATE:.3f} s, CPU time {cpu:.3f} s, "
            f"off {off:+.3f}, allowed {allowed:.3f}")


def by_process(t, name, targets):
    before = [lib.cpu_seconds(x.pid) for x in targets]
    stacks = measured(targets, 2 * lib.SECONDS, "--by", "process")
    spent = [lib.cpu_seconds(x.pid) - b for x, b in zip(targets, before)]
    counts = [lib.total(lib.of(stacks, x.pid)) for x in targets]
    want = 10000 if lib.TRUTH else 2000
    t.bound(sum(counts) >= want, f"{name}: {want} samples", sum(counts))
    for mode, count, cpu in zip(MODES, counts, spent):
        check(t, f"{name} {mode}", count, cpu)
    t.bound(counts[-1] <= (spent[-1] + 2 / lib.TICK) * RATE,
            f"{name}: a sleeping process gets no more samples than that",
            f"{counts[-1]} samples, {spent[-1]} s")


def by_thread(t, name, target):
    tids = lib.threads_of(target.pid)
    before = {x: lib.cpu_seconds(target.pid, x) for x in tids}
    stacks = measured([target], lib.SECONDS, "--by", "thread", "-p", target.pid)
    for tid in sorted(tids):
        spent = lib.cpu_seconds(target.pid, tid) - before[tid]
        kind = "main" if tid == target.pid else f"hashing {sorted(tids).index(tid)}"
        check(t, f"{name} {kind} thread", lib.total(lib.of(stacks, tid)), spent)


def main():
    lib.need_krait()
    t = lib.Tap()
    newest = interpreters.all()[-1]
    system = lib.system()
    for i in (system, newest) if newest != system else (system,):
        name = f"CPU time [{i.label}]"
        with t.guard(name), contextlib.ExitStack() as on:
            targets = [on.enter_context(lib.Target(i, "load.py", mode)) for mode in MODES]
            t.trial(name, by_process, t, name, targets)
            t.trial(f"{name} threads", by_thread, t, name, targets[MODES.index("threads")])
    t.done()


main()
