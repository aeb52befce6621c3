#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The kind of code that each sample's leaf is: bytecode, the interpreter's C, other native code, the kernel with
the system call, the garbage collector. In every output that tells it, and nowhere else."""

import collections
import json
import os
import re

import lib
import pprof

RATE = 1999
SECONDS = 1  # of CPU time
# Function of the target, the kind of its samples, the least share of that kind. Debug builds call
# functions of the interpreter for what the loop of a release contains; in free-threaded ones of GCC the loop
# calls Py_DECREF, whose share depends on the CPU (3 % of the samples on one, 21 % on another).
USUAL = {"bytecode": ("python", 0.9), "sorts": ("interpreter", 0.8), "packs": (None, 0.8), "reads": ("kernel", 0.5),
         "collects": ("gc", 0.85)}
IN_DEBUG = {"bytecode": 0.3}
IN_THREADED = {"bytecode": 0.6}


def record(path, target, *args):
    """Records a target until it has used that much CPU time."""
    with lib.Krait("-p", target.pid, "-o", path, *args) as k:
        lib.compute(SECONDS, target.pid)
        k.finish()


def jsonl(recording, *args):
    """The samples of a recording, as krait report writes them in JSON."""
    status, out, said = lib.usage("report", recording, "-f", "jsonl", "-o", "-", *args)
    if status:
        raise RuntimeError(said)
    return [x for x in map(json.loads, out.splitlines()) if x["type"] == "samples"]


def report(recording, *args):
    status, out, said = lib.usage("report", recording, "-o", "-", *args)
    if status:
        raise RuntimeError(said)
    return out


def leaf(sample):
    return lib.FIRST.sub("", sample["stack"][-1]["name"]) if sample["stack"] else ""


def weigh(samples, key):
    sums = collections.Counter()
    for s in samples:
        sums[key(s)] += s["weight"]
    return sums


def kinds_of(samples, function):
    return weigh([s for s in samples if leaf(s) == function], lambda s: s.get("kind"))


def part(sums, kind):
    total = sum(sums.values())
    return sums[kind] / total if total else 0.0


# --- the kinds --------------------------------------------------------------------------------------

def kind_of_zlib(pid):
    """Some builds have it in the interpreter's own file."""
    with open(f"/proc/{pid}/maps") as f:
        names = {os.path.basename(line.split()[-1]) for line in f if "x" in line.split()[1]}
    return "native" if any("libz" in x or x.startswith("zlib") for x in names) else "interpreter"


def tells_gc(interpreter):
    """3.6 has no flag that can be found; without a GIL the flag does not tell which thread collects."""
    return interpreter.minor > (3, 6) and not interpreter.threaded


def expected(interpreter, function, of_zlib):
    kind, least = USUAL[function]
    if function == "collects" and not tells_gc(interpreter):
        return "interpreter", least
    if interpreter.debug:
        least = IN_DEBUG.get(function, least)
    elif interpreter.threaded:
        least = IN_THREADED.get(function, least)
    return kind or of_zlib, least


def check_turns(t, name, interpreter, folder):
    where = os.path.join(folder, "x.krait")
    with lib.Target(interpreter, "kinds.py", "turns") as target:
        record(where, target, "-F", RATE)
        of_zlib = kind_of_zlib(target.pid)
    samples = jsonl(where)
    for function in USUAL:
        kind, least = expected(interpreter, function, of_zlib)
        sums = kinds_of(samples, function)
        t.bound(sum(sums.values()) > 50 and part(sums, kind) >= least, f"{name}: {function} is {kind}", dict(sums))
    mine = [s for s in samples if leaf(s) == "reads" and s.get("kind") == "kernel"]
    t.bound(part(weigh(mine, lambda s: s.get("call")), "read") >= 0.9, f"{name}: the system call",
            dict(weigh(mine, lambda s: s.get("call"))))
    odd = [s for s in samples if leaf(s) != "collects" and s.get("kind") == "gc"]
    t.ok(not odd, f"{name}: gc only in collects", odd[:2])


def check_beside(t, name, interpreter, folder):
    where = os.path.join(folder, "x.krait")
    with lib.Target(interpreter, "kinds.py", "beside") as target:
        record(where, target, "-F", RATE)
        pid = target.pid
    samples = jsonl(where)
    first = weigh([s for s in samples if s["tid"] == pid], lambda s: s.get("kind"))
    other = weigh([s for s in samples if s["tid"] != pid and leaf(s) == "packs"], lambda s: s.get("kind"))
    if tells_gc(interpreter):
        t.bound(first["gc"] > 20, f"{name}: the first thread collects", dict(first))
    t.bound(sum(other.values()) > 20, f"{name}: the other one packs", dict(other))
    t.ok(not other["gc"] and (first["gc"] or not tells_gc(interpreter)), f"{name}: without the GIL a thread does not collect", dict(other))


# --- outputs ----------------------------------------------------------------------------------------

def merged(samples, kind=False):
    """The weight of each stack, as the folded format divides samples."""
    def key(s):
        of_kind = (s.get("kind") or s["state"], s.get("call") if s.get("kind") == "kernel" else None)
        frames = tuple((f["name"], f.get("file"), f.get("line")) for f in s["stack"])
        return (of_kind if kind else None, s["pid"], frames)
    return sorted(weigh(samples, key).values())


