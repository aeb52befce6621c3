#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""krait is stopped for more than a second while it samples at 10 kHz on all CPUs and every target
keeps making new stacks. With default buffer sizes, no counted sample may be lost."""

import contextlib
import os
import re
import signal

import lib

ASLEEP = 1.1  # CPU seconds of each target while krait is stopped
# The summary's names of losses caused by a map or buffer that is too small.
TOO_SMALL = ("process table full", "ring buffer full", "count table full", "stack not received",
             "BPF map missing")


def asleep(k, pids):
    k.signal(signal.SIGSTOP)
    lib.until(lambda: lib.state(k.pid) == "T", "krait sleeps")
    lib.compute(ASLEEP, *pids)
    k.signal(signal.SIGCONT)


def check(t):
    with contextlib.ExitStack() as on:
        targets = [on.enter_context(lib.Target(lib.system(), "newstacks.py", cpu=cpu))
                   for cpu in sorted(os.sched_getaffinity(0))]
        pids = [x.pid for x in targets]
        # Without -p, stacks of other programs would need room, too, as long as krait is stopped.
        with lib.Krait("-F", 9999, "-v", "-p", ",".join(map(str, pids))) as k:
            asleep(k, pids)
            stacks = k.finish()
            said = k.err.text()
    least = ASLEEP * 9999 * len(targets) / 2
    t.bound(lib.total(stacks) > least, "samples of that time are in the output",
            f"{lib.total(stacks)}, not {least}\n{said}")
    sent = int(re.search(r"sent: (\d+) stacks", said)[1])
    t.bound(sent > least / 2, "most samples had new stacks", sent)
    lost = [line for line in said.splitlines() if any(x in line for x in TOO_SMALL)]
    t.ok(not lost, "no map or buffer was too small", "\n".join(lost))
    t.note(f"{lib.total(stacks)} samples, {sent} stacks sent")


def main():
    lib.need_krait()
    t = lib.Tap()
    t.trial("asleep", check, t)
    t.done()


main()
