#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""A process whose memory does not match its Python version is checked again: its memory may have
been read at a bad moment. Once it matches, the process is recorded and no longer reported. A
process that never matches is reported once, with the reason."""

import contextlib
import json
import signal

import interpreters
import lib

REASON = "memory layout differs"


def chosen():
    """The system's interpreter and the newest one without a root; with TRUTH=1 all from 3.7."""
    found = [i for i in interpreters.all() if i.minor >= (3, 7) and not i.root]
    return found if lib.TRUTH or len(found) < 3 else [lib.system(), found[-1]]


def reason(pid):
    """`krait list`'s reason why a process cannot be recorded, or "none"."""
    status, out, err = lib.usage("list", "--json", "-p", pid)
    if status:
        raise RuntimeError(f"krait list: {status} {err}")
    return "; ".join(row["reason"] or "none" for row in json.loads(out)["processes"])


def snapshot(k, path):
    """Asks for a snapshot, and returns the stacks of this or an earlier one."""
    k.signal(signal.SIGUSR1)
    with contextlib.suppress(FileNotFoundError), open(path) as f:
        return lib.parse(f.read())
    return []


def mains(stacks):
    return [s for s in stacks if "main" in lib.names(s)]


def becomes_right(t, name, i, what, *args):
    """The memory of the process does not match when the recording starts, but later."""
    with lib.scratch() as where, lib.Target(i, "doubtful.py", what) as target:
        path = f"{where}/out.folded"
        t.ok(REASON in reason(target.pid), f"{name}: listed with its reason", reason(target.pid))
        with lib.Krait("-p", target.pid, "-F", 999, "-o", path, *args) as k:
            lib.compute(0.3, target.pid)
            t.ok(not snapshot(k, path), f"{name}: not recorded yet", snapshot(k, path))
            target.tell("")
            target.out.wait_for("RIGHT")
            t.ok(reason(target.pid) == "none", f"{name}: listed as right", reason(target.pid))
            lib.until(lambda: lib.total(mains(snapshot(k, path))) > 100, "it is recorded", pause=0.1)
            k.finish()
            said = k.err.text()
        t.ok(said.count("not recorded") == said.count("not recorded yet") == 1,
             f"{name}: the summary does not report it", said)


def stays_wrong(t, name, i):
    with lib.Target(i, "doubtful.py", "spin") as target:
        with lib.Krait("-p", target.pid, "-F", 999) as k:
            lib.compute(1, target.pid)
            k.signal(signal.SIGINT)
            k.wait()
            said = k.err.text()
        lines = [x for x in said.splitlines() if x.startswith("  not recorded")]
        t.ok(len(lines) == 1 and f"1 process (pid {target.pid})" in lines[0] and REASON in lines[0],
             f"{name}: reported once", said)


def main():
    lib.need_krait()
    t = lib.Tap()
    for i in chosen():
        name = f"doubt [{i.label}]"
        with t.guard(f"{name}, computes"):
            becomes_right(t, f"{name}, computes", i, "spin")
        with t.guard(f"{name}, sleeps"):
            becomes_right(t, f"{name}, sleeps", i, "sleep", "-m", "wall")
        with t.guard(f"{name}, stays"):
            stays_wrong(t, f"{name}, stays", i)
    t.done()


main()
