#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The confidence interval of a share contains the true share, even if the program runs in lockstep
with the sampling clock: a program with a period of three ticks would only ever be sampled at three
points of it if ticks came at exact intervals."""

import re

import lib

RATE = 99
SECONDS = 5
PART = 20.0  # percent of the time that in_step.py spends in works()
SHARE = r" *([\d.]+)  ([\d.]+)\.\.([\d.]+)"
ROW = re.compile(SHARE + r"(?: +[\d.]+){3}" + SHARE + r" +(\S+) \(")  # RUN, WAIT and GIL are between SELF and TOTAL


def shares(path):
    """{function: (share, low, high)} of total time."""
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
        t.bound(low <= PART <= high, f"{name}: the interval contains {PART:.0f} %", said)
        t.bound(abs(share - PART) < 7, f"{name}: the share", said)


def main():
    lib.need_krait()
    t = lib.Tap()
    for hz in (RATE, RATE / 3):
        name = f"wall, in step at {hz:.0f} Hz"
        t.trial(name, check, t, name, hz, "wall")
    t.done()


main()
