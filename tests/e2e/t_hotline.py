#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The leaf's line is the line that takes the time, whether it is spent in bytecode or in C code."""

import lib


def check(t, name, interpreter):
    with lib.Target(interpreter, "hotline.py") as target:
        stacks, _ = lib.observe([target.pid], 1, "-F", 1999)
    for function, line in lib.hot_lines("hotline.py").items():
        mine = [s for s in stacks if s.frames and s.frames[-1].name == function]
        part = lib.share(mine, lambda s, line=line: s.frames[-1].line == line)
        t.bound(lib.total(mine) > 200 and part > 0.9, f"{name} {function}",
                f"{part:.3f} of {lib.total(mine)} on line {line}\n{lib.worst(mine)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("hot line"):
        t.trial(name, check, t, name, i)
    t.done()


main()
