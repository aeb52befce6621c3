#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""While recording, krait keeps only the capabilities that recording uses. They suffice for other
users' processes that start meanwhile, and for an output file in another user's directory."""

import os
import shutil

import lib

NOBODY = 65534
NUMBERS = {"chown": 0, "dac_override": 1, "dac_read_search": 2, "kill": 5, "sys_ptrace": 19,
           "sys_admin": 21, "perfmon": 38, "bpf": 39, "checkpoint_restore": 40}
LEAST = ("bpf", "perfmon", "sys_ptrace", "dac_read_search", "checkpoint_restore")


def paranoid():
    with open("/proc/sys/kernel/perf_event_paranoid") as f:
        return int(f.read())


def of_names(names):
    return sum(1 << NUMBERS[n] for n in names)


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def allowed():
    names = set(NUMBERS) - ({"sys_admin"} if paranoid() <= 2 else set())
    return of_names(names)


def has(pid, which):
    return int(status(pid)["Cap" + which], 16)


def as_nobody(argv, *more):
    return lib.As("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *more, *argv)


def check_root(t, name, i):
    before = has("self", "Prm")
    with lib.scratch() as where:
        os.chown(where, NOBODY, NOBODY)
        os.chmod(where, 0o700)
        file = f"{where}/profile"
        with lib.Krait("-F", 499, "-o", file) as k:
            lib.until(lambda: status(k.pid)["NoNewPrivs"] == "1", "it drops")
            for which in ("Prm", "Eff"):
                t.ok(has(k.pid, which) == before & allowed(), f"{name}: Cap{which}",
                     f"{has(k.pid, which):x}, not {before & allowed():x}")
            t.ok(not has(k.pid, "Inh") and not has(k.pid, "Amb"),
                 f"{name}: no inheritable or ambient capabilities")
            with lib.Target(as_nobody(i.argv), "hotline.py") as target:
                lib.compute(1, target.pid)
                k.finish()
        with open(file) as f:
            stacks = lib.of(lib.parse(f.read()), target.pid)
    good = lib.share(stacks, lambda s: s.frames[-1].line is not None)
    t.bound(lib.total(stacks) > 100 and good > 0.98,
            f"{name}: records another user's process, started meanwhile",
            f"{good:.3f}\n{lib.worst(stacks)}")


def check_least(t, name, i):
    """An unprivileged user with only these capabilities runs a copy of krait."""
    caps = ",".join("+" + c for c in (*LEAST, *(["sys_admin"] if paranoid() > 2 else [])))
    with lib.scratch() as where:
        os.chown(where, NOBODY, NOBODY)
        copy = shutil.copy(lib.KRAIT, f"{where}/krait")
        os.chmod(copy, 0o755)
        argv = as_nobody([copy], f"--inh-caps={caps}", f"--ambient-caps={caps}").argv
        with lib.Target(i, "hotline.py") as target, \
                lib.Process([*argv, "record", "-F", "499", "-p", str(target.pid)]) as k:
            k.err.wait_for("krait: sampling")
            lib.compute(1, target.pid)
            lib.until(lambda: status(k.pid)["NoNewPrivs"] == "1", "it drops")
            left = has(k.pid, "Prm")
            k.signal(2)
            k.wait()
            stacks = lib.parse(k.out.text())
    good = lib.share(stacks, lambda s: s.frames[-1].line is not None)
    t.bound(lib.total(stacks) > 100 and good > 0.98, f"{name}: records root's process",
            f"{good:.3f}\n{lib.worst(stacks)}")
    t.ok(left & ~allowed() == 0 and left & of_names(LEAST) == of_names(LEAST),
         f"{name}: keeps only these capabilities", f"{left:x}")


def main():
    lib.need_krait()
    t = lib.Tap()
    i = lib.system()
    for name, check in (("root", check_root), ("capabilities", check_least)):
        t.trial(name, check, t, name, i)
    t.done()


main()
