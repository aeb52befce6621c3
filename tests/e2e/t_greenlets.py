#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Libraries that change stacks under the interpreter: greenlet and gevent."""

import interpreters
import lib


def recorded(interpreter, package):
    where = {"PYTHONPATH": lib.package(interpreter, package)}
    with lib.Target(interpreter, "greenlets.py", package, env=where) as target:
        return lib.observe([target.pid], 1, "-F", 1999, "--by", "thread")[0], target.pid


def switching(t, name, interpreter, package):
    stacks, pid = recorded(interpreter, package)
    stacks = lib.of(stacks, pid)
    for side, other in (("left", "right"), ("right", "left")):
        mine = [s for s in stacks if side in lib.names(s)]
        t.ok(lib.total(mine) > 100, f"{name}: {side}", f"{lib.total(mine)}\n{lib.worst(stacks)}")
        both = [s for s in mine if other in lib.names(s)]
        t.ok(not both, f"{name}: {side} alone", lib.worst(both))
    marked = lib.share(stacks, lambda s: any(f.file is None for f in s.frames))
    t.ok(marked < 0.05, f"{name}: few are marked", f"{marked:.3f}\n{lib.worst(stacks)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i in interpreters.all():
        if i.root or "pyenv" not in i.label:
            continue
        for package in ("greenlet", "gevent"):
            name = f"{package} [{i.label}]"
            with t.guard(name):
                switching(t, name, i, package)
    t.done()


main()
