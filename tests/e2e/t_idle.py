#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program that has Python in it and does not use it is no Python: nothing is said of its samples, and
it is not listed. When it starts Python during the recording it is recorded from then on, be libpython
linked or loaded only then."""

import json
import re

import interpreters
import lib
import ways


def programs():
    """(what, argv that goes before the script, tree), lib.Skip's reason instead of argv"""
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


def computes(pid, seconds=0.5):
    start = lib.cpu_seconds(pid)
    lib.until(lambda: lib.cpu_seconds(pid) - start >= seconds, "it computes", 120)


def ticks(text, what):
    m = re.search(r"(\d+) " + what, text)
    return int(m[1]) if m else -1


def check_idle(t, name, target):
    with lib.Krait("-p", target.pid, "-F", 999, "-v") as k:
        computes(target.pid)
        stacks, said = k.finish(), k.err.text()
    t.ok(not stacks, f"{name}: no sample is shown", lib.worst(stacks))
    t.ok(ticks(said, "not Python") > 200 and ticks(said, "shown") == 0 and "[" not in said,
         f"{name}: its samples are another program's", said)


def check_started(t, name, target):
    """What is recorded of it when it starts Python meanwhile; and before that, nothing."""
    with lib.Krait("-p", target.pid, "-F", 999, "-v") as k:
        computes(target.pid)
        target.tell("")
        target.out.wait_for("READY")
        computes(target.pid, 1)
        stacks, said = k.finish(), k.err.text()
    good = [s for s in stacks if lib.names(s)[:2] == ["<module>", "main"]]
    t.ok(lib.total(good) > 500, f"{name}: recorded from then on", f"{said}\n{lib.worst(stacks)}")
    t.ok(ticks(said, "not Python") > 200, f"{name}: and not before", said)
    for function, line in lib.hot_lines("hotline.py").items():
        mine = [s for s in stacks if s.frames[-1].name == function]
        part = lib.share(mine, lambda s, n=line: s.frames[-1].line == n)
        t.ok(lib.total(mine) > 100 and part > 0.9, f"{name}: {function}", lib.worst(mine))


def check(t, name, argv, root):
    with lib.Target(Program(argv, root), "hotline.py", wait=False) as target:
        target.out.wait_for("COMPUTING")
        t.ok(not listed(target.pid), f"{name}: not listed while idle", listed(target.pid))
        check_idle(t, name, target)
        check_started(t, name, target)
        t.ok(len(listed(target.pid)) == 1, f"{name}: listed when it runs")


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, argv, root in programs():
        name = f"idle [{what}]"
        with t.guard(name):
            if isinstance(argv, Exception):
                raise lib.Skip(str(argv))
            check(t, name, argv, root)
    t.done()


main()
