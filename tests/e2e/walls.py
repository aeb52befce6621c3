# SPDX-License-Identifier: BSD-2-Clause
"""Helpers for tests of wall-clock mode: recordings, ticks, the thread state in the leaf frame."""

import re
import time

import lib

RATE = 99
# Markers of incomplete stacks; any other leaf frame in brackets is a thread state.
CUT = ("[unreadable]", "[incomplete]", "[entering]")
WAITS_FOR_CPU = {None, "[runnable]", "[throttled]"}  # None: running
GIL = {"[gil wait]", "[futex]"}  # [futex] where the GIL cannot be distinguished from another lock
SLEEP = {"[sleep: clock_nanosleep]", "[sleep: pselect6]", "[sleep: select]"}


def split(stack):
    """(names of the Python frames, state in the leaf frame or None)"""
    last = stack.frames[-1]
    if last.file is None and last.name not in CUT:
        return lib.names(stack)[:-1], last.name
    return lib.names(stack), None


def share_of(stacks, states):
    return lib.share(stacks, lambda s: split(s)[1] in states)


def ticks_of(said):
    return int(re.search(r"off-CPU: \d+ samples? \((\d+) ticks", said)[1])


def pass_by(seconds):
    """Waits that long. Here elapsed time itself is the subject of the recording."""
    end = time.monotonic() + seconds
    lib.until(lambda: time.monotonic() >= end, "time passes")


def krait(*args, mode="wall"):
    return lib.Krait("-m", mode, "-F", RATE, "--by", "thread", *args)


def record(seconds, *args, mode="wall"):
    """(stacks by thread, ticks, standard error)"""
    with krait("-d", seconds, *args, mode=mode) as k:
        stacks = k.result()
        said = k.err.text()
    return stacks, ticks_of(said), said


def check_sum(t, name, mine, ticks, least=None):
    """Checks that there are as many samples as ticks, or between `least` and `ticks`, within 1 %
    and three ticks. The tolerance is small, because krait gives all elapsed time without a CPU
    sample to the stack that it read; only the last ticks are cut off."""
    got, allowed = lib.total(mine), 0.01 * ticks + 3
    least = ticks if least is None else least
    t.bound(least - allowed <= got <= ticks + allowed, f"{name}: as many samples as ticks",
            f"{got} of {least} to {ticks}, allowed {allowed:.1f}\n{lib.worst(mine)}")


def check_states(t, name, mine, states, least=0.99):
    got = share_of(mine, states)
    t.bound(got >= least, f"{name}: {' or '.join(sorted(map(str, states)))}", f"{got:.4f}\n{lib.worst(mine)}")
