#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Functions compiled to C that keep Python frames (by Nuitka): stacks through them are complete,
both where Python calls them and where they call Python. Such a frame stores its line only at calls,
so the line is shown as approximate, or not at all."""

import os
import re
import shutil
import subprocess

import interpreters
import lib

MINORS = (3, 7), (3, 10), (3, 11), (3, 12), (3, 13)  # one for each frame layout; TRUTH=1 takes all
PLACES = "import sysconfig; p = sysconfig.get_paths(); print(p['include'])"
LINES = lib.hot_lines("compiled.py")
PYTHON = [f"<module> (compiled.py:{LINES['main'] + 5})", f"main (compiled.py:{LINES['main']})"]
BACK = re.compile(r"back \(compiled\.py:\d+\)")


def build(interpreter, where):
    cc = shutil.which(os.environ.get("CC", "cc"))
    include = subprocess.run([*interpreter.argv, "-c", PLACES], capture_output=True, text=True,
                             check=True).stdout.strip()
    if not cc or not os.path.exists(os.path.join(include, "Python.h")):
        raise lib.Skip("no C compiler, or no headers of it")
    source = os.path.join(lib.TARGETS, "ext", "compiled.c")
    subprocess.run([cc, "-O2", "-shared", "-fPIC", "-w", "-I", include, "-o",
                    os.path.join(where, "compiled.so"), source], check=True)


def record(interpreter):
    """[(frames, count)] of a recording of both threads."""
    with lib.scratch() as where:
        build(interpreter, where)
        with lib.Target(interpreter, "compiled.py", where) as target:
            with lib.Krait("-p", target.pid, "-F", 1999) as k:
                lib.compute(0.5, target.pid)
                k.finish()
    lines = (line.rpartition(" ") for line in k.out.lines)
    return [(re.sub(r"[^ (;]*/", "", stack).split(";")[1:], int(n)) for stack, _, n in lines]


def is_right(frames):
    here = [f for f in frames if f not in PYTHON]
    if here == ["outer (compiled.py:~12)", "inner (compiled.py)"]:
        return True
    return here[:1] == ["outer (compiled.py:~13)"] and all(map(BACK.fullmatch, here[1:]))


def check(t, name, interpreter):
    stacks = record(interpreter)
    total = sum(n for _, n in stacks)
    parts = {"compiled, called by Python": lambda f: f[2:] == f[-2:] and "inner (" in f[-1],
             "compiled, at the root": lambda f: len(f) == 2 and "inner (" in f[-1],
             "Python, called by compiled": lambda f: "back (" in f[-1]}
    for what, condition in parts.items():
        n = sum(n for f, n in stacks if f and condition(f))
        t.bound(n > 50, f"{name}: {what}", f"{n} of {total}")
    wrong = [s for s in stacks if not is_right(s[0])]
    # In 3.11 and 3.12, a stack is incomplete while the interpreter is entered or left.
    t.bound(sum(n for _, n in wrong) < 0.01 * total, f"{name}: complete stacks", wrong[:8])


def main():
    lib.need_krait()
    t = lib.Tap()
    for i in interpreters.all():  # pyenv's have headers
        if not i.root and "pyenv" in i.label and (lib.TRUTH or i.minor in MINORS):
            name = f"compiled [{i.label}]"
            t.trial(name, check, t, name, i)
    t.done()


main()
