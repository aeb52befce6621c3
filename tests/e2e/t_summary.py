#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The summary explains why there are no samples and names processes that could not be recorded, but
only processes that the filters select."""

import glob
import os
import subprocess
import sys

import lib

SLEEPER = "import sys, time; sys.stdout.write('\\n'); sys.stdout.flush()\nwhile True: time.sleep(100)"


def started(argv):
    """Starts an interpreter, and returns when it sleeps."""
    child = subprocess.Popen([*argv, "-c", SLEEPER], stdout=subprocess.PIPE)
    child.stdout.readline()
    return child


def summary(*args, wanted=0):
    status, _, said = lib.usage("record", "-o", "/dev/null", *args)
    if status != wanted:
        raise RuntimeError(f"status {status}: {said}")
    return said


def check_idle(t):
    child = started([sys.executable])
    try:
        said = summary("-d", "1s", "-p", child.pid)
        t.ok("1 Python process found, using 0.0" in said and "-m wall" in said,
             "an idle process: why there are no samples", said)
        said = summary("-d", "1s", "-m", "wall", "-p", child.pid)
        t.ok("-m wall" not in said and " 0 samples" not in said, "wall-clock mode has samples", said)
    finally:
        child.kill()
        child.communicate()
    said = summary("--", sys.executable, "-c", "for i in range(9000000): pass")
    t.ok("no samples" not in said and " 0 samples" not in said, "a busy process has samples", said)


def unsupported():
    found = glob.glob(os.path.expanduser("~/.pyenv/versions/2.7*/bin/python2.7"))
    if not found:
        raise lib.Skip("no Python 2.7")
    return found[0]


def check_others(t):
    other = started([unsupported()])
    mine = started([sys.executable])
    named = f"pid {other.pid}"
    try:
        for name, args in (("-p", ("-p", mine.pid)), ("-t", ("-t", mine.pid)),
                           ("--comm", ("--comm", "no-such-name")), ("--uid", ("--uid", "65533"))):
            said = summary("-d", "300ms", *args)
            t.ok(named not in said, f"{name}: another process is not named", said)
        said = summary("--", sys.executable, "-c", "pass")
        t.ok(named not in said, "CMD: another process is not named", said)
        for name, args, status in (("no filter", (), 0), ("-p", ("-p", other.pid), 1),
                                   ("--comm", ("--comm", "python2.7"), 0)):
            said = summary("-d", "300ms", *args, wanted=status)
            t.ok("2.7 is not supported" in said,
                 f"{name}: a selected process is named", said)
    finally:
        for child in (other, mine):
            child.kill()
            child.communicate()


def main():
    lib.need_krait()
    t = lib.Tap()
    with t.guard("idle"):
        check_idle(t)
    with t.guard("others"):
        check_others(t)
    t.done()


main()
