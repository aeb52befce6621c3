#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Wall-clock mode for threads that are made to wait from outside (cgroup freezer, SIGSTOP, CPU
quota), for asyncio loops, for thousands of threads, and across fork and exec. Each thread has as
many samples as there were ticks, with its own stack and state."""

import os
import signal

import containers
import interpreters
import lib
from walls import (RATE, SLEEP, WAITS_FOR_CPU, check_states, check_sum, krait, pass_by, record, share_of,
                   split, ticks_of)

THREADS = 2000
QUOTA = 0.2  # CPUs
STOPPED, THROTTLED = {"[stopped]"}, {"[throttled]"}
EPOLL = {"[sleep: epoll_wait]", "[sleep: epoll_pwait]"}
LOOP = ["<module>", "awaits", "run_until_complete", "run_forever", "_run_once"]
CHAIN = ["outer", "middle", "inner"]  # coroutines, each of which awaits the next one


def waiting(*args, **more):
    return lib.Target(more.pop("interpreter", lib.system()), "waits.py", *args, **more)


def check_stacks(t, name, mine, function, least=0.99):
    got = lib.share(mine, lambda s: split(s)[0][-1:] == [function])
    t.bound(got >= least, f"{name}: it is in {function}", f"{got:.4f}\n{lib.worst(mine)}")


# --- asyncio ------------------------------------------------------------------------------------

def coroutines(stack):
    """The coroutines in a stack."""
    return [x for x in split(stack)[0] if x in CHAIN]


def check_awaits(t, name, interpreter):
    with waiting("awaits", interpreter=interpreter) as target:
        stacks, ticks, _ = record("1s", "-p", target.pid)
    check_sum(t, name, stacks, ticks)
    check_states(t, name, stacks, EPOLL | WAITS_FOR_CPU)
    t.bound(0.25 <= share_of(stacks, EPOLL) <= 0.75, f"{name}: it waits half of the time",
            lib.worst(stacks))
    odd = [s for s in stacks if split(s)[1] in EPOLL and split(s)[0] != LOOP + ["select"]]
    t.ok(not odd, f"{name}: a waiting loop has no coroutines", lib.worst(odd))
    odd = [s for s in stacks if coroutines(s) != CHAIN[:len(coroutines(s))] or split(s)[0][:len(LOOP)] != LOOP]
    t.ok(not odd, f"{name}: coroutines are in the order of await", lib.worst(odd))
    t.bound(lib.share(stacks, lambda s: coroutines(s) == CHAIN) >= 0.2,
            f"{name}: the whole chain of coroutines", lib.worst(stacks))


# --- made to wait from outside ------------------------------------------------------------------

class Freezer(containers.Cgroup):
    """A cgroup that can be frozen, with the freezer of version 1 or 2."""

    def __init__(self, version):
        mounts = containers.hierarchies(("v2", "freezer"))
        if version not in mounts:
            raise lib.Skip(f"no freezer of cgroup {version} is mounted here")
        super().__init__(f"/krait-test-{os.getpid()}", [mounts[version]])
        words = {"v2": ("cgroup.freeze", "1", "0", "cgroup.events", "frozen 1"),
                 "freezer": ("freezer.state", "FROZEN", "THAWED", "freezer.state", "FROZEN")}
        self.file, self.on, self.off, self.says, self.word = words[version]

    def write(self, word):
        with open(os.path.join(self.places[0], self.file), "w") as f:
            f.write(word)

    def is_frozen(self):
        with open(os.path.join(self.places[0], self.says)) as f:
            return self.word in f.read()

    def freeze(self):
        self.write(self.on)
        lib.until(self.is_frozen, "it freezes")

    def thaw(self):
        self.write(self.off)


# (version, kind of thread, seconds frozen, seconds thawed, slack). The version 1 freezer does not
# wake a sleeping thread, so krait notices within a second that it is frozen or thawed. In the other
# cases the thread is switched, and krait notices at the next tick.
FREEZES = (("v2", "sleeps", 1.2, 0.6, 0.1), ("v2", "naps", 1.2, 0.6, 0.1), ("v2", "computes", 1.2, 0.6, 0.1),
           ("freezer", "sleeps", 2.2, 2.2, 1.1), ("freezer", "computes", 1.2, 0.6, 0.1))


def check_frozen(t, name, version, kind, frozen, thawed, slack):
    with Freezer(version) as group, waiting(kind) as target:
        group.take(target.pid)
        with krait("-p", target.pid) as k:
            group.freeze()
            pass_by(frozen)
            group.thaw()
            pass_by(thawed)
            stacks = k.finish()
            ticks = ticks_of(k.err.text())
    check_sum(t, name, stacks, ticks)
    check_stacks(t, name, stacks, kind, 0.97)
    got = share_of(stacks, STOPPED) * ticks / RATE
    t.bound(frozen - slack <= got <= frozen + slack, f"{name}: time stopped",
            f"{got:.3f} s of {frozen}\n{lib.worst(stacks)}")
    check_states(t, name, stacks, STOPPED | SLEEP | WAITS_FOR_CPU)


def check_signalled(t, name, kind):
    with waiting(kind) as target, krait("-p", target.pid) as k:
        target.signal(signal.SIGSTOP)
        lib.until(lambda: lib.state(target.pid) == "T", "it stops")
        pass_by(1.5)
        target.signal(signal.SIGCONT)
        pass_by(0.5)
        stacks = k.finish()
        ticks = ticks_of(k.err.text())
    check_sum(t, name, stacks, ticks)
    check_stacks(t, name, stacks, kind, 0.97)
    got = share_of(stacks, STOPPED)
    t.bound(0.6 <= got <= 0.85, f"{name}: time stopped", f"{got:.3f}\n{lib.worst(stacks)}")


class Quota(containers.Cgroup):
    """A cgroup that limits its processes to a fraction of a CPU."""

    def __init__(self, part):
        mounts = containers.hierarchies(("v2", "cpu"))
        where = next((k for k in ("cpu", "v2") if k in mounts), None)
        if not where:
            raise lib.Skip("no cgroups are mounted here")
        super().__init__(f"/krait-test-{os.getpid()}", [mounts[where]])
        values = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": str(int(part * 100000)),
                  "cpu.max": f"{int(part * 100000)} 100000"}
        there = [x for x in values if os.path.exists(os.path.join(self.places[0], x))]
        if not there:
            self.__exit__()
            raise lib.Skip("no CPU quota in this kernel, or not for this cgroup")
        for file in there:
            with open(os.path.join(self.places[0], file), "w") as f:
                f.write(values[file])

    def throttled(self):
        """Seconds throttled, by the kernel's cpu.stat."""
        with open(os.path.join(self.places[0], "cpu.stat")) as f:
            said = dict(line.split() for line in f)
        return int(said.get("throttled_time", 0)) / 1e9 + int(said.get("throttled_usec", 0)) / 1e6


