#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Wall-clock mode: each thread has as many samples as there were ticks, whatever it did, and each
sample has the thread's state and stack."""

import contextlib
import os
import re
import signal
import time

import interpreters
import lib
from walls import CUT, GIL, RATE, SLEEP, WAITS_FOR_CPU, check_sum, krait, record, share_of, split, ticks_of

# kind of thread: (possible states, its function)
EXPECTED = {
    "sleeps": (WAITS_FOR_CPU | GIL | SLEEP, "sleeps"),
    "naps": (WAITS_FOR_CPU | GIL | SLEEP, "naps"),
    "one": (WAITS_FOR_CPU | GIL, "computes"),
    "two": (WAITS_FOR_CPU | GIL, "computes"),
    "compresses": (WAITS_FOR_CPU | GIL, "compresses"),
    "locks": ({"[sleep: flock]"}, "locks"),
    "acquires": ({"[futex]"}, "acquires"),
}
# kind of thread: (its most frequent states, their least share); on an idle machine nearly all
MOST = {"sleeps": (SLEEP, 0.7), "locks": ({"[sleep: flock]"}, 0.99), "acquires": ({"[futex]"}, 0.99)}
ROOTS = ({"<module>", "_bootstrap"}, {"begin", "_bootstrap_inner", "run"})


def kinds(target):
    return {k: int(v) for k, v in (x.split("=") for x in target.ready.split())}


def check_states(t, name, kind, mine, quiet):
    states, function = EXPECTED[kind]
    right = share_of(mine, states)
    t.bound(right >= 0.99, f"{name}: states", f"{right:.4f}\n{lib.worst(mine)}")
    there = lib.share(mine, lambda s: function in split(s)[0])
    t.bound(there >= 0.97, f"{name}: stacks", f"{there:.4f}\n{lib.worst(mine)}")
    if kind in MOST and (quiet or kind != "sleeps"):  # else it waits for the GIL half of the time
        most, least = MOST[kind]
        got = share_of(mine, most)
        t.bound(got >= least, f"{name}: mostly {min(most)}", f"{got:.3f}\n{lib.worst(mine)}")


def impossible(stacks):
    return [s for s in stacks if split(s)[0] and not split(s)[0][0].startswith("[") and
            split(s)[0][0] not in ROOTS[0]]


def check_threads(t, name, target, stacks, ticks, quiet=True):
    own = []
    for kind, tid in kinds(target).items():
        mine = lib.of(stacks, tid)
        check_sum(t, f"{name} {kind}", mine, ticks)
        check_states(t, f"{name} {kind}", kind, mine, quiet)
        own += mine
    t.ok(not impossible(own), f"{name}: no impossible stack", lib.worst(impossible(own)))
    return own


def check_all(t, name, target, seconds):
    stacks, ticks, said = record(f"{seconds}s", "-p", target.pid)
    t.bound(ticks >= 0.9 * RATE * seconds, f"{name}: enough ticks", said)
    check_threads(t, name, target, stacks, ticks)


def check_together(t, seconds):
    """All interpreters at once with seven threads each, so that threads switch all the time."""
    with contextlib.ExitStack() as on:
        targets = {}
        for i in interpreters.all():
            targets[i.label] = on.enter_context(lib.Target(i, "clocks.py"))
            for tid in lib.threads_of(targets[i.label].pid):  # leave CPU time to other programs
                os.sched_setscheduler(tid, os.SCHED_IDLE, os.sched_param(0))
        pids = ",".join(str(target.pid) for target in targets.values())
        with krait("-v", "-p", pids) as k:
            time.sleep(seconds)
            stacks, said = k.finish(), k.err.text()
    ticks = ticks_of(said)
    t.bound(ticks >= 0.9 * RATE * seconds, "wall, together: enough ticks", said)
    t.note(said)
    for label, target in targets.items():
        own = check_threads(t, f"wall, together [{label}]", target, stacks, ticks, False)
        cut = [s for s in own if s.frames[-1].name in CUT or s.frames[-1].name.startswith("[unres")]
        t.note(f"{label}: {lib.total(own)} samples, {lib.total(cut)} marked")


def check_busy(t, name, interpreter):
    """The same beside twice as many busy threads as there are CPUs."""
    with contextlib.ExitStack() as on:
        for _ in range(2 * os.cpu_count()):
            on.enter_context(lib.Target(interpreter, "load.py", "busy"))
        target = on.enter_context(lib.Target(interpreter, "clocks.py"))
        check_all(t, name, target, 10 if lib.TRUTH else 4)


