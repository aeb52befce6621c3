# SPDX-License-Identifier: BSD-2-Clause
"""Runs in lockstep with the clock: works() takes a fifth of each period, waits() the rest.

in_step.py HZ: periods per second. Both parts end at fixed times of the clock, so that delays on a
busy machine do not add up."""

import sys
import time

PART = 0.2


def works(until):
    while time.monotonic() < until:
        pass


def waits(until):
    while time.monotonic() < until:
        time.sleep(max(0, until - time.monotonic()))


def turns(period):
    at = time.monotonic()
    while True:
        works(at + PART * period)
        at += period
        waits(at)


print("READY", flush=True)
turns(1 / float(sys.argv[1]))