def check_outputs(t, name, folder):
    where = os.path.join(folder, "x.krait")
    with lib.Target(lib.system(), "kinds.py", "turns") as target:
        record(where, target, "-F", RATE)
    samples = jsonl(where)
    kinds = weigh(samples, lambda s: s.get("kind"))
    total = sum(kinds.values())
    folded = lib.parse(report(where, "-f", "folded"))
    t.ok(sorted(s.count for s in folded) == merged(samples), f"{name}: folded lines do not tell kinds")
    folded = lib.parse(report(where, "-f", "folded", "--by", "kind"))
    t.ok(sorted(s.count for s in folded) == merged(samples, True), f"{name}: but with --by kind")
    roots = collections.Counter()
    for s in folded:
        roots[s.root.partition(":")[0]] += s.count
    t.ok(roots == {k or "[kind unknown]": n for k, n in kinds.items()}, f"{name}: the roots are the kinds", roots)
    check_speedscope(t, name, where, samples)
    t.ok(weigh(jsonl(where, "--where", "kind=kernel"), lambda s: s["kind"]) == {"kernel": kinds["kernel"]},
         f"{name}: --where kind=kernel")
    read = sum(s["weight"] for s in samples if s.get("kind") == "kernel" and s.get("call") == "read")
    got = sum(s["weight"] for s in jsonl(where, "--where", "kind=kernel: read"))
    t.ok(got == read > 0, f"{name}: --where kind='kernel: read'", f"{got} of {read}")
    check_table(t, name, where, kinds, total)
    check_pprof(t, name, where, kinds, folder)
    page = report(where, "-f", "html")
    t.ok('"name":"kind"' in page and all(f'"{k}"' in page for k in ("python", "interpreter", "gc", "kernel: read")),
         f"{name}: the page has the kinds")


def check_speedscope(t, name, where, samples):
    def stacks(*args):
        made = json.loads(report(where, "-f", "speedscope", *args))
        return [tuple(s) for p in made["profiles"] for s in p["samples"]]
    per_state = weigh(samples, lambda s: (s["tid"], s.get("holds_gil"), tuple(map(str, s["stack"]))))
    t.ok(len(stacks()) == len(per_state), f"{name}: speedscope has each stack once",
         f"{len(stacks())} of {len(per_state)}")
    t.ok(len(stacks("--by", "kind")) > len(stacks()), f"{name}: speedscope divides with --by kind")


def check_table(t, name, where, kinds, total):
    table = report(where, "-f", "table", "--limit", "0")
    rows = [line.split() for line in table.splitlines() if re.match(r" +\d", line)]
    sums = [sum(float(r[i]) for r in rows) for i in (2, 3, 4)]
    c = kinds["interpreter"] + kinds["native"] + kinds["gc"]
    wanted = [100 * n / total for n in (kinds["python"], c, kinds["kernel"])]
    t.ok(" PY      C    SYS " in table and all(abs(a - b) < 0.3 for a, b in zip(sums, wanted)),
         f"{name}: PY, C and SYS", f"{sums}, {wanted}\n{table}")
    t.ok(all(abs(float(r[0]) - sum(map(float, r[2:5]))) < 0.1 for r in rows) or kinds[None],
         f"{name}: SELF = PY + C + SYS", table)
    t.ok(" SYS " not in report(where, "-f", "table", "--by", "kind"), f"{name}: not in groups of kinds")
    t.ok(" SYS " not in report(where, "-f", "table", "--no-states"), f"{name}: not with --no-states")


def check_pprof(t, name, where, kinds, folder):
    path = os.path.join(folder, "x.pb.gz")
    status, _, said = lib.usage("report", where, "-o", path)
    got = collections.Counter()
    for _, (count, *_), labels in pprof.samples(pprof.decode(path)) if not status else ():
        got[labels.get("kind")] += count
    t.ok(got == kinds, f"{name}: labels of pprof", f"{got}, {kinds}\n{said}")


def check_wall(t, name, folder):
    where = os.path.join(folder, "x.krait")
    with lib.Target(lib.system(), "kinds.py", "sleeps") as target:
        record(where, target, "-m", "wall", "-F", 199)
    samples = jsonl(where)
    running = weigh([s for s in samples if s["state"] == "running"], lambda s: s.get("kind"))
    t.bound(part(running, "python") >= 0.9, f"{name}: on a CPU it has a kind", dict(running))
    odd = [s for s in samples if s["state"] != "running" and "kind" in s]
    t.ok(not odd and any(s["state"] == "sleeping" for s in samples), f"{name}: off-CPU it has none", odd[:2])
    roots = {s.root for s in lib.parse(report(where, "-f", "folded", "--by", "kind"))}
    t.ok({"python", "sleeping"} <= roots, f"{name}: --by kind shows the state of a sleeping thread", roots)
    t.ok("WAIT" in report(where, "-f", "table"), f"{name}: the table divides by state")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("kinds"):
        t.trial(name, lib.in_scratch, check_turns, t, name, i)
        t.trial(name, lib.in_scratch, check_beside, t, name, i)
    t.trial("outputs", lib.in_scratch, check_outputs, t, "outputs")
    t.trial("wall", lib.in_scratch, check_wall, t, "wall")
    t.done()


main()
