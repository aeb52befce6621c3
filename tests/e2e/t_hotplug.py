#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPUs that go offline and come back while krait records: what they ran is shown, what they gave stays
in the books. It takes CPUs away from the machine that it runs on: only where HOTPLUG=1 says so, as in
the virtual machines of t_kernels.py."""

import os

import lib

CPU = 1
CONTROL = f"/sys/devices/system/cpu/cpu{CPU}/online"
RATE = 99  # a guest gets no more ticks

PART = 0.3  # of its samples: a guest loses some, which is counted; without a clock there are none


def switch(on):
    with open(CONTROL, "w") as f:
        f.write("01"[on])


def load(cpu):
    return lib.Target(lib.system(), "load.py", "busy", cpu=cpu)


def away_and_back(t, name, blink):
    """blink: back before krait looks again."""
    with load(0) as first, lib.Krait("-F", RATE, "-v") as k:
        switch(False)
        if not blink:
            lib.compute(2, first.pid)  # krait looks once a second
        switch(True)
        if not blink:
            lib.compute(2, first.pid)
        with load(CPU) as second:
            lib.compute(4 if blink else 2, second.pid)
            spent = lib.cpu_seconds(second.pid)
            shown = lib.total(lib.of(k.finish(), second.pid))
            said = k.err.text()
    least = (spent - (2 if blink else 0.5)) * RATE * PART
    t.bound(shown > least, f"{name}: what the CPU runs then is shown",
            f"{shown} samples of {spent:.1f} s\n{said}")
    t.ok("not sampled" not in said, f"{name}: nothing is said", said)


def absent_at_first(t, name):
    switch(False)
    with load(0) as first, lib.Krait("-F", RATE) as k:
        switch(True)
        lib.compute(2, first.pid)
        with load(CPU) as second:
            lib.compute(2, second.pid)
            spent = lib.cpu_seconds(second.pid)
            shown = lib.total(lib.of(k.finish(), second.pid))
    t.bound(shown > (spent - 0.5) * RATE * PART, f"{name}: it is shown",
            f"{shown} samples of {spent:.1f} s")


def run(check, *args):
    if os.environ.get("HOTPLUG") != "1":
        raise lib.Skip("HOTPLUG=1 lets it take a CPU away; t_kernels.py does in a guest")
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
