#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hostile targets.

In one, a C thread rewrites the interpreter's structures thousands of times a second while the
process is sampled at 5 kHz. There must be no kernel warning, crash or hang; krait's memory must be
bounded and every sample accounted for; and after the rewriting ends, stacks must be complete again.
The other target keeps creating functions with huge line tables."""

import os
import re
import time

import lib

TIMES = 10000 if lib.TRUTH else 1000
SAID = 500  # rewrites between two lines of the target's output
RATE = 5000
LAYOUTS = ((3, 6), (3, 10), (3, 12), (3, 13))  # with the system's: one for each frame layout
GROWTH = 32 << 10  # KiB by which krait may grow
TABLES = 320 << 10  # KiB of krait in the test with line tables
ENDING = 20  # seconds from SIGINT to krait's end
DEEPEST = 4096 + 8
NAME = 4096  # letters
SERIOUS = re.compile(r"\bWARNING\b|\bBUG\b|Oops|Call Trace|general protection|lockup|rcu.*stall|"
                     r"divide error")


class KernelLog:
    """The kernel's messages from now on."""

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
            except BrokenPipeError:  # messages were overwritten; the next read continues after them
                continue
            if SERIOUS.search(line):
                found.append(line.strip())


def forget_high_water(pid):
    """Resets VmHWM, so that memory needed only for loading the BPF programs does not count."""
    with open(f"/proc/{pid}/clear_refs", "w") as f:
        f.write("5")


def high_water(pid):
    """The largest resident set size since forget_high_water(), in KiB."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


def await_done(target):
    """The target's last line. All rewrites may take minutes on a busy machine, so each line of
    progress has a timeout of its own."""
    for n in range(TIMES // SAID):
        target.out.wait_for("MUTATED", nth=n + 1)
    return target.out.wait_for("DONE")


def mutated(interpreter):
    """(stacks, krait's standard error, the target's last line, KiB by which krait grew, seconds
    that krait took to end, CPU seconds of the target)"""
    library = lib.stage(interpreter, lib.helper())
    with lib.Target(interpreter, "mutant.py", library, TIMES) as target:
        with lib.Krait("-v", "-F", RATE, "-p", target.pid) as k:
            forget_high_water(k.pid)
            start, used = high_water(k.pid), lib.cpu_seconds(target.pid)
            target.tell("go")
            done = await_done(target)
            lib.compute(0.3, target.pid)
            grown = high_water(k.pid) - start
            spent = lib.cpu_seconds(target.pid) - used
            before = time.monotonic()
            stacks = k.finish()
            return stacks, k.err.text(), done, grown, time.monotonic() - before, spent


def booked(said):
    """(ticks due, ticks shown, sum of all outcomes, malformed records) of `krait -v`."""
    m = re.search(r"ticks: (\d+) due .* (\d+) shown .*\(sum (\d+)\)", said)
    malformed = re.search(r"malformed records: (\d+)", said)
    if not m or not malformed:
        raise RuntimeError(f"no account in: {said[-800:]}")
    return (*map(int, m.groups()), int(malformed[1]))


def accounted(t, name, stacks, said, spent):
    due, shown, total, malformed = booked(said)
    t.ok(abs(total - due) <= 2 + due // 1000, f"{name}: every tick is accounted for",
         f"{total} of {due}")
    t.ok(lib.total(stacks) == shown, f"{name}: the output has the samples counted as shown",
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
    t.bound(ending < ENDING, f"{name}: krait ends soon after SIGINT", f"{ending:.1f} s")
    broken = [s for s in stacks if any(f.file is None for f in s.frames)]
    t.bound(lib.total(broken) > TIMES // 50, f"{name}: some samples have a marker",
            lib.total(broken))
    calm = [s for s in stacks if lib.names(s)[-1] == "calm"]
    right = lib.share(calm, lambda s: lib.names(s) == ["<module>", "main", "calm"])
    t.bound(lib.total(calm) > 0.2 * RATE and right > 0.99, f"{name}: complete stacks afterwards",
            f"{right:.3f} of {lib.total(calm)}\n{lib.worst(calm)}")


def greedy(t, name):
    with lib.Target(lib.system(), "greedy.py") as target:
        with lib.Krait("-F", 999, "-p", target.pid) as k:
            lib.compute(1, target.pid)
            held = high_water(k.pid)
            stacks, said = k.finish(), k.err.text()
    t.ok(held < TABLES, f"{name}: memory is bounded", f"{held} KiB")
    t.ok("unresolved: " in said, f"{name}: the summary counts unresolved frames", said[-500:])
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
            t.skip(name, "its libc is too old for the helper library")
            continue
        if not (lib.TRUTH or i == lib.system() or (i.minor in LAYOUTS and not i.root) or i.threaded):
            t.skip(name, "one interpreter for each frame layout; TRUTH=1 tests all")
            continue
        t.trial(name, check, t, name, i)
    t.trial("large line tables", greedy, t, "large line tables")
    if log:
        serious = log.serious()
        t.ok(not serious, "no warning in the kernel log", "\n".join(serious[:20]))
    t.done()


main()
