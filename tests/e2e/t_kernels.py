#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same binary on other kernels, in virtual machines: one interpreter of each family of layouts
on the oldest kernel, for which there are separate BPF programs, and one of three interpreters on
each of the others, in turn; all three with TRUTH=1. (`make matrix` runs them all.) Also CPU
hotplug, which needs a machine of its own.

Two guests run at a time: a guest seldom uses both CPUs, and its checks allow for ticks that the
host delays (cell.py). A guest whose bounds fail runs once more, alone."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import interpreters
import lib

sys.path.insert(0, os.path.join(lib.TESTS, "vm"))
import column  # noqa: E402
import vm  # noqa: E402
import whole  # noqa: E402

FAMILIES = ((3, 8), (3, 11), (3, 12), (3, 13), (3, 15))
FEW = ((3, 8), (3, 12), (3, 15))  # their frames are read in different ways
OLDEST = "5.10"
HOTPLUG_ON = "6.1"
GUESTS = 2  # at a time


def in_turn(families, kernel):
    turn = [k.name for k in vm.kernels()].index(kernel.name)
    return [families[(turn + n) % len(families)] for n in range(3 if lib.TRUTH else 1)]


def representatives(kernel):
    """One release build of each family for the kernel; a kernel with another root has its own."""
    if kernel.root != "host":
        return ()
    families = FAMILIES if kernel.name == OLDEST else in_turn(FEW, kernel)
    have = {}
    for i in interpreters.all():
        if not i.debug and not i.threaded:
            have.setdefault(i.minor, i)
    return [have[m] for m in families if m in have]


def said(faults):
    return "\n".join(f"{what}: {details}" for what, details in faults)


def check(t, kernel, coming):
    """The first time it takes the results that are coming; the second time, fresh ones."""
    try:
        first = coming.pop(kernel, None)
        rows = (first.result() if first else column.measure(kernel, representatives(kernel))).rows
    except vm.Unavailable as e:
        raise lib.Skip(str(e)) from None
    for row, checks in rows.items():
        wrong = column.faults(checks)
        facts = [f for f in wrong if f[0].endswith(column.FACTS)]
        t.ok(not facts, f"{kernel.name} [{row}]", said(facts))
        t.bound(wrong == facts, f"{kernel.name} [{row}]: bounds", said(wrong))


def hotplug(t, kernel):
    """Runs t_hotplug.py in the guest, and reports its checks as ours."""
    for r in whole.run(kernel, "t_hotplug.py", HOTPLUG="1"):
        t.ok(r.good and not r.skip, r.what, r.skip or r.details)


def main():
    lib.need_krait()
    t = lib.Tap()
    with ThreadPoolExecutor(GUESTS) as pool:
        coming = {k: pool.submit(column.measure, k, representatives(k)) for k in vm.kernels()}
    for kernel in vm.kernels():
        t.trial(f"kernel {kernel.name}", check, t, kernel, coming)
    with t.guard("hotplug"):
        try:
            hotplug(t, next(k for k in vm.kernels() if k.name == HOTPLUG_ON))
        except vm.Unavailable as e:
            raise lib.Skip(str(e)) from None
    t.done()


main()
