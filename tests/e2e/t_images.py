#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""Memory images of interpreters (tests/images): for each interpreter, a fresh image is recorded,
and the walker must find in it the stacks that the interpreter itself reported. The committed images
are checked, too. No image may contain a path of the machine where it was recorded."""

import os
import sys

import interpreters
import lib

sys.path.insert(0, os.path.join(lib.TESTS, "images"))
import record  # noqa: E402

LARGEST = 44000  # bytes; images are committed, so they must be small


def check_fresh(t, interpreter, name, where):
    path = os.path.join(where, record.name_of(interpreter))
    record.record(interpreter, path)
    good, why = record.check(path)
    t.ok(good, f"{name}: the stacks are those that the interpreter reported", why)
    size = os.path.getsize(path)
    t.ok(size <= LARGEST, f"{name} is small", f"{size} bytes")
    t.ok(not record.forbidden(path, interpreter), f"{name} contains no path of this machine",
         record.forbidden(path, interpreter))


def spoil(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    return old in text


def check_difference(t, interpreter, where):
    """The comparison detects changed images."""
    path = os.path.join(where, "spoiled.image")
    for old, new in (("\tstop\t", "\tstep\t"), ("imaged.py", "other.py"),
                     (" 2\tf\u00f6hn", " 3\tf\u00f6hn"),
                     ("thread main", "thread main 0x1000\nthread other")):
        record.record(interpreter, path)
        spoilt = spoil(path, old, new)
        good, why = record.check(path)
        t.ok(spoilt and not good and why, f"{old!r} replaced by {new!r} is detected", why)


def check_committed(t):
    names = sorted(x for x in os.listdir(record.HERE) if x.endswith(".image"))
    have = {tuple(map(int, x.split("-")[0].split(".")[:2])) for x in names}
    t.ok(have >= {(3, m) for m in interpreters.MINORS}, "an image of each minor version", names)
    for name in names:
        good, why = record.check(os.path.join(record.HERE, name))
        t.ok(good, name, why)


def main():
    t = lib.Tap()
    with t.guard("committed images"):
        check_committed(t)
    with lib.scratch() as where:
        for i, name in t.each_interpreter("image"):
            with t.guard(name):
                check_fresh(t, i, name, where)
        with t.guard("differences"):
            check_difference(t, interpreters.all()[-1], where)
    t.done()


if __name__ == "__main__":
    main()
