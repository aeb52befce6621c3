#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The executable and libpython of a running interpreter are deleted, or replaced by another
version, before or during the recording. The running process is read as its own version, and a
second process of the new files as the new version."""

import contextlib
import glob
import json
import os
import shutil

import interpreters
import lib

HOT = "hotline.py"


class Copy:
    """An interpreter's executable (and libpython) in a folder where they can be replaced. Old and
    new version have the same path; both use their original standard library."""

    def __init__(self, where, original):
        self.root, self.argv = None, (f"{where}/bin/job",)
        self.libraries = [f"{where}/lib/{os.path.basename(x)}" for x in _libraries(original)]
        self.env = {"PYTHONHOME": original.prefix, "LD_LIBRARY_PATH": f"{where}/lib"}
        os.makedirs(f"{where}/bin", exist_ok=True)
        os.makedirs(f"{where}/lib", exist_ok=True)
        _put(os.path.realpath(original.argv[0]), self.argv[0])
        for source, to in zip(_libraries(original), self.libraries):
            _put(source, to)

    @property
    def files(self):
        return [*self.argv, *self.libraries]


def _libraries(original):
    if not original.shared:
        return []
    return glob.glob(f"{original.prefix}/lib/libpython%d.%d*.so.1.0" % original.minor)


def _put(source, to):
    """Replaces a file atomically, as a package manager does."""
    shutil.copy(source, to + ".new")
    os.replace(to + ".new", to)


def version_of(pid):
    status, out, err = lib.usage("list", "--json", "-p", pid)
    rows = json.loads(out)["processes"] if status == 0 else []
    return rows[0]["version"] if rows else f"none: {err}"


def check(t, name, stacks):
    for function, line in lib.hot_lines(HOT).items():
        mine = [s for s in stacks if s.frames[-1].name == function]
        part = lib.share(mine, lambda s, n=line: s.frames[-1].line == n)
        t.bound(lib.total(mine) > 60 and part > 0.9, f"{name}: {function}", lib.worst(stacks))


def before(t, name, old, change):
    """The files change before the process is recorded."""
    with lib.scratch() as where:
        copy = Copy(where, old)
        with lib.Target(copy, HOT, env=copy.env) as target:
            change(where, copy)
            t.ok(version_of(target.pid) == "%d.%d.%d" % old.version, f"{name}, before: listed",
                 version_of(target.pid))
            stacks, _ = lib.observe([target.pid], 0.4, "-F", 999)
            check(t, f"{name}, before", stacks)


def during(t, name, old, change, new=None):
    """The files change during the recording; a process of the new files is recorded, too."""
    with lib.scratch() as where, contextlib.ExitStack() as on:
        copy = Copy(where, old)
        first = on.enter_context(lib.Target(copy, HOT, env=copy.env))
        k = on.enter_context(lib.Krait("-F", 999, "--comm", "job"))
        lib.compute(0.3, first.pid)
        change(where, copy)
        if new:
            copy = Copy(where, new)
            second = on.enter_context(lib.Target(copy, HOT, env=copy.env))
            lib.compute(0.3, second.pid)
            t.ok(version_of(second.pid) == "%d.%d.%d" % new.version,
                 f"{name}, during: the second is listed", version_of(second.pid))
        lib.compute(0.3, first.pid)
        stacks = k.finish()
        check(t, f"{name}, during", lib.of(stacks, first.pid))
        if new:
            check(t, f"{name}, during: the second", lib.of(stacks, second.pid))


def delete(_, copy):
    for path in copy.files:
        os.unlink(path)


def _overwrite(source, path, to):
    """Writes other content into the same inode, and moves the file."""
    with open(source, "rb") as f, open(path, "wb") as g:
        shutil.copyfileobj(f, g)
    os.rename(path, to)


def overwritten(t, name, old, new):
    """The inodes get new content between two processes of one recording: only the time of the last
    change differs."""
    with lib.scratch() as where, lib.Krait("-F", 999, "--comm", "job") as k:
        copy = Copy(where, old)
        with lib.Target(copy, HOT, env=copy.env) as first:
            lib.compute(0.3, first.pid)
        now = Copy(f"{where}/new", new)
        for source, path, to in zip(now.files, copy.files, now.files):
            _overwrite(source, path, to + ".moved")
            os.rename(to + ".moved", to)
        with lib.Target(now, HOT, env=now.env) as second:
            lib.compute(0.3, second.pid)
            stacks = k.finish()
        check(t, f"{name}: the first", lib.of(stacks, first.pid))
        check(t, f"{name}: the second", lib.of(stacks, second.pid))


def pairs():
    """(linkage, oldest, newest interpreter) for each linkage."""
    found = [i for i in interpreters.all() if not i.root and i.prefix and not i.threaded]
    for kind, mine in (("shared", [i for i in found if i.shared]),
                       ("static", [i for i in found if not i.shared])):
        if mine:
            yield kind, mine[0], mine[-1]


def main():
    lib.need_krait()
    t = lib.Tap()
    for kind, old, new in pairs():
        name = f"deleted [{old.label}]"
        t.trial(f"{name}, before", before, t, name, old, delete)
        t.trial(f"{name}, during", during, t, name, old, delete)
        change = f"[{old.label} by {new.label}]"
        if new == old:
            t.skip(f"replaced {change}", f"only one {kind} interpreter here")
            continue
        to_new, to_old = (lambda where, _, i=i: Copy(where, i) for i in (new, old))
        name = f"replaced {change}"
        t.trial(f"{name}, before", before, t, name, old, to_new)
        t.trial(f"{name}, during", during, t, name, old, to_new, new)
        t.trial(f"{name}, and back", before, t, f"{name}, and back", new, to_old)
        t.trial(f"overwritten {change}", overwritten, t, f"overwritten {change}", old, new)
    t.done()


main()
