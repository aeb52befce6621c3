#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""Threads that switch to another C stack and keep their Python thread state: C coroutines with
stacks in mappings, in the heap and in a library's data, and signal handlers on alternate stacks.
Samples taken there belong to the Python function that switched, in the main thread and in another
one, in C code and in Python called from it."""

import lib

PLACES = ("in_mapped", "in_heap", "in_static", "in_signal")
OWN = 0.98
# One version for each way to find the thread state.
MINORS = ((3, 8), (3, 10), (3, 11), (3, 12), (3, 13), (3, 15))


def place(stack):
    """The function that switched stacks; None: it is not in this stack."""
    return next((n for n in lib.names(stack) if n in PLACES), None)


def check_thread(t, name, stacks, all_of_them, python):
    t.bound(lib.total(stacks) > 0.3 * all_of_them, f"{name}: it is recorded",
            f"{lib.total(stacks)} of {all_of_them}")
    for where in PLACES:
        here = [s for s in stacks if place(s) == where]
        inside = [s for s in here if "burn_python" in lib.names(s)]
        t.bound(lib.total(here) > 0.08 * lib.total(stacks), f"{name}: {where}",
                f"{lib.total(here)} of {lib.total(stacks)}")
        if python and where != "in_heap":
            t.bound(lib.total(inside) > 0.3 * lib.total(here),
                    f"{name}: {where}: Python called there",
                    f"{lib.total(inside)} of {lib.total(here)}")


def check(t, name, i, library):
    with lib.Target(i, "fibers.py", lib.stage(i, library)) as p:
        stacks, _ = lib.observe([p.pid], lib.SECONDS, "-F", lib.RATE)
    all_of_them, lost = lib.total(stacks), [s for s in stacks if "work" not in lib.names(s)]
    t.ok(all_of_them and lib.total(lost) <= (1 - OWN) * all_of_them, f"{name}: the thread's own stack",
         f"{lib.total(lost)} of {all_of_them} without\n{lib.worst(lost)}")
    main = [s for s in stacks if "<module>" in lib.names(s)]
    other = [s for s in stacks if s not in main and place(s)]
    for what, mine in (("main thread", main), ("other thread", other)):
        check_thread(t, f"{name} {what}", mine, all_of_them, i.minor < (3, 14))


def main():
    lib.need_krait()
    t = lib.Tap()
    library = lib.helper("fibers")
    for i, name in t.each_interpreter("fibers"):
        if not lib.TRUTH and (i.debug or i.minor not in MINORS):
            t.skip(name, "only some versions are tested; TRUTH=1 tests all")
            continue
        if i.root and i.minor < (3, 10):
            t.skip(name, "its libc is too old for the helper library")
            continue
        t.trial(name, check, t, name, i, library)
    t.done()


main()