def check_throttled(t, name):
    with Quota(QUOTA) as group, waiting("computes") as target:
        group.take(target.pid)
        used, throttled = lib.cpu_seconds(target.pid), group.throttled()
        stacks, ticks, _ = record("3s", "-p", target.pid)
        used, throttled = lib.cpu_seconds(target.pid) - used, group.throttled() - throttled
    check_sum(t, name, stacks, ticks)
    check_stacks(t, name, stacks, "computes")
    check_states(t, name, stacks, WAITS_FOR_CPU)
    # On a busy machine it also waits for a CPU, before its quota is used up and after a refill.
    runs, waits = share_of(stacks, {None}), share_of(stacks, THROTTLED)
    why = (f"runs {runs:.3f}, used {used:.2f} s; throttled {waits:.3f}, {throttled:.2f} s\n"
           f"{lib.worst(stacks)}")
    t.bound(abs(runs - QUOTA) <= 0.08, f"{name}: running for its quota", why)
    t.bound(abs(waits / (waits + runs) - throttled / (throttled + used)) <= 0.1,
            f"{name}: throttled time equals the kernel's", why)
    t.note(f"{name}: {why.splitlines()[0]}")


def check_vfork(t, name):
    with waiting("vforks") as target:
        lib.until(lambda: lib.state(target.pid) == "D", "it waits for its child")
        stacks, ticks, _ = record("1s", "-p", target.pid)
    check_sum(t, name, stacks, ticks)
    check_stacks(t, name, stacks, "vforks")
    check_states(t, name, stacks, {"[disk wait: clone]"})


# --- many threads, fork and exec ----------------------------------------------------------------

