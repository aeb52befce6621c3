# SPDX-License-Identifier: BSD-2-Clause
"""Recordings by the clock on the wall, for tests: their ticks, what a stack's leaf frame says of the state."""

import re
import time

import lib

RATE = 99
# The innermost frame where the stack is not whole; anything else in brackets is a state.
CUT = ("[unreadable]", "[incomplete]", "[entering]")
WAITS_FOR_CPU = {None, "[runnable]", "[throttled]"}  # None: it runs
GIL = {"[gil wait]", "[futex]"}  # the latter where the GIL cannot be told from another lock
SLEEP = {"[sleep: clock_nanosleep]", "[sleep: pselect6]", "[sleep: select]"}


def split(stack):
    """(Python frames' names, what the leaf frame says of the state or None)"""
    last = stack.frames[-1]
    if last.file is None and last.name not in CUT:
        return lib.names(stack)[:-1], last.name
    return lib.names(stack), None


def share_of(stacks, states):
    return lib.share(stacks, lambda s: split(s)[1] in states)


def ticks_of(said):
    return int(re.search(r"off-CPU: \d+ samples? \((\d+) ticks", said)[1])


def pass_by(seconds):
    """The time itself is what is recorded."""
    end = time.monotonic() + seconds
    lib.until(lambda: time.monotonic() >= end, "time passes")


def krait(*args, mode="wall"):
    return lib.Krait("-m", mode, "-F", RATE, "--by", "thread", *args)


def record(seconds, *args, mode="wall"):
    """(stacks by thread, ticks, what was said)"""
    with krait("-d", seconds, *args, mode=mode) as k:
        stacks = k.result()
        said = k.err.text()
    return stacks, ticks_of(said), said


def check_sum(t, name, mine, ticks, least=None):
    """Within 1 % and three ticks: what elapsed and is no sample of the CPU clock is given to what was
    read, so that nothing is left to chance but what the end cuts off. With @least: between the two."""
    got, allowed = lib.total(mine), 0.01 * ticks + 3
    least = ticks if least is None else least
    t.bound(least - allowed <= got <= ticks + allowed, f"{name}: as many samples as ticks",
            f"{got} of {least} to {ticks}, allowed {allowed:.1f}\n{lib.worst(mine)}")


def check_states(t, name, mine, states, least=0.99):
    got = share_of(mine, states)
    t.bound(got >= least, f"{name}: {' or '.join(sorted(map(str, states)))}", f"{got:.4f}\n{lib.worst(mine)}")
