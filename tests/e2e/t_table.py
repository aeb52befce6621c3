#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The table, which is for people: in a recording of waiting threads a function is a row, and what its threads were
doing are columns."""

import json
import re
from collections import Counter

import lib

KINDS = "sleeps,acquires,one,two"
CLASSES = {"running": "RUN", "runnable": "RUN", "throttled": "RUN", "gil wait": "GIL"}  # others: WAIT
NUMBER, INTERVAL = r" *([\d.]+)", r"  ([\d.]+)\.\.([\d.]+)"
SPLIT = NUMBER * 3
HEADS = {"RUN": 0, "WAIT": 1, "GIL": 2}
LIMIT = 0.006  # of a number with two digits


# --- what the recording says -------------------------------------------------------------------------

def samples(path):
    """[(functions, root first; class; weight)]"""
    status, out, err = lib.usage("report", path, "-f", "jsonl", "--no-states")
    if status:
        raise RuntimeError(err)
    found = [x for x in map(json.loads, out.splitlines()) if x["type"] == "samples"]
    return [([f["name"] for f in x.get("stack", ())], CLASSES.get(x["state"], "WAIT"), x["weight"]) for x in found]


def by_class(rows, key):
    """{name: {class: percent}}, of the function that key(stack) names, each sample once."""
    total, found = sum(w for *_, w in rows), {}
    for stack, kind, weight in rows:
        for name in key(stack):
            found.setdefault(name, Counter())[kind] += 100 * weight / total
    return found


# --- what the table says -----------------------------------------------------------------------------

def rows_of(text, shape):
    """{name: numbers} of the lines of that shape."""
    found = {}
    for m in re.finditer(f"^{shape} +(\\S.*)$", text, re.M):
        found[m[m.lastindex].split(" (")[0]] = [float(x) for x in m.groups()[:-1]]
    return found


def report(path, *args):
    status, out, err = lib.usage("report", path, *args)
    if status:
        raise RuntimeError(f"krait report {args}: {err}")
    return out


def same(shown, wanted):
    """Names whose RUN, WAIT and GIL differ."""
    return {name: (shown.get(name), dict(classes)) for name, classes in wanted.items()
            if name not in shown or any(abs(shown[name][i] - classes[x]) > LIMIT for x, i in HEADS.items())}


def check_functions(t, path, rows):
    text = report(path)
    shown = rows_of(text, NUMBER + INTERVAL + SPLIT + NUMBER + INTERVAL)
    wrong = same({k: v[3:6] for k, v in shown.items()}, by_class(rows, lambda stack: stack[-1:]))
    t.ok(not wrong, "functions: RUN, WAIT and GIL are what their threads did", f"{wrong}\n{text}")
    odd = {k: v for k, v in shown.items() if abs(v[0] - sum(v[3:6])) > 3 * LIMIT}
    t.ok(not odd, "functions: they add up to SELF", odd)
    t.ok("acquires" in shown and shown["acquires"][0] > 15 and not re.search(r" \[", text),
         "functions: the one that waits is a row, what it waits for is none", text)
    text = report(path, "--by", "process")
    t.ok("acquires" in rows_of(text, NUMBER + INTERVAL + SPLIT + NUMBER + INTERVAL), "groups: the same", text)


def check_others(t, path, rows):
    text = report(path, "--callers", "acquires")
    wanted = by_class([(s if "acquires" in s else [], c, w) for s, c, w in rows],
                      lambda s: {s[s.index("acquires") - 1]} if s else ())
    t.ok(not (wrong := same({k: v[3:6] for k, v in rows_of(text, NUMBER + INTERVAL + SPLIT).items()}, wanted)),
         "callers", f"{wrong}\n{text}")
    text = report(path, "--callees", "begin")
    wanted = by_class([(s if "begin" in s else [], c, w) for s, c, w in rows],
                      lambda s: {s[s.index("begin") + 1]} if s[-1:] not in ([], ["begin"]) else ())
    shown = rows_of(text, NUMBER + INTERVAL + NUMBER + INTERVAL + SPLIT)
    t.ok(not (wrong := same({k: v[6:9] for k, v in shown.items()}, wanted)), "callees", f"{wrong}\n{text}")
    text = report(path, "--source", "clocks.py")
    line = next(x for x in text.splitlines() if x.endswith("  never.acquire()"))
    self, total, _, _, run, wait, gil = map(float, re.match(NUMBER * 2 + INTERVAL + SPLIT, line).groups())
    t.ok(self == total > 15 and abs(run + wait + gil - total) <= 3 * LIMIT and wait > 0.9 * total, "source", line)


def check_states(t, path):
    """The frames on request."""
    text = report(path, "--states")
    t.ok(" [futex]\n" in text and "RUN" not in text, "--states: rows for what threads wait for", text)
    text = report(path, "--states", "--callers", "[futex]")
    t.ok(re.search(r" acquires \(", text), "--states --callers: who waits for it", text)
    text = report(path, "--no-states")
    t.ok(" acquires (" in text and "RUN" not in text and " [" not in text, "--no-states: functions alone", text)
    text = report(path, "--by", "state")
    t.ok(re.search(r"^futex: \d+ samples", text, re.M) and "RUN" not in text, "--by state: groups", text)
    text = report(path, "--where", "state=futex")
    shown = rows_of(text, NUMBER + INTERVAL + SPLIT + NUMBER + INTERVAL)
    t.ok(shown and all(v[0] == v[4] for v in shown.values()), "--where state=futex: all of it waits", text)
    out = report(path, "-f", "folded")
    t.ok(";[futex] " in out and lib.total(lib.parse(out)), "folded stacks end in the state, as ever", out[:500])


def check_wall(t, where):
    path = f"{where}/wall.krait"
    with lib.Target(lib.system(), "clocks.py", KINDS) as target:
        with lib.Krait("-m", "wall", "-d", "2s", "-p", target.pid, "-o", path) as k:
            k.result()
    rows = samples(path)
    check_functions(t, path, rows)
    check_others(t, path, rows)
    check_states(t, path)


def check_cpu(t, where):
    path = f"{where}/cpu.krait"
    with lib.Target(lib.system(), "clocks.py", KINDS) as target:
        with lib.Krait("-d", "500ms", "-p", target.pid, "-o", path) as k:
            k.result()
    text = report(path)
    t.ok("RUN" not in text and " SELF %  95 % INTERVAL  TOTAL %  95 % INTERVAL  FUNCTION\n" in text,
         "running threads alone: a table without such columns", text)


def main():
    lib.need_krait()
    t = lib.Tap()
    for name, check in (("wall", check_wall), ("cpu", check_cpu)):
        t.trial(name, lib.in_scratch, check, t)
    t.done()


main()
