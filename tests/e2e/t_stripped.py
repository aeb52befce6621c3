#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""An interpreter without symbol tables (strip --strip-all on libpython and the executable) is
recorded like any other, including threads that run without the GIL."""

import glob
import os
import shutil
import subprocess

import interpreters
import lib

VERSIONS = ((3, 6), (3, 8), (3, 11), (3, 13))


class Stripped:
    """Stripped copies of an interpreter's executable and libpython, with its original library."""

    def __init__(self, original, where):
        self.root = None
        self.argv = (self._copy(os.path.realpath(original.argv[0]), where),)
        for library in glob.glob(f"{original.prefix}/lib/libpython3.*.so.*"):
            self._copy(library, where)
        self.env = {"LD_LIBRARY_PATH": where, "PYTHONHOME": original.prefix}

    @staticmethod
    def _copy(path, where):
        copy = f"{where}/{os.path.basename(path)}"
        subprocess.run(["strip", "--strip-all", "-o", copy, path], check=True)
        return copy


def check_maps(t, name, pid, where):
    """The process runs the copies, and they have no symbol table."""
    with open(f"/proc/{pid}/maps") as f:
        mapped = {line.split()[-1] for line in f if " r-xp " in line and "/" in line}
    code = {p for p in mapped if os.path.basename(p).startswith(("python", "libpython"))}
    left = [p for p in code if b".symtab" in open(p, "rb").read()]
    t.ok(code and not left and all(p.startswith(where) for p in code), f"{name}: it is stripped",
         f"{code} {left}")


def check_lines(t, name, stripped, where):
    with lib.Target(stripped, "hotline.py", env=stripped.env) as target:
        check_maps(t, name, target.pid, where)
        stacks, _ = lib.observe([target.pid], 1, "-F", 999)
    for function, line in lib.hot_lines("hotline.py").items():
        mine = [s for s in stacks if s.frames[-1].name == function]
        part = lib.share(mine, lambda s, n=line: s.frames[-1].line == n)
        t.bound(lib.total(mine) > 100 and part > 0.9, f"{name}: {function}", lib.worst(stacks))


def no_gil(t, name, stacks, *leaves):
    for leaf in leaves:
        own = [s for s in stacks if lib.names(s)[-1] == leaf]
        t.bound(lib.total(own) > 50, f"{name}: {leaf}", lib.worst(stacks))
    wrong = lib.share(stacks, lambda s: s.frames[-1].file is None)
    t.bound(wrong < 0.05, f"{name}: few samples have a marker",
            f"{wrong:.3f}\n{lib.worst(stacks)}")


def check_threads(t, name, stripped, helper):
    """Threads without the GIL, in a process that is first seen while no thread holds the GIL, and
    in one that starts during the recording."""
    with lib.Target(stripped, "threads.py", "apart", helper, env=stripped.env) as target:
        stacks, _ = lib.observe([target.pid], 1, "-F", 999)
    no_gil(t, f"{name}, runs already", stacks, "spin_long")
    with lib.Krait("-F", 999) as k, \
            lib.Target(stripped, "threads.py", "nogil", helper, env=stripped.env) as target:
        lib.until(lambda: lib.cpu_seconds(target.pid) > 1.5, "it computes")
        stacks = lib.of(k.finish(), target.pid)
    no_gil(t, f"{name}, starts later", stacks, "hash_it", "zip_it", "spin_it")


def check(t, name, interpreter, where):
    if not shutil.which("strip"):
        raise lib.Skip("no strip")
    stripped = Stripped(interpreter, where)
    check_lines(t, name, stripped, where)
    check_threads(t, name, stripped, lib.helper())


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, why in interpreters.absent():
        t.skip(f"stripped [{what}]", why)
    for i in interpreters.all():
        if i.minor in VERSIONS and "pyenv" in i.label:
            name = f"stripped [{i.label}]"
            t.trial(name, lib.in_scratch, check, t, name, i)
    t.done()


main()
