#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The ring between kernel and krait begins small and grows when it is found half full: hundreds of threads
have a deep stack each, all at once. A ring whose size was asked for stays as it is."""

import collections
import os
import re

import lib

THREADS = 600
TURNS = 400  # of crowd.py's threads
RINGBUF = 27  # BPF_MAP_TYPE_RINGBUF
MARKED = re.compile(r"zero|one")


def rings(pid):
    """Sizes of the ring buffers that a process holds."""
    sizes = []
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                info = dict(line.split(":", 1) for line in f)
        except FileNotFoundError:
            continue  # closed meanwhile
        if int(info.get("map_type", 0)) == RINGBUF:
            sizes.append(int(info["max_entries"]))
    return sizes


def crowd(args):
    """(largest ring at first, and at the end; stacks) of a recording in which all threads appear at once."""
    with lib.Target(lib.system(), "crowd.py", THREADS) as target:
        with lib.Krait("-m", "wall", "-p", target.pid, *args) as k:
            first = max(rings(k.pid))
            target.tell("go")
            target.out.wait_for("DONE")
            lib.until(lambda: max(rings(k.pid)) > first or args, "a larger ring", 20)
            last = max(rings(k.pid))
            return first, last, k.finish(), k.err.text()


def ways(stacks):
    """For each way, how often its calls were seen: the bits of `way`, least first."""
    seen = collections.Counter()
    for s in stacks:
        turns = [n for n in lib.names(s) if MARKED.fullmatch(n)]
        if len(turns) == TURNS:
            seen[sum((n == "one") << i for i, n in enumerate(turns))] += s.count
    return seen


def check_grows(t):
    first, last, stacks, said = crowd(())
    t.ok(first <= 2 << 20, "the first ring is small", first)
    t.ok(last >= 2 * first, "it grows", f"{first}, then {last}\n{said}")
    seen = set(ways(stacks))
    t.ok(seen <= set(range(THREADS)), "no way that nobody went", sorted(seen - set(range(THREADS)))[:9])
    t.bound(len(seen) > THREADS / 2, "most ways are seen", f"{len(seen)}\n{said}")


def check_fixed(t):
    first, last, _, said = crowd(("--ring-size", "1M"))
    t.ok(first == last == 1 << 20, "a size that was asked for stays", f"{first}, then {last}\n{said}")


def main():
    lib.need_krait()
    t = lib.Tap()
    t.trial("ring", check_grows, t)
    t.trial("fixed", check_fixed, t)
    t.done()


main()
