#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""numpy releases the GIL while it computes: Python threads in it run in parallel, each shown at its
calling line. Threads that numpy's BLAS starts have no Python stack."""

import interpreters
import lib

VERSIONS = ((3, 6), (3, 8), (3, 11), (3, 12), (3, 13))  # for each layout of thread state and frame


def target(interpreter, what, blas):
    where = {"PYTHONPATH": lib.package(interpreter, "numpy"), "OPENBLAS_NUM_THREADS": str(blas)}
    return lib.Target(interpreter, "numeric.py", what, env=where)


def check_threads(t, name, i):
    """Each thread's leaf is its line that computes, with and without the GIL held."""
    with target(i, "threads", 1) as p:
        stacks, spent = lib.observe([p.pid], 2, "-F", 999, "--by", "thread")
    lines = lib.hot_lines("numeric.py")
    for function in ("sorting", "squaring", "hashing"):
        mine = [s for s in stacks if function in lib.names(s)]
        part = lib.share(mine, lambda s, f=function: lib.names(s)[-1] == f and
                         s.frames[-1].line == lines[f])
        t.bound(lib.total(mine) > 100 and part > 0.9, f"{name}: {function}",
                f"{part:.3f} of {lib.total(mine)}\n{lib.worst(mine)}")
        t.ok(len({s.root for s in mine}) <= 1, f"{name}: {function} in one thread", lib.worst(mine))
    part = lib.total(stacks) / (999 * spent[p.pid])
    t.bound(0.9 < part < 1.1, f"{name}: samples equal CPU time", f"{part:.3f} {spent}")
    bare = lib.share(stacks, lambda s: any(f.file is None for f in s.frames))
    t.bound(bare < 0.05, f"{name}: few samples have a marker", f"{bare:.3f}\n{lib.worst(stacks)}")


def check_product(t, name, i):
    with target(i, "product", 2) as p:
        stacks, _ = lib.observe([p.pid], 1, "-F", 1999, "--by", "thread")
    main, others = lib.of(stacks, p.pid), [s for s in stacks if lib.pid_of(s) != p.pid]
    line = lib.hot_lines("numeric.py")["product"]
    part = lib.share(main, lambda s: lib.names(s)[-1] == "product" and s.frames[-1].line == line)
    t.bound(lib.total(main) > 100 and part > 0.9, f"{name}: the calling thread", lib.worst(main))
    t.ok(not any(f.file for s in others for f in s.frames),
         f"{name}: BLAS threads have no Python stack", lib.worst(others))


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, why in interpreters.absent():
        t.skip(f"numpy [{what}]", why)
    for i in interpreters.all():  # pyenv's have pip
        if i.minor not in VERSIONS or "pyenv" not in i.label:
            continue
        name = f"numpy [{i.label}]"
        t.trial(name, check_threads, t, name, i)
        if i.minor in VERSIONS[-2:]:
            t.trial(f"{name} product", check_product, t, name, i)
    t.done()


main()