def check_gil(t, name, target):
    """Four computing threads: one holds the GIL, and the other three wait for it or for a CPU."""
    stacks, ticks, _ = record("3s", "-p", target.pid)
    mine = [s for s in stacks if lib.pid_of(s) in kinds(target).values()]
    waits = share_of(mine, GIL)
    t.bound(0.3 <= waits <= 0.85, f"{name}: waits for the GIL", f"{waits:.3f}\n{lib.worst(mine, 12)}")
    runs = share_of(mine, {None})
    t.bound(0.01 <= runs <= 0.3, f"{name}: at most one of four runs",
            f"{runs:.3f}\n{lib.worst(mine, 12)}")
    stacks, ticks, said = record("3s", "-p", target.pid, mode="gil")
    held = lib.total(stacks)
    # CPUs tick at different times, so a holder that hands the GIL over between the ticks may be
    # counted twice or not at all. A holder may also wait briefly for the mutex of the handover.
    t.bound(0.8 * ticks <= held <= 1.15 * ticks, f"{name}: one holder at a time",
            f"{held} of {ticks}\n{said}")
    off = [s for s in stacks if split(s)[1] not in WAITS_FOR_CPU]
    t.bound(lib.total(off) <= 0.01 * held, f"{name}: the holder does not wait", lib.worst(off))
    gil = share_of(mine, {"[gil wait]"})
    t.note(f"{name}: of 4 threads' time {gil:.3f} [gil wait], {waits - gil:.3f} [futex], {runs:.3f} run; "
           f"in mode gil {held / ticks:.3f} of the ticks have a holder")


def check_contention(t, name, interpreter):
    if re.match(r"[\d.]+d?t", interpreter.label):
        raise lib.Skip("it is free-threaded")
    with lib.Target(interpreter, "clocks.py", "one1,one2,one3,one4") as target:
        check_gil(t, name, target)


def check_stopped(t, name, interpreter):
    with lib.Target(interpreter, "clocks.py", "sleeps") as target:
        target.signal(signal.SIGSTOP)
        lib.until(lambda: lib.state(target.pid) == "T", "it stops")
        stacks, ticks, said = record("1s", "-p", target.pid)
    spent = float(re.search(r"late, ([\d.]+) % of a core", said)[1])
    t.bound(0.05 <= spent <= 20, f"{name}: CPU time of the ticks", said)
    mine = lib.of(stacks, kinds(target)["sleeps"])
    check_sum(t, name, mine, ticks)
    t.bound(share_of(mine, {"[stopped]"}) >= 0.99, f"{name}: stopped", lib.worst(mine))


def check_lives(t, name):
    """Programs that start, sleep and end during the recording."""
    shell = "for i in 1 2 3 4; do /usr/bin/python3 -c 'import time; time.sleep(1)' & done; wait"
    with lib.Krait("-m", "wall", "-F", RATE, "-o", "-", "--", "sh", "-c", shell, wait=False) as k:
        stacks = k.result()
    each = {s.root for s in stacks}
    t.ok(len(each) == 4, f"{name}: all four are recorded", each)
    slept = {root: lib.total([s for s in stacks if s.root == root and (split(s)[1] in SLEEP or
                                                                       split(s)[1] == "[runnable]")])
             for root in each}
    t.bound(all(0.97 * RATE <= n <= 1.5 * RATE for n in slept.values()),
            f"{name}: a second of sleep each", f"{slept}\n{lib.worst(stacks)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("wall"):
        with t.guard(name), lib.Target(i, "clocks.py") as target:
            t.trial(name, check_all, t, name, target, 10 if lib.TRUTH else 2)
    if lib.TRUTH:
        with t.guard("wall, together"):
            check_together(t, int(os.environ.get("WALL_SECONDS", 600)))
    system = lib.system()
    name = f"wall, busy host [{system.label}]"
    t.trial(name, check_busy, t, name, system)
    for i in interpreters.all() if lib.TRUTH else (system,):
        t.trial(f"wall, GIL [{i.label}]", check_contention, t, f"wall, GIL [{i.label}]", i)
    t.trial("wall, stopped", check_stopped, t, "wall, stopped", system)
    t.trial("wall, short lives", check_lives, t, "wall, short lives")
    t.done()


main()
