#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Targets that are against being sampled.

One's own C thread rewrites its interpreter's structures, thousands of times a second, while it is
sampled at 5 kHz. Neither kernel nor krait may mind: no warning, no crash, no hang, bounded memory, every
sample accounted for; and what stands still again is shown as before. Another one has ever new functions
with a line table as large as they come."""

import os
import re
import time

import lib

TIMES = 10000 if lib.TRUTH else 1000
SAID = 500  # times, after which a target says so
RATE = 5000
LAYOUTS = ((3, 6), (3, 10), (3, 12), (3, 13))  # and the system's: one of each kind
GROWTH = 32 << 10  # KiB that krait may come to hold beyond what it started with
TABLES = 320 << 10  # and for all line tables
ENDING = 20  # seconds from the signal to the end
DEEPEST = 4096 + 8
NAME = 4096  # letters
SERIOUS = re.compile(r"\bWARNING\b|\bBUG\b|Oops|Call Trace|general protection|lockup|rcu.*stall|"
                     r"divide error")


class KernelLog:
    """What the kernel says from now on."""

    def __init__(self):
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self.fd, 0, os.SEEK_END)
        except OSError as e:
            raise lib.Skip(f"no kernel log: {e}") from None

    def serious(self):
        found = []
        while True:
            try:
                line = os.read(self.fd, 8192).decode("utf-8", "replace")
            except BlockingIOError:
                return found
            except BrokenPipeError:  # overwritten meanwhile: the next read goes on behind it
                continue
            if SERIOUS.search(line):
                found.append(line.strip())


def forget_high_water(pid):
    """What was needed only to load the programs does not count."""
    with open(f"/proc/{pid}/clear_refs", "w") as f:
        f.write("5")


def high_water(pid):
    """The largest resident set of a process since then, KiB."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


def await_done(target):
    """What it said at the end. Its two threads and krait share the CPUs with all else, and wait for
    each other: that it goes on is what is waited for, 10,000 times may take minutes."""
    for n in range(TIMES // SAID):
        target.out.wait_for("MUTATED", nth=n + 1)
    return target.out.wait_for("DONE")


def mutated(interpreter):
    """(stacks, what krait said, what the target said, KiB that krait grew by, seconds that its end
    took, CPU seconds of the target)."""
    library = lib.stage(interpreter, lib.helper())
    with lib.Target(interpreter, "mutant.py", library, TIMES) as target:
        with lib.Krait("-v", "-F", RATE, "-p", target.pid) as k:
            forget_high_water(k.pid)
            start = high_water(k.pid)
            target.tell("go")
            done = await_done(target)
            lib.compute(0.3, target.pid)
            grown = high_water(k.pid) - start
            spent = lib.cpu_seconds(target.pid)
            before = time.monotonic()
            stacks = k.finish()
            return stacks, k.err.text(), done, grown, time.monotonic() - before, spent


def booked(said):
    """(ticks due, shown, sum of the account, malformed records) of krait -v."""
    m = re.search(r"ticks: (\d+) due .* (\d+) shown .*\(sum (\d+)\)", said)
    malformed = re.search(r"malformed records: (\d+)", said)
    if not m or not malformed:
        raise RuntimeError(f"no account in: {said[-800:]}")
    return (*map(int, m.groups()), int(malformed[1]))


def accounted(t, name, stacks, said, spent):
    due, shown, total, malformed = booked(said)
    t.ok(abs(total - due) <= 2 + due // 1000, f"{name}: every tick has its fate", f"{total} of {due}")
    t.ok(lib.total(stacks) == shown, f"{name}: what counts as shown is shown",
         f"{lib.total(stacks)} of {shown}")
    lost = sum(int(n) for n in re.findall(r"^  lost (\d+)", said, re.M))
    t.bound(lib.total(stacks) + lost >= 0.9 * RATE * spent, f"{name}: no sample is missing",
            f"{lib.total(stacks)} + {lost} lost, of {spent:.2f} s of CPU time")
    t.ok(malformed == 0, f"{name}: the kernel's records are well-formed", malformed)


def bounded(t, name, stacks):
    deep = max(len(s.frames) for s in stacks)
    long = max(len(f.name) for s in stacks for f in s.frames)
    t.ok(deep <= DEEPEST and long <= NAME, f"{name}: bounded", f"{deep} frames, {long} letters")


def check(t, name, interpreter):
    stacks, said, done, grown, ending, spent = mutated(interpreter)
    t.note(f"{name}: {done}, grown by {grown} KiB, {lib.total(stacks)} samples")
    accounted(t, name, stacks, said, spent)
    bounded(t, name, stacks)
    t.ok(grown < GROWTH, f"{name}: memory is bounded", f"{grown} KiB more")
    t.bound(ending < ENDING, f"{name}: it ends soon", f"{ending:.1f} s")
    broken = [s for s in stacks if any(f.file is None for f in s.frames)]
    t.bound(lib.total(broken) > TIMES // 50, f"{name}: samples met what was broken",
            lib.total(broken))
    calm = [s for s in stacks if lib.names(s)[-1] == "calm"]
    right = lib.share(calm, lambda s: lib.names(s) == ["<module>", "main", "calm"])
    t.bound(lib.total(calm) > 0.2 * RATE and right > 0.99, f"{name}: whole again afterwards",
            f"{right:.3f} of {lib.total(calm)}\n{lib.worst(calm)}")


def greedy(t, name):
    with lib.Target(lib.system(), "greedy.py") as target:
        with lib.Krait("-F", 999, "-p", target.pid) as k:
            lib.compute(1, target.pid)
            held = high_water(k.pid)
            stacks, said = k.finish(), k.err.text()
    t.ok(held < TABLES, f"{name}: memory is bounded", f"{held} KiB")
    t.ok("unresolved: " in said, f"{name}: what is missing is said", said[-500:])
    seen = {lib.names(s)[-1] for s in stacks}
    t.bound(len(seen) > 60, f"{name}: its functions have their names", f"{sorted(seen)[:5]}")


def main():
    lib.need_krait()
    t = lib.Tap()
    log = None
    with t.guard("the kernel's log"):
        log = KernelLog()
    for i, name in t.each_interpreter("hostile", here=True):
        if i.root and i.minor < (3, 10):
            t.skip(name, "its libc is older than the one that the helper is built with")
            continue
        if not (lib.TRUTH or i == lib.system() or (i.minor in LAYOUTS and not i.root) or i.threaded):
            t.skip(name, "one interpreter for each layout; TRUTH=1 takes all")
            continue
        t.trial(name, check, t, name, i)
    t.trial("large line tables", greedy, t, "large line tables")
    if log:
        serious = log.serious()
        t.ok(not serious, "the kernel does not mind", "\n".join(serious[:20]))
    t.done()


main()
