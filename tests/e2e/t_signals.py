#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""How a recording ends and what it writes: by duration, SIGINT, SIGTERM and SIGHUP; snapshots by
SIGUSR1; a second signal while krait writes."""

import os
import signal
import subprocess
import time

import lib


def good(stacks, pid, least=50):
    mine = lib.of(stacks, pid)
    return lib.total(mine) >= least and all("work" in lib.names(s) for s in mine)


def check_ends(t, target):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with t.guard(number.name), lib.Krait("-F", 499, "-p", target.pid) as k:
            lib.compute(0.5, target.pid)
            t.ok(good(k.finish(number), target.pid), f"{number.name} ends it and writes")
    t.trial("duration", check_duration, t, target)


def check_duration(t, target):
    start = time.monotonic()
    stacks = lib.record("1s", "-F", 499, "-p", target.pid)
    took = time.monotonic() - start
    t.ok(took >= 1 and good(stacks, target.pid, 0), "--duration ends it and writes", took)
    t.bound(took < 6 and good(stacks, target.pid), "--duration ends it soon", took)


def check_file(t, target, where):
    path = f"{where}/out.folded"
    with lib.Krait("-F", 499, "-p", target.pid, "-o", path) as k:
        counts = []
        for _ in range(2):
            before = os.stat(path).st_ino if os.path.exists(path) else None
            lib.compute(0.4, target.pid)
            k.signal(signal.SIGUSR1)
            lib.until(lambda b=before: os.path.exists(path) and os.stat(path).st_ino != b,
                      "a snapshot is written to a new file")
            with open(path) as f:
                counts.append(lib.total(lib.parse(f.read())))
        t.ok(0 < counts[0] < counts[1], "SIGUSR1 replaces the file, and counts grow", counts)
        lib.compute(0.2, target.pid)
        status = (k.signal(signal.SIGINT), k.wait())[1]
    with open(path) as f:
        stacks = lib.parse(f.read())
    t.ok(status == 0 and good(stacks, target.pid) and lib.total(stacks) > counts[1],
         "the last file has everything", f"{status} {counts} {lib.total(stacks)}")
    t.ok(os.listdir(where) == ["out.folded"], "no other file is left", os.listdir(where))


OPENAT = {"x86_64": "257", "aarch64": "56"}[os.uname().machine]


def writing(k):
    """Waits until krait blocks in open(), because its output is a FIFO without a reader."""
    def opens():
        with open(f"/proc/{k.pid}/syscall") as f:
            return f.read().split()[0] == OPENAT
    lib.until(opens, "krait opens its output")


def read_fifo(path, pid):
    with open(path) as f:
        return lib.of(lib.parse(f.read()), pid)


def check_second(t, target, where):
    """The output is a FIFO without a reader, so krait cannot end by itself."""
    fifo = f"{where}/fifo"
    os.mkfifo(fifo)
    mine = ("-F", 499, "-p", target.pid, "-o", fifo)
    for first, second in ((signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT),
                          (signal.SIGINT, signal.SIGTERM), (signal.SIGHUP, signal.SIGTERM)):
        name = f"{second.name} after {first.name}"
        with t.guard(name), lib.Krait(*mine) as k:
            k.signal(first)
            writing(k)
            k.signal(second)
            t.ok(k.wait() == -second, f"{name} ends krait at once", k.child.returncode)
    with t.guard("at the end"), lib.Krait(*mine, "-d", "300ms") as k:
        writing(k)
        k.signal(signal.SIGINT)
        t.ok(k.wait() == -signal.SIGINT, "SIGINT after the duration ends krait at once",
             k.child.returncode)
    with t.guard("SIGUSR1"), lib.Krait(*mine) as k:
        lib.compute(0.3, target.pid)
        k.signal(signal.SIGINT)
        writing(k)
        k.signal(signal.SIGUSR1)
        stacks = read_fifo(fifo, target.pid)
        t.ok(k.wait() == 0 and good(stacks, target.pid), "SIGUSR1 after SIGINT does no harm",
             f"{k.child.returncode} {lib.worst(stacks)}")
    with t.guard("snapshot"), lib.Krait(*mine) as k:
        lib.compute(0.3, target.pid)
        k.signal(signal.SIGUSR1)
        said = k.err.wait_for("krait: snapshot: ", 10)
        k.signal(signal.SIGINT)
        stacks = read_fifo(fifo, target.pid)
        t.ok(fifo in said and k.wait() == 0 and good(stacks, target.pid),
             "a snapshot does not wait for a reader", f"{said} {lib.worst(stacks)}")
    os.unlink(fifo)
    t.ok(not os.listdir(where), "no other file is left", os.listdir(where))


def check_both(t, target, where):
    """With two signals at once, krait ends at once and leaves no incomplete file."""
    path = f"{where}/both.folded"
    with lib.Krait("-F", 499, "-p", target.pid, "-o", path) as k:
        lib.compute(0.3, target.pid)
        k.signal(signal.SIGSTOP)
        lib.until(lambda: lib.state(k.pid) == "T", "krait stops")
        k.signal(signal.SIGINT)
        k.signal(signal.SIGTERM)
        k.signal(signal.SIGCONT)
        t.ok(k.wait() in (-signal.SIGINT, -signal.SIGTERM), "two signals at once end krait at once",
             k.child.returncode)
    t.ok(not os.listdir(where), "and leave no file", os.listdir(where))


def check_stdout(t, target):
    with lib.Krait("-F", 499, "-p", target.pid) as k:
        lib.compute(0.4, target.pid)
        k.signal(signal.SIGUSR1)
        lib.until(lambda: k.out.lines, "a snapshot on standard output")
        t.ok(k.child.poll() is None, "the recording continues after SIGUSR1")
        first = lib.total(lib.parse("\n".join(list(k.out.lines))))
        lib.compute(0.4, target.pid)
        stacks = k.finish()
        t.ok(good(stacks, target.pid) and lib.total(stacks) > 2 * first,
             "standard output has the snapshot and the rest", f"{first} {lib.total(stacks)}")


def check_quiet(t, target):
    with lib.Krait("-F", 499, "-d", "500ms", "-q", "-p", target.pid, wait=False) as k:
        stacks = k.result()
        t.ok(stacks and not k.err.text(), "--quiet prints no message", k.err.text())
    with lib.Krait("-F", 499, "-d", "500ms", "-p", target.pid) as k:
        k.result()
        t.ok("\r" not in k.err.text(), "no progress line without a terminal", k.err.text())


def check_reader_gone(t, target):
    """`krait record | head -0` ends instead of hanging."""
    k = subprocess.Popen([lib.KRAIT, "record", "-d", "1", "-p", str(target.pid)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    k.stdout.close()
    k.stderr.read()
    status = k.wait(lib.PATIENCE)
    t.ok(status in (1, -signal.SIGPIPE), "krait ends if its reader has gone", status)


def main():
    lib.need_krait()
    t = lib.Tap()
    with lib.Target(lib.system(), "named.py", "work") as target, lib.scratch() as where:
        check_ends(t, target)
        for part, *args in ((check_second, where), (check_both, where), (check_file, where),
                            (check_stdout,), (check_quiet,), (check_reader_gone,)):
            with t.guard(part.__name__):
                part(t, target, *args)
    t.done()


main()
