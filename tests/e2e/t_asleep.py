#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A loader that gets no CPU for more than a second, at 10 kHz on all CPUs and beside programs that
make new stacks all the time, loses nothing that the kernel has counted, at default sizes."""

import contextlib
import os
import re
import signal

import lib

ASLEEP = 1.1  # seconds of CPU time that each target gets meanwhile
# What would be lost if something was too small, as the summary names it.
TOO_SMALL = ("process table full", "ring buffer full", "count table full", "without their stack",
             "own maps were not there")


def asleep(k, targets):
    k.signal(signal.SIGSTOP)
    lib.until(lambda: lib.state(k.pid) == "T", "krait sleeps")
    start = {x.pid: lib.cpu_seconds(x.pid) for x in targets}
    lib.until(lambda: all(lib.cpu_seconds(p) - s > ASLEEP for p, s in start.items()),
              "the targets go on")
    k.signal(signal.SIGCONT)


def main():
    lib.need_krait()
    t = lib.Tap()
    with contextlib.ExitStack() as on:
        targets = [on.enter_context(lib.Target(lib.system(), "newstacks.py", cpu=cpu))
                   for cpu in sorted(os.sched_getaffinity(0))]
        with lib.Krait("-F", 9999, "-v") as k:
            asleep(k, targets)
            stacks = k.finish()
            said = k.err.text()
    least = ASLEEP * 9999 * len(targets) / 2
    t.ok(lib.total(stacks) > least, "what was sampled meanwhile is there",
         f"{lib.total(stacks)}, not {least}\n{said}")
    sent = int(re.search(r"sent once: (\d+) stacks", said)[1])
    t.ok(sent > least / 2, "there was much to send", sent)
    lost = [line for line in said.splitlines() if any(x in line for x in TOO_SMALL)]
    t.ok(not lost, "nothing was too small", "\n".join(lost))
    t.note(f"{lib.total(stacks)} samples, {sent} stacks sent")
    t.done()


main()
