#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Code objects whose memory is not resident when first sampled: on kernels with task work (6.18)
the sampled thread itself reads them, because the process may have ended before krait gets to it.
The program must behave as usual, even if it is killed, gets a signal or calls exec at that
moment."""

import contextlib
import glob
import os
import re

import lib

NUMBER = 200 if lib.TRUTH else 40
RATE = 1999  # Hz: ten samples of a child that lives for 5 ms
# Fraction of children whose function may have no name: a thread sampled while it dies, or while the
# kernel sets up a signal frame, has left the code when it could read it.
MAY_BE_LOST = {"plain": 0, "signals": 0.1, "exec": 0, "killed": 0.1}


def need_task_work():
    with open("/proc/kallsyms") as f:
        if " bpf_task_work_schedule_resume" not in f.read():
            raise lib.Skip("this kernel cannot schedule task work from a sample (before 6.18)")


def numbers(words, what):
    m = re.search(what, words)
    return [int(x) for x in m.groups()] if m else None


def children(t, name, interpreter, kind):
    need_task_work()
    with lib.Target(interpreter, "away.py", interpreter.argv[-1]) as target:
        with lib.Krait("-F", RATE, "-p", target.pid, "-s", "-v") as k:
            target.tell(f"{kind} {NUMBER}")
            done = target.out.wait_for(f"DONE {kind} {NUMBER}")
            alone = is_alone()
            stacks = [s for s in k.finish() if lib.pid_of(s) != target.pid]
        words = k.err.text()
    far = [s for s in stacks if "far_away" in lib.names(s)]
    t.ok(done.split()[-1] == str(NUMBER), f"{name}: every child ended as expected", done)
    lost = [s for s in stacks if "[unresolved]" in lib.names(s)]
    check_names = t.bound if MAY_BE_LOST[kind] else t.ok
    check_names(len({lib.pid_of(s) for s in lost}) <= MAY_BE_LOST[kind] * NUMBER,
                f"{name}: functions have their name", lib.worst(lost))
    seen = len({lib.pid_of(s) for s in far})
    t.bound(seen >= (1 if kind == "killed" else 0.9 * NUMBER), f"{name}: children were sampled",
            f"{seen} of {NUMBER}\n{words}")
    odd = [f for s in far for f in s.frames
           if f.name == "far_away" and not (f.file == "nowhere/far.py" and f.line)]
    t.ok(not odd, f"{name}: with file and line", odd[:5])
    books_are_right(t, name, seen, words, alone)


def samples_all(argv):
    return os.path.basename(argv[0]) == "krait" and "record" in argv and \
        not any(x.startswith(("-p", "--pid")) for x in argv)


def is_alone():
    """Does no other krait sample the whole host? It would have the same children read their memory."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            with open(path, encoding="utf-8", errors="replace") as f:
                if samples_all(f.read().split("\0")):
                    return False
    return True


def books_are_right(t, name, seen, words, alone):
    asked = numbers(words, r"read by the thread itself: (\d+) code objects \((\d+) complete, "
                           r"(\d+) incomplete; (\d+) refused\)")
    rest = numbers(words, r"(\d+) incomplete: (\d+) completed later, (\d+) unresolved")
    t.ok(asked and rest and asked[1] + asked[2] <= asked[0] and not asked[3],
         f"{name}: the summary's counts are consistent", words)
    t.bound(asked[0] >= (0.9 if alone else 0.1) * seen, f"{name}: threads were asked to read", words)
    t.bound(asked[1] >= 0.9 * asked[0], f"{name}: their reads were complete", asked)
    t.bound(rest[1] >= 0.9 * rest[0], f"{name}: completed code objects are counted", rest)
    t.note(f"{name}: {asked}, {rest}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("away"):
        kinds = ("plain", "signals", "exec", "killed")
        for kind in kinds if i.minor in ((3, 6), (3, 11), (3, 13)) or lib.TRUTH else kinds[:1]:
            t.trial(f"{name} {kind}", children, t, f"{name} {kind}", i, kind)
    t.done()


main()
