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
SCRIPT = os.path.join(lib.TARGETS, "compiled.py")
PYTHON = [f"<module> (compiled.py:{LINES['module']})", f"main (compiled.py:{LINES['main']})"]
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


def record(interpreter, start):
    """[(frames, count)] of a recording of the program that start(interpreter, folder of the module) runs."""
    with lib.scratch() as where:
        build(interpreter, where)
        with start(interpreter, where) as target:
            target.out.wait_for("READY")
            with lib.Krait("-p", target.pid, "-F", 1999) as k:
                lib.compute(0.5, target.pid)
                k.finish()
    lines = (line.rpartition(" ") for line in k.out.lines)
    return [(re.sub(r"[^ (;]*/", "", stack).split(";")[1:], int(n)) for stack, _, n in lines]


def called(interpreter, where):
    return lib.Process([*interpreter.argv, SCRIPT, where])


def embedded(interpreter, where):
    path = next(x for x in os.listdir(f"{interpreter.prefix}/lib") if x.startswith("libpython3.") and ".so.1.0" in x)
    argv = [lib.tool("embed"), os.path.join(interpreter.prefix, "lib", path), SCRIPT, where, "last"]
    # A large environment: memory beyond the stack can be read, as it often can.
    return lib.Process(argv, env=dict(os.environ, PYTHONHOME=interpreter.prefix, PADDING="." * 100000))


def is_right(frames):
    here = [f for f in frames if f not in PYTHON]
    if here == ["outer (compiled.py:~12)", "inner (compiled.py)"]:
        return True
    return here[:1] == ["outer (compiled.py:~13)"] and all(map(BACK.fullmatch, here[1:]))


def check(t, name, interpreter):
    stacks = record(interpreter, called)
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


def check_all_compiled(t, name, interpreter):
    """Without any frame of the interpreter's loop, as in a program that is compiled as a whole."""
    stacks = record(interpreter, embedded)
    total = sum(n for _, n in stacks)
    inner = sum(n for f, n in stacks if len(f) == 2 and "inner (" in f[-1])
    wrong = [s for s in stacks if not is_right(s[0])]
    t.bound(inner > 50 and sum(n for _, n in wrong) < 0.01 * total, f"{name}: nothing but compiled functions", wrong[:8])


def main():
    lib.need_krait()
    t = lib.Tap()
    for i in interpreters.all():  # pyenv's have headers
        if not i.root and "pyenv" in i.label and (lib.TRUTH or i.minor in MINORS):
            name = f"compiled [{i.label}]"
            t.trial(name, check, t, name, i)
            if i.shared:
                t.trial(name, check_all_compiled, t, name, i)
    t.done()


main()
