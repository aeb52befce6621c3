#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""An interpreter whose file only the user who mounted it may open (an AppImage, a rootless
container), and one whose code is no longer mapped from its file (it was moved to huge pages): both
are found through the process's memory and recorded with lines."""

import glob
import json
import os
import shutil
import subprocess

import interpreters
import lib
import ways

USER = 65534
NOBODY = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")


class Mounted(lib.Process):
    """A file system with one file, mounted by user nobody; see stall.c."""

    def __init__(self, where, backing):
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise lib.Skip("/dev/fuse is not there, or may not be opened")
        self.mount = os.path.join(where, "mount")
        self.file = os.path.join(self.mount, "file")
        os.mkdir(self.mount)
        super().__init__([lib.tool("stall"), backing, self.mount, str(USER)])
        try:
            self.out.wait_for("READY")
        except RuntimeError as e:
            self.__exit__()
            raise lib.Skip(f"no file system of type fuse can be mounted: {e}") from None

    def __exit__(self, *_):
        super().__exit__()
        subprocess.run(["umount", "-l", self.mount], stderr=subprocess.DEVNULL)


def check(t, name, target, interpreter, shared):
    status, out, err = lib.usage("list", "--json", "-p", target.pid)
    row = (json.loads(out)["processes"] or [{}])[0] if status == 0 else {}
    t.ok(row.get("supported") and row["version"] == "%d.%d.%d" % interpreter.version
         and row["linked"] == ("shared" if shared else "static"), f"{name}: listed", row or err)
    stacks, _ = lib.observe([target.pid], 0.5, "-F", 999)
    for function, line in lib.hot_lines("hotline.py").items():
        mine = [s for s in stacks if s.frames[-1].name == function]
        part = lib.share(mine, lambda s, n=line: s.frames[-1].line == n)
        t.ok(lib.total(mine) > 30 and part > 0.9, f"{name}: {function}", lib.worst(stacks))


def library(interpreter):
    return glob.glob(f"{interpreter.prefix}/lib/libpython%d.%d*.so.1.0" % interpreter.minor)[0]


def mounted(t, name, backing, loader=None):
    """`backing` is an executable or, with `loader`, a library for that program to load."""
    i = lib.system()
    with lib.scratch() as where, Mounted(where, backing) as fs:
        opened = subprocess.run(["cat", fs.file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if opened.returncode == 0:
            raise lib.Skip("root may open files of a user's mount here")
        script = shutil.copy(os.path.join(lib.TARGETS, "hotline.py"), where)
        program = [shutil.copy(loader, where), fs.file] if loader else [fs.file]
        with lib.Target(lib.As(*NOBODY, *program), script, env={"PYTHONHOME": "/usr"}) as target:
            check(t, name, target, i, bool(loader))


def moved(t, name, i, what):
    preload = lib.helper("moved")
    with lib.Target(i, "hotline.py", env={"LD_PRELOAD": preload, "MOVED": what}) as target:
        with open(f"/proc/{target.pid}/maps") as f:
            left = [x for x in f if (" r-xp " in x or what == "all") and x.rstrip().endswith(
                library(i) if i.shared else os.path.realpath(i.argv[0]))]
        t.ok(not left, f"{name}: no mapping of the file is left", left)
        check(t, name, target, i, i.shared)


def chosen():
    """A static and a shared interpreter without a root; with TRUTH=1 all."""
    found = [i for i in interpreters.all() if not i.root and (i.prefix or not i.shared)]
    if lib.TRUTH:
        return found
    return [lib.system(), *[i for i in found if i.shared][-1:]]


def main():
    lib.need_krait()
    t = lib.Tap()
    with t.guard("mounted by a user, static"):
        mounted(t, "mounted by a user, static", os.path.realpath(lib.system().argv[0]))
    with t.guard("mounted by a user, a library"):
        try:
            where = ways.system_library()
        except interpreters.Unavailable as e:
            raise lib.Skip(str(e)) from None
        mounted(t, "mounted by a user, a library", where, lib.tool("embed"))
    for i in chosen():
        for what in ("text", "all"):
            with t.guard(f"{what} moved [{i.label}]"):
                moved(t, f"{what} moved [{i.label}]", i, what)
    t.done()


main()
