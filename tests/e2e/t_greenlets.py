#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Libraries that change stacks under the interpreter (greenlet, gevent) and that compute below it
(numpy): installed by pip into the cache where there is a network."""

import os
import subprocess

import interpreters
import lib

PATIENCE = 120  # seconds for a download
NUMPY = (3, 12)  # one version is enough for 60 MB


def installed(interpreter, package):
    """The folder with the package for this interpreter."""
    where = os.path.join(interpreters.CACHE, "pip", "%d.%d" % interpreter.minor, package)
    if os.path.isdir(where):
        return where
    fresh = f"{where}.{os.getpid()}"
    argv = [*interpreter.argv, "-m", "pip", "install", "-q", "--disable-pip-version-check",
            "--only-binary", ":all:", "--retries", "1", "--target", fresh, package]
    try:
        r = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise lib.Skip(f"pip did not install {package} in {PATIENCE} s")
    if r.returncode:
        last = [x for x in r.stderr.splitlines() if "ERROR" in x or "No module" in x]
        raise lib.Skip(f"no {package}: {(last or ['pip failed'])[0]}")
    os.replace(fresh, where)
    return where


def recorded(interpreter, package):
    where = {"PYTHONPATH": installed(interpreter, package), "OPENBLAS_NUM_THREADS": "2"}
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


def numpy(t, name, interpreter):
    stacks, pid = recorded(interpreter, "numpy")
    main, others = lib.of(stacks, pid), [s for s in stacks if lib.pid_of(s) != pid]
    part = lib.share(main, lambda s: lib.names(s)[-1] == "left")
    t.ok(lib.total(main) > 100 and part > 0.9, f"{name}: main thread", lib.worst(main))
    t.ok(not any(f.file for s in others for f in s.frames),
         f"{name}: its own threads have no Python", lib.worst(others))


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
        if i.minor == NUMPY:
            with t.guard(f"numpy [{i.label}]"):
                numpy(t, f"numpy [{i.label}]", i)
    t.done()


main()
