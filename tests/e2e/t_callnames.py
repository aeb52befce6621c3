#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""A thread is shown under the name that its program gave it (threading.Thread(name=...)), whole and on
every version; under its kernel name where it has set that itself or threading does not know it."""

import json
import os
import tempfile

import lib


def labels(stacks):
    """{function of the target: names of the threads in which it was sampled}"""
    found = {}
    for s in stacks:
        name = s.root.rpartition("-")[0]
        for function in set(lib.names(s)):
            found.setdefault(function, set()).add(name)
    return found


def check(t, name, i):
    with lib.Target(i, "callnames.py") as target:
        with open(f"/proc/{target.pid}/comm") as f:
            comm = f.read().rstrip()
        stacks, _ = lib.observe([target.pid], 1, "-F", 499, "--by", "thread")
        wanted = json.loads(target.ready)
    seen = labels(stacks)
    for function, shown in wanted.items():
        if function == "main":
            continue
        if function == "renamed" and i.minor >= (3, 14):
            shown = "before"  # a thread's name in the kernel, which only the thread itself changes
        shown = {shown or comm}
        if function == "odd":
            t.bound(len(seen.get(function, ())) == 1 and "\n" not in str(seen[function]),
                    f"{name}: {function}", seen.get(function))
            continue
        t.bound(seen.get(function) == shown, f"{name}: {function}", f"{seen.get(function)}, not {shown}")


def check_formats(t, name):
    """The recording keeps the names; the thread can be chosen by its name."""
    with tempfile.TemporaryDirectory() as where, lib.Target(lib.system(), "callnames.py") as target:
        kept, lines = os.path.join(where, "x.krait"), os.path.join(where, "x.jsonl")
        lib.usage("record", "-F", 499, "-d", 1, "-p", target.pid, "-o", kept, "-o", lines)
        with open(lines) as f:
            names = {o["thread"] for o in map(json.loads, f) if o["type"] == "samples"}
        _, again, _ = lib.usage("report", kept, "-f", "jsonl")
        status, out, err = lib.usage("report", kept, "--where", "thread=ingest-from-kafka-partition-7", "-f", "folded")
    t.bound({"metrics", "ingest-from-kafka-partition-7", "x" * 55} <= names, f"{name}: JSON lines", names)
    restored = {o["thread"] for o in map(json.loads, again.splitlines()) if o["type"] == "samples"}
    t.ok(restored == names, f"{name}: a recording keeps them", f"{restored} {names}")
    stacks = lib.parse(out) if not status else []
    t.ok(stacks and all("long_name" in lib.names(s) for s in stacks), f"{name}: --where thread=",
         f"{err}\n{lib.worst(stacks)}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("names of threads"):
        t.trial(name, check, t, name, i)
    t.trial("names of threads", check_formats, t, "names of threads")
    t.done()


main()
