#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A FUSE file system that does not answer blocks every reader of its files and mapped memory, and a
process with a blocked thread cannot be killed. krait must still end in time, record other processes
with their names, and report which processes are affected. In wall-clock mode, a thread waiting in
such memory is left out and named, its time is counted as lost, and it is sampled again once the
file system answers. krait reports it if there are more such processes than it has visitor
processes."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
import time

import lib
import walls
from walls import check_states, check_sum, ticks_of

VISITORS = 4
SECONDS = 2
SOON = 1  # seconds beyond the duration that krait may take to end
LEFT_OUT = r"left out: off-CPU threads of process (\d+): its memory did not answer .*\(thread (\d+);"


class Stalling(lib.Process):
    """A file system that can be told to stall; see stall.c."""

    def __init__(self, where, content=None):
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise lib.Skip("/dev/fuse is not there, or may not be opened")
        self.backing, self.mount = os.path.join(where, "backing"), os.path.join(where, "mount")
        self.file = os.path.join(self.mount, "file")
        os.mkdir(self.mount)
        if content:
            shutil.copyfile(content, self.backing)
        else:
            with open(self.backing, "wb") as f:
                f.truncate(4096)
        super().__init__([lib.tool("stall"), self.backing, self.mount])
        try:
            self.out.wait_for("READY")
        except RuntimeError as e:
            self.__exit__()
            raise lib.Skip(f"no file system of type fuse can be mounted: {self.err.lines[-1:] or e}") from None

    def stall(self):
        self.tell("stall")
        self.out.wait_for("STALLING")

    def serve(self):
        self.tell("serve")
        self.out.wait_for("SERVING")

    def __exit__(self, *_):
        super().__exit__()  # blocked accesses then fail, and their threads continue
        subprocess.run(["umount", "-l", self.mount], stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def stalling(*more):
    with lib.scratch() as where, Stalling(where) as fs:
        with lib.Target(lib.system(), "stalled.py", fs.backing, fs.file, *more) as target:
            fs.stall()
            yield fs, target, int(target.ready.split()[0])


def krait(out, pids, *args):
    return walls.krait("-p", ",".join(map(str, pids)), "-o", out, *args)


def read(path):
    with open(path) as f:
        return lib.parse(f.read())


def lost(said):
    m = re.search(r"lost (\d+) samples?: of off-CPU threads whose memory does not answer", said)
    return int(m[1]) if m else 0


def check_goes_on(t, name):
    """The file system does not answer until krait has written its output."""
    with stalling() as (fs, target, tid), lib.Target(lib.system(), "waits.py", "sleeps") as beside, \
            lib.scratch() as where:
        out = os.path.join(where, "out.folded")
        with krait(out, (target.pid, beside.pid), "-d", "4s") as k:
            fs.out.wait_for("STALLED")
            k.err.wait_for("krait: wrote")
            stacks, said = read(out), "\n".join(k.err.lines)
            status = k.wait()
            fs.serve()
    ticks = ticks_of(said)
    t.ok(status == 0, f"{name}: its status", status)
    others = lib.of(stacks, beside.pid)
    check_sum(t, f"{name}, another process", others, ticks)
    check_states(t, f"{name}, another process", others, walls.SLEEP)
    check_sum(t, f"{name}, main thread", lib.of(stacks, target.pid), ticks)
    t.ok(not lib.of(stacks, tid), f"{name}: the blocked thread is left out",
         lib.worst(lib.of(stacks, tid)))
    m = re.search(LEFT_OUT, said)
    t.ok(m and int(m[1]) == target.pid and int(m[2]) == tid, f"{name}: it is named", said)
    t.bound(0.97 * ticks <= lost(said) <= 2.03 * ticks, f"{name}: its time is counted as lost",
            said)


def check_comes_back(t, name):
    with stalling() as (fs, target, tid), lib.scratch() as where:
        out = os.path.join(where, "out.folded")
        with krait(out, (target.pid,)) as k:
            fs.out.wait_for("STALLED")
            walls.pass_by(2.5)
            fs.serve()
            walls.pass_by(2.5)
            k.signal(2)
            status = k.wait()
            said = k.err.text()
        stacks = read(out)
    ticks, mine = ticks_of(said), lib.of(stacks, tid)
    t.ok(status == 0 and re.search(LEFT_OUT, said), f"{name}: it was left out", f"{status}\n{said}")
    other = lib.of(stacks, int(target.ready.split()[1]))
    for which, part in (("it", mine), ("the other thread", other)):
        t.bound(0.4 * ticks <= lib.total(part) <= 0.75 * ticks,
                f"{name}: then {which} is sampled again",
                f"{lib.total(part)} of {ticks}\n{lib.worst(stacks)}\n{said}")
        check_states(t, f"{name}, {which}", part, walls.SLEEP)
    got = lib.total(mine) + lib.total(other) + lost(said)
    t.bound(abs(got - 2 * ticks) <= 0.02 * ticks + 6, f"{name}: shown plus lost are all ticks",
            f"{got} of {2 * ticks}\n{said}")


def check_too_many(t, name):
    """With all visitor processes blocked, krait reads no off-CPU stacks, reports this, and ends."""
    with contextlib.ExitStack() as on:
        all = [on.enter_context(stalling()) for _ in range(VISITORS)]
        where = on.enter_context(lib.scratch())
        out = os.path.join(where, "out.folded")
        k = on.enter_context(krait(out, [target.pid for _, target, _ in all], "-d", f"{2 * VISITORS}s"))
        k.err.wait_for("krait: wrote")
        said = "\n".join(k.err.lines)
        t.ok(k.wait() == 0, f"{name}: its status", said)
        for fs, _, _ in all:
            fs.serve()
    t.bound(len(re.findall(LEFT_OUT, said)) == VISITORS - 1,
            f"{name}: all but the last are left out", said)
    t.ok("off-CPU samples are incomplete" in said, f"{name}: it is reported", said)


def check_computes_on(t, name):
    """A computing thread never touches the page itself, and krait must not make it do so."""
    with stalling("computes") as (fs, target, tid):
        with lib.Krait("-p", target.pid, "-F", walls.RATE) as k:
            fs.out.wait_for("STALLED")  # by krait's own read, at the latest
            start = lib.cpu_seconds(target.pid, tid)
            try:
                lib.until(lambda: lib.cpu_seconds(target.pid, tid) - start > 0.3, "it goes on", 15)
                why = ""
            except RuntimeError as e:
                why = e
            t.ok(not why, f"{name}: the target keeps computing", why)
            fs.serve()
            stacks = k.finish()
    t.bound(lib.share(stacks, lambda s: "begin" in lib.names(s)) > 0.5, f"{name}: and is sampled", lib.worst(stacks))


# --- memory and files that krait itself reads -----------------------------------------------------

@contextlib.contextmanager
def name_away():
    """The name of a computing thread's function is in memory that does not answer."""
    with stalling("computes") as (fs, target, _):
        yield fs, target, r"unresolved: 1 function of process %d \(python\S*\): its memory"


@contextlib.contextmanager
def executable_away():
    """The executable's file system does not answer, so that opening it blocks. The process runs on,
    as its code is in memory."""
    with lib.scratch() as where, Stalling(where, os.path.realpath(lib.system().argv[0])) as fs:
        with lib.Target(lib.As(fs.file), "waits.py", "computes") as target:
            fs.stall()
            yield fs, target, r"not recorded: process %d \(file\): its memory or files"


class Reader(threading.Thread):
    """Reads a process's memory, and holds the lock of its mappings (mmap_lock) meanwhile."""

    def __init__(self, pid, address):
        super().__init__(daemon=True)
        self.memory, self.address = open(f"/proc/{pid}/mem", "rb", 0), address
        self.start()

    def run(self):
        os.pread(self.memory.fileno(), 1, self.address)


@contextlib.contextmanager
def mappings_away():
    """A reader of the page holds the process's mmap_lock. A thread that maps memory waits for the
    lock as a writer, and all later readers of any memory of the process wait behind it."""
    with stalling("computes") as (fs, target, tid):
        Reader(target.pid, int(target.ready.split()[2]))
        fs.out.wait_for("STALLED")
        target.tell("map")
        lib.until(lambda: lib.state(target.pid) == "D", "the writer waits")
        yield fs, target, r"not recorded: process %d \(python\S*\): its memory or files"


def timed(*args):
    """(status, seconds until krait exited, stacks, standard error) of a recording."""
    with lib.scratch() as where:
        out = os.path.join(where, "out.folded")
        with walls.krait("-d", f"{SECONDS}s", "-o", out, *args[1:], mode=args[0]) as k:
            start = time.monotonic()
            status = k.wait()
            return status, time.monotonic() - start, read(out), k.err.text()


def check_read(t, name, away, mode):
    with away() as (fs, target, words), lib.Target(lib.system(), "waits.py", "computes") as beside:
        status, seconds, stacks, said = timed(mode, "-p", f"{target.pid},{beside.pid}")
        fs.serve()
    t.ok(status == 0, f"{name}: its status", said)
    t.bound(seconds < SECONDS + SOON, f"{name}: krait ends in time", f"{seconds:.2f} s")
    others = lib.of(stacks, beside.pid)
    t.ok(lib.share(others, lambda s: "computes" in lib.names(s)) > 0.97,
         f"{name}: the other process's stacks are complete", lib.worst(others))
    if words:
        t.ok(re.search(words % target.pid + r" .*do(es)? not answer \(fuse at " + re.escape(fs.mount), said),
             f"{name}: the affected process is reported", said)


def check_list(t, name, away):
    with away() as (fs, target, _), lib.Target(lib.system(), "waits.py", "sleeps") as beside:
        status, out, said = lib.usage("list", "-p", f"{target.pid},{beside.pid}")
        fs.serve()
    rows = {int(line.split()[0]): line for line in out.splitlines()[1:]}
    t.ok(status == 0 and re.search(r"\d+\.\d+\.\d+ .* yes ", rows.get(beside.pid, "")),
         f"{name}: the other process is supported", out + said)
    t.ok("not answer (fuse at " in rows.get(target.pid, ""),
         f"{name}: the affected process is listed with the reason", out + said)


def main():
    lib.need_krait()
    t = lib.Tap()
    for check, name in ((check_goes_on, "it never answers"), (check_comes_back, "it answers at last"),
                        (check_too_many, "too many"), (check_computes_on, "on a CPU")):
        t.trial(name, check, t, name)
    for away, name in ((name_away, "a name"), (executable_away, "an executable"), (mappings_away, "mappings")):
        for mode in ("cpu", "wall"):
            t.trial(f"{name}, {mode}", check_read, t, f"{name}, {mode}", away, mode)
        if away is not name_away:
            with t.guard(f"{name}, list"):
                check_list(t, f"{name}, list", away)
    t.done()


main()
