#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A CPU goes offline and comes back while krait records: what it runs afterwards is recorded, and
its earlier counts are kept. The test takes a CPU away from this machine, so it needs HOTPLUG=1,
which t_kernels.py sets in its virtual machines."""

import os

import lib

CPU = 1
CONTROL = f"/sys/devices/system/cpu/cpu{CPU}/online"
RATE = 99  # a guest's clock allows no higher rate

PART = 0.3  # of the expected samples: a guest loses some; if the CPU had no clock, there were none


def switch(on):
    with open(CONTROL, "w") as f:
        f.write("01"[on])


def load(cpu):
    return lib.Target(lib.system(), "load.py", "busy", cpu=cpu)


def away_and_back(t, name, blink):
    """With `blink`, the CPU is back before krait checks again."""
    with load(0) as first, lib.Krait("-F", RATE, "-v") as k:
        switch(False)
        if not blink:
            lib.compute(2, first.pid)  # krait checks once a second
        switch(True)
        if not blink:
            lib.compute(2, first.pid)
        with load(CPU) as second:
            lib.compute(4 if blink else 2, second.pid)
            spent = lib.cpu_seconds(second.pid)
            shown = lib.total(lib.of(k.finish(), second.pid))
            said = k.err.text()
    least = (spent - (2 if blink else 0.5)) * RATE * PART
    t.bound(shown > least, f"{name}: what the CPU runs afterwards is recorded",
            f"{shown} samples of {spent:.1f} s\n{said}")
    t.ok("not sampled" not in said, f"{name}: no CPU is reported as not sampled", said)


def absent_at_first(t, name):
    switch(False)
    with load(0) as first, lib.Krait("-F", RATE) as k:
        switch(True)
        lib.compute(2, first.pid)
        with load(CPU) as second:
            lib.compute(2, second.pid)
            spent = lib.cpu_seconds(second.pid)
            shown = lib.total(lib.of(k.finish(), second.pid))
    t.bound(shown > (spent - 0.5) * RATE * PART, f"{name}: what the CPU runs then is recorded",
            f"{shown} samples of {spent:.1f} s")


def run(check, *args):
    if os.environ.get("HOTPLUG") != "1":
        raise lib.Skip("HOTPLUG=1 lets it take a CPU offline; t_kernels.py does so in a guest")
    if not os.access(CONTROL, os.W_OK):
        raise lib.Skip(f"no {CONTROL}")
    try:
        check(*args)
    finally:
        switch(True)


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, check, *more in (("offline for a while", away_and_back, False),
                               ("offline for a moment", away_and_back, True),
                               ("offline at first", absent_at_first)):
        name = f"hotplug, {what}"
        t.trial(name, run, check, t, name, *more)
    t.done()


main()
