#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Decoding of line tables: for every code object of the standard library of each interpreter, the
line of each instruction must equal the interpreter's own answer (co_lines, or dis.findlinestarts
before 3.10; dump_lines.py's decoder before the first and after the last instruction).

Every 5th file, without the library's tests; with TRUTH=1 all files.
"""
import os
import struct
import subprocess

import lib

LINES = os.path.join(lib.OUTPUT, "lines")
CHECK = os.path.join(LINES, "lines_check")
DUMP = os.path.join(lib.TESTS, "lines", "dump_lines.py")
SOURCES = ("tests/lines/lines_check.c", "user/py/linetable.c")
EVERY, TESTS = ("1", "1") if lib.TRUTH else ("5", "0")
SEED = os.environ.get("SEED", "1")
RANDOM_TABLES = 500  # code objects with random tables that dump_lines.py adds
TIMEOUT_S = 3600


def build():
    os.makedirs(LINES, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Iuser",
                    *SOURCES, "-o", CHECK], cwd=lib.REPO, check=True)


def checked(stdin):
    return subprocess.run([CHECK], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT_S, **stdin)


class Result:
    """The checker's status and counts."""

    def __init__(self, done, complete=True):
        self.status, self.words = done.returncode, done.stderr.decode("utf-8", "replace")
        self.codes, self.instructions, self.differences = (int(n) for n in done.stdout.split())
        self.complete = complete

    def equal(self):
        return self.complete and self.status == 0 and self.differences == 0

    def __str__(self):
        return "%d code objects, %d instructions, %d differences" % (
            self.codes, self.instructions, self.differences)


def check_stream(stream):
    return Result(checked({"input": stream}))


def check_library(python):
    argv = [*python.argv, "-I", "-B", "-", EVERY, TESTS, SEED]
    with open(DUMP, "rb") as script:
        dump = subprocess.Popen(argv, stdin=script, stdout=subprocess.PIPE)
    with dump:
        done = checked({"stdin": dump.stdout})
    return Result(done, dump.returncode == 0)


def record(lines):
    """A code object in 3.10's format whose two instructions have line 5, with `lines` as the
    interpreter's answer."""
    table = bytes((4, 0))
    return (struct.pack("=4sIiIIIii", b"KLT1", 1, 5, len(table), len(lines), 4, 5, -1) + table +
            struct.pack("=%di" % len(lines), *lines) + b"fake")


def check_the_checker(tap):
    right = check_stream(record([5, 5]) + b"KEND")
    tap.ok(right.equal() and right.codes == 1 and right.instructions == 2,
           "the checker accepts equal lines", right.words)
    wrong = check_stream(record([5, 6]) + b"KEND")
    tap.ok(wrong.status == 1 and wrong.differences == 1, "the checker detects one wrong line",
           wrong.words)
    cut = check_stream(record([5, 5]))
    tap.ok(cut.status == 2, "the checker rejects a truncated stream", cut.words)


def main():
    tap = lib.Tap()
    build()
    check_the_checker(tap)
    for python, name in tap.each_interpreter("lines of the standard library"):
        with tap.guard(name):
            result = check_library(python)
            if result.equal() and result.codes <= RANDOM_TABLES:
                raise lib.Skip("no source of its standard library; compared random tables only")
            tap.ok(result.equal(), f"{name}: {result}", result.words)
    tap.done()


if __name__ == "__main__":
    main()
