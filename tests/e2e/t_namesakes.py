#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Different things with the same name are never merged, in any format: functions of the same name
in one file, files whose paths end alike, threads with a reused id, threads that change their
name."""

import json
import re
from collections import Counter

import lib
import pprof

MINORS = ((3, 6), (3, 10), (3, 12), (3, 13))  # in addition to the system's
FORMATS = ("folded", "jsonl", "speedscope.json", "pb.gz", "html", "report")
HZ = 999
SHARED = ("get", "run", "<lambda>", "inner")  # names of two functions each


# --- functions: each reader returns {function as shown: weight of the stacks with it} -------------

def shared(name):
    return name.split(" (")[0].split(":")[0].rpartition(".")[2] in SHARED


def jsonl(path):
    shown = Counter()
    with open(path, encoding="utf-8") as f:
        for s in map(json.loads, f):
            for key in {(x["name"], x.get("file"), x.get("first_line")) for x in s.get("stack", ())}:
                shown[key] += s["weight"] * shared(key[0])
    return +shown


def folded(path, lines):
    """With `lines`, frames of the file have lines, which are ignored here."""
    shown = Counter()
    with open(path, encoding="utf-8") as f:
        for s in lib.parse(f.read()):
            for key in {(x.name, x.file, None if lines else x.line) for x in s.frames}:
                shown[key] += s.count * shared(key[0])
    return +shown


def speedscope(path):
    with open(path, encoding="utf-8") as f:
        said = json.load(f)
    names, shown = [x["name"] for x in said["shared"]["frames"]], Counter()
    for p in said["profiles"]:
        for stack, weight in zip(p["samples"], p["weights"]):
            for name in {names[i] for i in stack}:
                shown[name] += round(weight * HZ) * shared(name)
    return +shown


def pprof_names(path):
    shown = Counter()
    for stack, values, _ in pprof.samples(pprof.decode(path)):
        for name in {name for name, *_ in stack}:
            shown[name] += values[0] * shared(name)
    return +shown


def page(path):
    with open(path, encoding="utf-8") as f:
        said = json.loads(re.search(r'id="profile">\n?(.*?)</script>', f.read(), re.S)[1])
    funcs, files, up = said["funcs"], said["files"]["short"], said["nodes"]["up"]
    texts = [f"{n} ({files[f - 1]})" for n, f in zip(funcs["name"], funcs["file"])]
    shown = Counter()
    for node, weight in zip(said["rows"]["node"], said["rows"]["weight"]):
        seen = set()
        while node:
            seen.add(texts[said["frames"]["func"][said["nodes"]["frame"][node]]])
            node -= up[node]
        for text in seen:
            shown[text] += weight * shared(text)
    return +shown


def table(text):
    """{row: total share}"""
    share = r" *([\d.]+)  \S+"
    split = r"(?: +[\d.]+){3}"  # PY, C and SYS
    rows = (re.match(share + split + share + " +(.*)", x) for x in text.splitlines())
    return {m[3]: float(m[2]) for m in rows if m and shared(m[3])}


def check_functions(t, name, interpreter, where):
    outputs = [x for f in FORMATS for x in ("-o", f"{where}/r.{f}")]
    with lib.Target(interpreter, "namesakes.py", "functions") as target:
        lib.observe([target.pid], 1.2, "-F", HZ, "-o", f"{where}/r.krait", *outputs)
    truth = jsonl(f"{where}/r.jsonl")
    wanted = sorted(truth.values())
    t.ok(len(truth) == 2 * len(SHARED), f"{name}: the functions are distinct", truth)
    for what, got in (("folded", folded(f"{where}/r.folded", True)), ("speedscope", speedscope(f"{where}/r.speedscope.json")),
                      ("pprof", pprof_names(f"{where}/r.pb.gz")), ("the page", page(f"{where}/r.html"))):
        t.ok(sorted(got.values()) == wanted, f"{name}: {what} shows each function", f"{got}\n{truth}")
    for args, f in (((), "folded"), (("--no-lines",), "short"), (("--no-lines", "--full-paths"), "whole")):
        lib.usage("report", f"{where}/r.krait", *args, "-f", "folded", "-o", f"{where}/{f}.again")
        got = folded(f"{where}/{f}.again", not args)
        t.ok(sorted(got.values()) == wanted, f"{name}: a saved recording: {f}", f"{got}\n{truth}")
    check_table(t, name, where, truth)


def check_table(t, name, where, truth):
    total = sum(int(x.rpartition(" ")[2]) for x in lib.usage("report", f"{where}/r.krait", "-f", "folded")[1].splitlines())
    rows = table(lib.usage("report", f"{where}/r.krait", "--limit", 0)[1])
    wanted = sorted(100 * n / total for n in truth.values())
    t.ok(len(rows) == len(wanted) and all(abs(a - b) < 0.006 for a, b in zip(sorted(rows.values()), wanted)),
         f"{name}: the table has each function", f"{rows}\n{wanted}")
    runs = [(first, n) for (function, _, first), n in truth.items() if function.rpartition(".")[2] == "run"]
    for first, n in runs:
        said = lib.usage("report", f"{where}/r.krait", "--callees", f"run:{first}")[1]
        m = re.search(r"is in ([\d.]+) %", said)
        t.ok(m and abs(float(m[1]) - 100 * n / total) < 0.006, f"{name}: --callees of one of them", said[-600:])
    said = lib.usage("report", f"{where}/r.krait", "--source", "orders/api/views.py")[1]
    n = next(n for (_, file, _), n in truth.items() if "orders" in file)
    m = re.search(r"/shop/orders/api/views.py: ([\d.]+) % of the samples; source text not found\n", said)
    t.ok(m and abs(float(m[1]) - 100 * n / total) < 0.006, f"{name}: --source of one of them", said[-600:])


# --- threads --------------------------------------------------------------------------------------

def jobs(frames):
    return {f[-1] for f in frames if f.startswith(("job_", "nap_"))}


def check_roots(t, name, stacks, where):
    """Each root frame has the stacks of a single job."""
    by = {}
    for root, frames, count in stacks:
        for job in jobs(frames):
            by.setdefault(root, Counter())[job] += count
    mixed = {root: n for root, n in by.items() if len(n) > 1}
    t.ok(len(by) >= 4 and not mixed, f"{name}: {where}: no thread has stacks of another one", by)
    return by


def in_folded(path):
    with open(path, encoding="utf-8") as f:
        return [(s.root, lib.names(s), s.count) for s in lib.parse(f.read())]


def in_jsonl(path):
    with open(path, encoding="utf-8") as f:
        return [((s["thread"], s["tid"], s["thread_start"]), [x["name"] for x in s["stack"]], s["weight"])
                for s in map(json.loads, f) if s["type"] == "samples"]


def in_pprof(path):
    return [((labels["thread"], labels["tid"]), [x[0].split(" (")[0] for x in stack], values[0])
            for stack, values, labels in pprof.samples(pprof.decode(path))]


def check_threads(t, name, interpreter, where, mode):
    outputs = [x for f in ("folded", "jsonl", "pb.gz", "krait") for x in ("-o", f"{where}/r.{f}")]
    with lib.Target(interpreter, "namesakes.py", "threads") as target:
        with lib.Krait("-p", target.pid, "-F", 499, "--mode", mode, "--by", "thread", *outputs) as k:
            target.tell("go")
            again = [target.out.wait_for("AGAIN", nth=i + 1) for i in range(2)] if mode == "cpu" else []
            start = lib.cpu_seconds(target.pid)
            lib.until(lambda: lib.cpu_seconds(target.pid) - start > 0.5, "it computes")
            k.finish()
    t.note(f"{name}: {again}")
    by = check_roots(t, name, in_folded(f"{where}/r.folded"), "folded")
    t.ok({"as-a", "as-b"} <= {root.rpartition("-")[0] for root in by},
         f"{name}: a renamed thread is shown under both names", by)
    if any("same" in x for x in again):
        t.ok(any("#2" in root for root in by), f"{name}: the second thread of an id has #2", by)
    check_roots(t, name, in_jsonl(f"{where}/r.jsonl"), "JSON")
    check_roots(t, name, in_pprof(f"{where}/r.pb.gz"), "pprof")
    lib.usage("report", f"{where}/r.krait", "--by", "thread", "-o", f"{where}/again.folded")
    check_roots(t, name, in_folded(f"{where}/again.folded"), "a saved recording")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("namesakes"):
        if not (lib.TRUTH or i == lib.system() or (i.minor in MINORS and not i.root and not i.threaded)):
            t.skip(name, "only some versions are tested; TRUTH=1 tests all")
            continue
        with t.guard(f"{name}: functions"), lib.scratch() as where:
            check_functions(t, name, i, where)
        if i != lib.system() and not lib.TRUTH:
            continue
        for mode in ("cpu", "wall"):
            with t.guard(f"{name}: threads, {mode}"), lib.scratch() as where:
                check_threads(t, f"{name}, {mode}", i, where, mode)
    t.done()


main()
