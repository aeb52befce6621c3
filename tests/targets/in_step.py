# SPDX-License-Identifier: BSD-2-Clause
"""In step with a clock: of each turn works() has a fifth, and waits() the rest.

in_step.py HZ: turns in a second. Ends of parts are times of the clock, so none of them depends on how busy the
machine is, but by what is late once."""

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
