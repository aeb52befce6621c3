#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Processes that start and end during a recording: by fork and exec, short-lived, killed. One
interpreter for each layout; TRUTH=1 takes all."""

import re
import signal
import time

import lib

# spawner.py's commands: the function in which the children compute, and half the samples that their
# CPU time should give.
CHILDREN = {"fork": ("forked_hot", 200), "exec": ("executed_hot", 200),
            "shortfork": ("shortfork_hot", 300), "shortexec": ("shortexec_hot", 300)}


def spawn(target, what):
    """Has the target start children, and returns the pid of the last one after its end."""
    before = len([x for x in target.out.lines if x.startswith("DONE")])
    target.tell(what)
    return int(target.out.wait_for("DONE", nth=before + 1).split()[1])


def hot(stacks, function):
    """The function's samples whose leaf has a line."""
    return [s for s in stacks if function in lib.names(s) and s.frames[-1].line]


def born(t, name, interpreter):
    with lib.Target(interpreter, "spawner.py") as target, lib.Krait("-F", 999) as k:
        pids = {what: spawn(target, what) for what in CHILDREN}
        stacks = k.finish()
    for what, (function, least) in CHILDREN.items():
        mine = hot(stacks, function)
        t.bound(lib.total(mine) >= least, f"{name}: {what}", f"{lib.total(mine)} samples of {least}")
    for what in ("fork", "exec"):
        mine = hot(stacks, CHILDREN[what][0])
        t.ok({lib.pid_of(s) for s in mine} <= {pids[what]}, f"{name}: {what} under its own pid",
             lib.worst(mine))


def lost_before_known(words):
    m = re.search(r"lost (\d+) samples?: before the process was known", words)
    return int(m[1]) if m else 0


def start_up(interpreter):
    """(samples of a child started by exec, samples lost before it was known), at 999 Hz."""
    with lib.Target(interpreter, "spawner.py") as target, lib.Krait("-F", 999) as k:
        pid = spawn(target, "exec")
        mine = hot(lib.of(k.finish(), pid), "executed_hot")
        return lib.total(mine), lost_before_known(k.err.text())


def known_soon(t, name, interpreter):
    """krait knows a process 50 ms after its first sample, unless the machine is busy."""
    n, lost = start_up(interpreter)
    t.bound(n > 200 and lost <= 50, f"{name}: known 50 ms after its first sample", f"{n}, {lost} lost")
    t.note(f"{name}: {lost} samples at 999 Hz before it was known")


def followed(t, name, interpreter):
    for flags, wanted in (((), False), (("-s",), True)):
        with lib.Target(interpreter, "spawner.py") as target, \
                lib.Krait("-F", 999, "-p", target.pid, *flags) as k:
            for what in ("fork", "exec"):
                spawn(target, what)
            stacks = k.finish()
        for what in ("fork", "exec"):
            n, said = lib.total(hot(stacks, CHILDREN[what][0])), f"{name}: -p {' '.join(flags)} and {what}"
            if wanted:
                t.bound(n > 200, said, n)
            else:
                t.ok(not n, said, n)


def killed(t, name, interpreter):
    with lib.Target(interpreter, "named.py", "doomed") as target, lib.Krait("-F", 999) as k:
        lib.compute(0.5, target.pid)
        target.signal(signal.SIGKILL)
        target.wait()
        time.sleep(1.2)  # longer than krait's interval between two collections
        mine = hot(lib.of(k.finish(), target.pid), "doomed")
        t.bound(lib.total(mine) > 350, f"{name}: a killed process keeps its stacks", lib.worst(mine))


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("lifecycle", here=True, chosen=lib.interpreters.few):
        if i.root:
            t.skip(name, "its children need /proc, which its root does not have")
            continue
        for check in (born, known_soon, killed):
            if check != killed or i == lib.system() or i.minor in ((3, 6), (3, 13)):
                t.trial(name, check, t, name, i)
    t.trial("-s", followed, t, "followed", lib.system())
    t.done()


main()
