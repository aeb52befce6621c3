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
LEAST = 1.0  # seconds of CPU time between two events
PART = 0.3  # of its samples: a guest loses some, which is counted; without a clock there are none


def switch(on):
    with open(CONTROL, "w") as f:
        f.write("01"[on])


def compute(pid, seconds=LEAST):
    start = lib.cpu_seconds(pid)
    lib.until(lambda: lib.cpu_seconds(pid) - start >= seconds, "it computes")


def load(cpu):
    return lib.Target(lib.system(), "load.py", "busy", cpu=cpu)


def away_and_back(t, name, blink):
    """blink: back before krait looks again."""
    with load(0) as first, lib.Krait("-F", RATE, "-v") as k:
        switch(False)
        if not blink:
            compute(first.pid, 2)  # krait looks once a second
        switch(True)
        if not blink:
            compute(first.pid, 2)
        with load(CPU) as second:
            compute(second.pid, 4 if blink else 2)
            spent = lib.cpu_seconds(second.pid)
            shown = lib.total(lib.of(k.finish(), second.pid))
            said = k.err.text()
    least = (spent - (2 if blink else 0.5)) * RATE * PART
    t.ok(shown > least, f"{name}: what the CPU runs then is shown",
         f"{shown} samples of {spent:.1f} s\n{said}")
    t.ok("not sampled" not in said, f"{name}: nothing is said", said)


def absent_at_first(t, name):
    switch(False)
    with load(0) as first, lib.Krait("-F", RATE) as k:
        switch(True)
        compute(first.pid, 2)
        with load(CPU) as second:
            compute(second.pid, 2)
            spent = lib.cpu_seconds(second.pid)
            shown = lib.total(lib.of(k.finish(), second.pid))
    t.ok(shown > (spent - 0.5) * RATE * PART, f"{name}: it is shown",
         f"{shown} samples of {spent:.1f} s")


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, check in (("offline for a while", lambda n: away_and_back(t, n, False)),
                        ("offline for a moment", lambda n: away_and_back(t, n, True)),
                        ("offline at first", lambda n: absent_at_first(t, n))):
        name = f"hotplug, {what}"
        with t.guard(name):
            if os.environ.get("HOTPLUG") != "1":
                raise lib.Skip("HOTPLUG=1 lets it take a CPU away; t_kernels.py does in a guest")
            if not os.access(CONTROL, os.W_OK):
                raise lib.Skip(f"no {CONTROL}")
            try:
                check(name)
            finally:
                switch(True)
    t.done()


main()
