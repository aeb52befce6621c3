#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Targets with broken memory: links in circles or into nowhere, impossible lengths. krait goes on,
says what it could not read, and stays within bounds."""

import contextlib
import resource

import lib

# The link to the callers is broken: what is shown must say that it is cut.
LINKS = ("self", "cycle", "unmapped", "unaligned", "noncanonical", "kernel", "text", "heap")
# The function itself is: it may lose its own text, and its callers.
CODES = ("code", "codetype")
# Its texts are: the callers stay.
TEXTS = ("name", "negative", "kind", "file", "lines", "size")
DEEPEST = 4096 + 8
LAYOUTS = ((3, 6), (3, 10), (3, 12), (3, 13))  # and the system's: one of each kind
MEMORY = 400 << 10  # KiB that krait may come to hold


def marked(stack):
    return any(f.file is None for f in stack.frames)


def bounded(t, name, stacks):
    t.bound(lib.total(stacks) > 20, f"{name}: seen", lib.total(stacks))
    deep = max((len(s.frames) for s in stacks), default=0)
    long = max((len(f.name) for s in stacks for f in s.frames), default=0)
    t.ok(deep <= DEEPEST and long <= 4096, f"{name}: bounded", f"{deep} frames, {long} letters")


def check(t, name, case, stacks):
    bounded(t, name, stacks)
    if case in TEXTS:
        rooted = lib.share(stacks, lambda s: [f.name for f in s.frames[:2]] == ["<module>", "main"])
        t.bound(rooted > 0.9, f"{name}: callers are kept", f"{rooted:.3f}\n{lib.worst(stacks)}")
    else:
        said = lib.share(stacks, marked)
        t.bound(said > 0.7, f"{name}: said", f"{said:.3f}\n{lib.worst(stacks)}")


def recorded(interpreter, cases):
    with contextlib.ExitStack() as on:
        library = lib.helper()
        targets = {c: on.enter_context(lib.Target(interpreter, "corrupt.py", c, library))
                   for c in cases}
        with lib.Krait("-F", 999, "-p", ",".join(str(x.pid) for x in targets.values())) as k:
            for x in targets.values():
                x.tell("go")
            lib.compute(0.15, *(x.pid for x in targets.values()))
            stacks = k.finish()
        alive = all(x.child.poll() is None for x in targets.values())
        return {c: lib.of(stacks, x.pid) for c, x in targets.items()}, alive


def check_all(t, name, interpreter):
    cases = LINKS + CODES + TEXTS
    found, alive = recorded(interpreter, cases)
    t.ok(alive, f"{name}: the targets live on")
    for case in cases:
        check(t, f"{name} {case}", case, found[case])


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("corrupt", here=True):
        if i.root or not (lib.TRUTH or i == lib.system() or i.minor in LAYOUTS):
            t.skip(name, "its target needs this machine's libc" if i.root else
                   "one interpreter for each layout; TRUTH=1 takes all")
            continue
        t.trial(name, check_all, t, name, i)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    t.ok(used < MEMORY, "memory is bounded", f"{used} KiB")
    t.done()


main()
