#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The interval of a share holds the truth, also where a program keeps step with the clock: against ticks of a
whole number of Hz, a program at a third of that is only ever seen in three of its moments."""

import re

import lib

RATE = 99
SECONDS = 5
PART = 20.0  # percent: works() of in_step.py
SHARE = r" *([\d.]+)  ([\d.]+)\.\.([\d.]+)"
ROW = re.compile(SHARE + r"(?: +[\d.]+){3}" + SHARE + r" +(\S+) \(")  # RUN, WAIT and GIL are between SELF and TOTAL


def shares(path):
    """{function: (share, low, high)} of what is in it or below it."""
    status, out, err = lib.usage("report", path, "--limit", 0)
    if status:
        raise RuntimeError(f"report: {err}")
    rows = (ROW.match(line) for line in out.splitlines())
    return {m[7].rpartition(".")[2]: tuple(map(float, m.group(4, 5, 6))) for m in rows if m}


def check(t, name, hz, mode):
    with lib.scratch() as where, lib.Target(lib.system(), "in_step.py", hz) as target:
        path = f"{where}/x.krait"
        status, _, err = lib.usage("record", "-m", mode, "-F", RATE, "-d", SECONDS, "-p", target.pid, "-o", path)
        t.ok(status == 0, f"{name}: recorded", err)
        said = shares(path)
        share, low, high = said["works"]
        t.note(f"{name}: {share} %, {low} to {high}")
        t.bound(low <= PART <= high, f"{name}: its interval holds {PART:.0f} %", said)
        t.bound(abs(share - PART) < 7, f"{name}: its share", said)


def main():
    lib.need_krait()
    t = lib.Tap()
    for hz in (RATE, RATE / 3):
        name = f"wall, in step at {hz:.0f} Hz"
        t.trial(name, check, t, name, hz, "wall")
    t.done()


main()
