#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""libpython embedded in another program that loads it at run time and has used up the first 32
pthread keys: Python's own key then lies in the second level of glibc's table."""

import glob
import os

import interpreters
import lib


class Embedded:
    """Runs the launcher as if it were the interpreter."""

    def __init__(self, interpreter):
        self.root = None
        library = glob.glob(f"{interpreter.prefix}/lib/libpython3.*.so.1.0")
        if not library:
            raise lib.Skip("no libpython beside it")
        self.argv = (lib.tool("manykeys"), library[0], interpreter.argv[0])


def check(t, name, interpreter):
    with lib.Target(Embedded(interpreter), "threads.py", "nogil", lib.helper()) as target:
        t.ok("manykeys" in os.readlink(f"/proc/{target.pid}/exe"), f"{name}: embedded")
        stacks, _ = lib.observe([target.pid], 1, "-F", 1999)
    part = lib.share(stacks, lambda s: lib.names(s)[-1] in ("hash_it", "zip_it", "spin_it"))
    t.bound(lib.total(stacks) > 200 and part > 0.95, f"{name}: threads without the GIL",
            f"{part:.3f} of {lib.total(stacks)}\n{lib.worst(stacks)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i in interpreters.all():  # of those with a libpython there is one of each minor version
        if i.shared:
            name = f"key above 32 [{i.label}]"
            t.trial(name, check, t, name, i)
    t.done()


main()
