#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Targets with corrupt interpreter structures: cyclic or dangling links, impossible lengths. krait
keeps recording, marks what it could not read, and bounds stack depth, name length and memory."""

import contextlib
import resource

import lib

# Cases with a broken link to the caller: the stack must have a marker.
LINKS = ("self", "cycle", "unmapped", "unaligned", "noncanonical", "kernel", "text", "heap")
# A broken code object: its frame may lose its name, and its callers may be missing.
CODES = ("code", "codetype")
# A broken name, file or line table: the callers must still be there.
TEXTS = ("name", "negative", "kind", "file", "lines", "size")
DEEPEST = 4096 + 8
LAYOUTS = ((3, 6), (3, 10), (3, 12), (3, 13))  # with the system's: one for each frame layout
MEMORY = 400 << 10  # KiB of krait at most


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
        t.bound(said > 0.7, f"{name}: marked", f"{said:.3f}\n{lib.worst(stacks)}")


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
    t.ok(alive, f"{name}: the targets keep running")
    for case in cases:
        check(t, f"{name} {case}", case, found[case])


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("corrupt", here=True):
        if i.root or not (lib.TRUTH or i == lib.system() or i.minor in LAYOUTS):
            t.skip(name, "its target needs this machine's libc" if i.root else
                   "one interpreter for each frame layout; TRUTH=1 tests all")
            continue
        t.trial(name, check_all, t, name, i)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    t.ok(used < MEMORY, "memory is bounded", f"{used} KiB")
    t.done()


main()
