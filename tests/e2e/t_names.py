#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Function and file names: in each of CPython's string kinds, as UTF-8; qualified from 3.11 on.
Names that contain a format's separators or bidirectional controls must not break the output, and
formats with an escape have them unchanged."""

import json

import lib


def leaves(stacks):
    return {(s.frames[-1].name, s.frames[-1].file) for s in stacks if s.frames}


def check_case(t, name, seen, function, path):
    if len(function) > 100:  # may be truncated, between two characters
        good = any(n.startswith(function[:60]) and p.startswith(path[:60]) for n, p in seen if p)
    else:
        good = (function, path) in seen
    t.ok(good, f"{name} {function[:20]} {path[:20]}", sorted(map(str, seen))[:12])


def check_nested(t, name, stacks, qualified):
    wanted = ("Outer.method", "Outer.method.<locals>.inner") if qualified else ("method", "inner")
    good = [s for s in stacks if tuple(f.name for f in s.frames[-2:]) == wanted]
    t.ok(good, f"{name} {wanted[1]}", sorted(map(str, leaves(stacks))))


def check_hostile(t, name, stacks, renaming):
    """Hostile names remain one frame each."""
    odd = [s for s in stacks if len(s.frames) > 4 or any(f.file == "" for f in s.frames)]
    t.ok(not odd, f"{name}: hostile names add no frames", lib.worst(odd))
    forged = [s for s in stacks if s.frames[-1].name == "hostile" and s.frames[-1].line is None]
    t.ok(not forged, f"{name}: hostile names keep their lines", lib.worst(forged))
    unnamed = [s for s in stacks if s.frames[-1][:2] == ("?", "/names/named.py")]
    marked = [s for s in stacks if s.frames[-1].file is None]
    t.ok((unnamed or not renaming) and not marked, f"{name}: an empty name is shown as ?",
         lib.worst(marked))
    n = {f for f in leaves(stacks) if f[0] == "hostile"}
    t.ok(len(n) >= 5, f"{name}: hostile file names stay distinct", n)


def check_turned(t, name, stacks, lines):
    """Bidirectional and invisible characters are escaped in folded text and unchanged in JSON.
    (lib.parse() has refused them in folded text.)"""
    t.ok(any(f.file.endswith(r"turned\u202eyp.xod\u2066\u200b\ufeff\U000e0041.py") for s in stacks
             for f in s.frames[-1:] if f.file), f"{name}: bidirectional controls are escaped")
    files = {f.get("file") for line in lines if line["type"] == "samples" for f in line["stack"]}
    for whole in ("/names/turned\u202eyp.xod\u2066\u200b\ufeff\U000e0041.py", "/names/new\nline.py"):
        t.ok(whole in files, f"{name}: unchanged in JSON: {whole!a}",
             sorted(map(str, files))[:20])


def recorded(interpreter, where):
    with lib.Target(interpreter, "names.py", cpu=0) as target:
        path, whole = f"{where}/names.folded", f"{where}/names.jsonl"
        lib.observe([target.pid], 1.5, "-F", 1999, "--full-paths", "-o", path, "-o", whole)
        with open(path, "rb") as f:
            text = f.read().decode("utf-8")  # strict: anything else is a failure
        with open(whole, encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        return json.loads(target.ready), lib.of(lib.parse(text), target.pid), lines


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("names"):
        with t.guard(name), lib.scratch() as where:
            cases, stacks, lines = recorded(i, where)
            seen = leaves(stacks)
            for function, path in cases:
                check_case(t, name, seen, function, path)
            check_nested(t, name, stacks, i.minor >= (3, 11))
            check_hostile(t, name, stacks, i.minor >= (3, 8))
            check_turned(t, name, stacks, lines)
    t.done()


main()
