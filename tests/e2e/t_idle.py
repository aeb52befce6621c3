#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""A program that contains Python but has not started it is treated as other programs: its samples
are not shown, and it is not listed. If it starts Python during the recording, it is recorded from
then on, whether libpython is linked or loaded only then. Once one process shows that an executable
has no Python, this holds for its short-lived processes, but must not hide one that does start
Python."""

import json
import os
import re
import shutil
import signal

import interpreters
import lib
import ways


def programs():
    """(what, argv to put before the script, root); instead of argv, why it is unavailable"""
    for what, find in (("3.11 or system's", ways.system_library), ("pyenv's", ways.pyenv_library)):
        try:
            library = find()
            yield f"{what}, linked", [ways.linked_program(library), "-w", library], None
            yield f"{what}, loaded", [lib.tool("embed"), "-w", library], None
        except interpreters.Unavailable as e:
            yield what, e, None
    for name in ways.LIBRARIES:
        try:
            for way in (ways.debian_linked(name), ways.debian_loaded(name)):
                yield way.label, [*way.argv[:-1], "-w", way.argv[-1]], way.root
        except interpreters.Unavailable as e:
            yield name, e, None


class Program(lib.As):
    def __init__(self, argv, root):
        super().__init__(*argv)
        self.root = root


def listed(pid):
    status, out, err = lib.usage("list", "--json", "-p", pid)
    if status:
        raise RuntimeError(f"krait list: {status} {err}")
    return json.loads(out)["processes"]


def ticks(text, what):
    m = re.search(r"(\d+) " + what, text)
    return int(m[1]) if m else -1


def check_idle(t, name, target):
    with lib.Krait("-p", target.pid, "-F", 999, "-v") as k:
        lib.compute(0.5, target.pid)
        k.signal(signal.SIGINT)
        status, out, said = k.wait(), k.out.text(), k.err.text()
    t.ok(not out, f"{name}: no sample is shown", out)
    t.ok(status == ("is not a Python process" in said),
         f"{name}: status 1 if it is reported as not Python", f"{status} {said}")
    t.ok(ticks(said, "shown") == 0 and "[" not in said, f"{name}: no sample counts as shown", said)
    t.bound(ticks(said, "not Python") > 200, f"{name}: its samples count as not Python", said)


def check_started(t, name, target):
    """It starts Python during the recording; samples are shown from then on, and none before."""
    with lib.Krait("-p", target.pid, "-F", 999, "-v") as k:
        lib.compute(0.5, target.pid)
        target.tell("")
        target.out.wait_for("READY")
        lib.compute(1, target.pid)
        stacks, said = k.finish(), k.err.text()
    good = [s for s in stacks if lib.names(s)[:2] == ["<module>", "main"]]
    t.bound(lib.total(good) > 500, f"{name}: recorded from then on", f"{said}\n{lib.worst(stacks)}")
    t.bound(ticks(said, "not Python") > 200, f"{name}: not Python before that", said)
    for function, line in lib.hot_lines("hotline.py").items():
        mine = [s for s in stacks if s.frames[-1].name == function]
        part = lib.share(mine, lambda s, n=line: s.frames[-1].line == n)
        t.bound(lib.total(mine) > 100 and part > 0.9, f"{name}: {function}", lib.worst(mine))


def check(t, name, argv, root):
    with lib.Target(Program(argv, root), "hotline.py", wait=False) as target:
        target.out.wait_for("COMPUTING")
        t.ok(not listed(target.pid), f"{name}: not listed while idle", listed(target.pid))
        check_idle(t, name, target)
        check_started(t, name, target)
        t.ok(len(listed(target.pid)) == 1, f"{name}: listed when it runs")


def check_second(t, name, argv, root):
    """One process has shown that its executable has no Python; a second one starts Python."""
    program = Program(argv, root)
    with lib.Target(program, "hotline.py", wait=False) as first, lib.Krait("-F", 999) as k:
        first.out.wait_for("COMPUTING")
        lib.compute(0.5, first.pid)
        with lib.Target(program, "hotline.py", wait=False) as target:
            target.out.wait_for("COMPUTING")
            target.tell("")
            target.out.wait_for("READY")
            lib.compute(1, target.pid)
            stacks = k.finish()
        t.bound(lib.total(lib.of(stacks, target.pid)) > 500,
                f"{name}: recorded beside one without Python", lib.worst(stacks))
        t.ok(not lib.of(stacks, first.pid), f"{name}: the one without Python is not shown",
             lib.worst(stacks))


def check_moments(t, name):
    """A hundred processes that live 15 ms each: the first one shows that they are not Python."""
    with lib.scratch() as folder:
        program = os.path.join(folder, "moment")
        shutil.copy("/bin/dash", program)
        loop = f"{program} -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'"
        run = f"n=0; while [ $n -lt 100 ]; do {loop}; n=$((n+1)); done"
        status, _, said = lib.usage("record", "-F", 999, "-v", "-o", os.path.join(folder, "out"),
                                    "--", "/bin/sh", "-c", run)
    other = ticks(said, "not Python")
    lost = sum(int(n) for n in re.findall(r"lost (\d+) samples?: (?:before|process ended)", said))
    t.ok(status == 0, f"{name}: exit status", said)
    t.bound(other > 500 and lost < other / 10, f"{name}: few samples are lost as unknown", said)
    t.note(f"{name}: {lost} of {lost + other} samples before that")


def main():
    lib.need_krait()
    t = lib.Tap()
    t.trial("moments", check_moments, t, "moments")
    for what, argv, root in programs():
        name = f"idle [{what}]"
        if isinstance(argv, Exception):
            t.skip(name, argv)
            continue
        t.trial(name, check, t, name, argv, root)
        if not root:
            t.trial(f"{name}, beside another", check_second, t, name, argv, root)
    t.done()


main()