def check_crowd(t, name):
    with waiting("crowd", THREADS) as target:
        stacks, ticks, said = record("2s", "-p", target.pid)
        tids = lib.threads_of(target.pid)
    each = {tid: 0 for tid in tids}
    for s in stacks:
        each[lib.pid_of(s)] += s.count
    off = [(tid, n) for tid, n in each.items() if abs(n - ticks) > 0.01 * ticks + 3]
    t.bound(len(each) == THREADS + 1 and not off,
            f"{name}: each thread has as many samples as ticks",
            f"{len(each)} threads, {ticks} ticks, off: {len(off)} {off[:5]}\n{said}")
    check_states(t, name, stacks, SLEEP)
    check_stacks(t, name, stacks, "rests", 1)


def check_fork(t, name):
    with waiting("forks") as target, krait("-p", target.pid, "-s") as k:
        pass_by(0.5)
        target.tell("go")
        child = int(target.out.wait_for("CHILD").split()[1])
        pass_by(1.5)
        stacks = k.finish()
        ticks = ticks_of(k.err.text())
    parent, mine = lib.of(stacks, target.pid), lib.of(stacks, child)
    t.ok(len(parent) + len(mine) == len(stacks), f"{name}: two threads", lib.worst(stacks))
    check_sum(t, f"{name}, parent", parent, ticks)
    check_sum(t, f"{name}, child", mine, 0.77 * ticks, 0.65 * ticks)
    check_stacks(t, f"{name}, child", mine, "child_sleeps", 0.97)
    odd = [s for s in parent if split(s)[0][-1:] not in (["forks"], ["say"], ["parent_sleeps"])]
    t.ok(not odd, f"{name}: the parent has its own stacks", lib.worst(odd))
    check_states(t, f"{name}, child", mine, SLEEP | WAITS_FOR_CPU, 1)


def another():
    """An interpreter of another version that exec can start by its path."""
    here = lib.system()
    return next((i for i in interpreters.all() if not i.root and not i.embedded and len(i.argv) == 1 and
                 i.minor != here.minor and os.path.isabs(i.argv[0])), here)


def check_exec(t, name):
    with waiting("execs", another().argv[0]) as target, krait("-p", target.pid) as k:
        pass_by(0.5)
        target.tell("go")
        target.out.wait_for("READY again")
        pass_by(1.5)
        stacks = k.finish()
        said = k.err.text()
    ticks = ticks_of(said)
    before = [s for s in stacks if "execs" in lib.names(s)]
    after = [s for s in stacks if "later" in lib.names(s)]
    starting = lib.total(stacks) - lib.total(before) - lib.total(after)
    t.bound(lib.total(stacks) <= 1.01 * ticks + 3, f"{name}: no more samples than ticks",
            f"{lib.total(stacks)} of {ticks}\n{lib.worst(stacks)}")
    t.bound(0.15 * ticks <= lib.total(before) <= 0.4 * ticks, f"{name}: samples before exec",
            lib.worst(stacks))
    t.bound(0.55 * ticks <= lib.total(after) <= 0.8 * ticks, f"{name}: samples after exec",
            f"{lib.worst(stacks)}\n{said}")
    t.note(f"{name}: {another().label}: {lib.total(before)} before, {lib.total(after)} after, "
           f"{starting} in between, of {ticks} ticks")
    check_states(t, name, after, SLEEP | WAITS_FOR_CPU, 1)


def few():
    """The system's interpreter and three versions with different coroutine internals."""
    found = {i.minor: i for i in interpreters.all() if i.minor in ((3, 6), (3, 13), (3, 15)) and not i.debug}
    return [lib.system(), *found.values()]


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("asyncio"):
        if lib.TRUTH or i in few():
            t.trial(name, check_awaits, t, name, i)
    for how in FREEZES:
        name = "freezer (%s), %s" % how[:2]
        t.trial(name, check_frozen, t, name, *how)
    for kind in ("sleeps", "computes"):
        t.trial(f"SIGSTOP, {kind}", check_signalled, t, f"SIGSTOP, {kind}", kind)
    for check, name in ((check_throttled, "quota"), (check_vfork, "uninterruptible"),
                        (check_crowd, f"{THREADS} threads"), (check_fork, "fork"), (check_exec, "exec")):
        t.trial(name, check, t, name)
    t.done()


main()
