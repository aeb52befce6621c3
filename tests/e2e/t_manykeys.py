#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""A program that loads libpython at run time and has used the first 32 pthread keys before, so that
Python's own key lies in the second level of glibc's table."""

import glob
import os

import interpreters
import lib


class Embedded:
    """Runs the program in place of the interpreter."""

    def __init__(self, interpreter):
        self.root = None
        library = glob.glob(f"{interpreter.prefix}/lib/libpython3.*.so.1.0")
        if not library:
            raise lib.Skip("no libpython of this interpreter")
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
    for i in interpreters.all():
        if i.shared:
            name = f"key above 32 [{i.label}]"
            t.trial(name, check, t, name, i)
    t.done()


main()
