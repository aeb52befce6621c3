#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Kernel frames (--kernel): the kernel's functions at the leaf of each sample that found the kernel running, on
the stack that it has without them, and nowhere else."""

import json
import os
import subprocess
import tempfile

import lib

RATE = 499
SECONDS = 0.7  # of CPU time


def record(target, folder, *args):
    path = os.path.join(folder, "kernel.jsonl")
    folded, stored = (os.path.join(folder, "kernel." + x) for x in ("folded", "krait"))
    with lib.Krait("-p", target.pid, "-F", RATE, "-o", path, "-o", folded, "-o", stored, *args) as k:
        lib.compute(SECONDS, target.pid)
        k.finish()
        said = k.err.text()
    with open(path, encoding="utf-8") as f:
        samples = [x for x in map(json.loads, f) if x["type"] == "samples"]
    with open(folded, encoding="utf-8") as f:
        return samples, f.read(), stored, said


def kernel(sample):
    """Names of the kernel's functions, the leaf last."""
    return [f["name"] for f in sample["stack"] if f.get("kind") == "kernel"]


def total(samples):
    return sum(s["weight"] for s in samples)


def below(sample):
    return [f["name"] for f in sample["stack"] if f.get("kind") != "kernel"]


def check(t, label, target, folder, *args):
    samples, folded, stored, said = record(target, folder, "--kernel", *args)
    inside = [s for s in samples if s.get("kind") == "kernel"]
    t.bound(total(inside) >= 0.2 * total(samples) > 0, f"the kernel runs {label}", said)
    has = [s for s in inside if kernel(s)]
    t.bound(total(has) >= 0.98 * total(inside), f"its samples have kernel frames {label}", total(has))
    reads = [s for s in inside if s.get("call") == "read"]
    good = [s for s in reads if "vfs_read" in kernel(s) and "reads" in below(s)]
    t.bound(total(good) >= 0.95 * total(reads) > 0, f"they lead from the system call to its work {label}",
            [kernel(s) for s in reads][:4])
    outside = [s for s in samples if s.get("kind") != "kernel"]
    t.ok(not any(map(kernel, outside)), f"no other sample has any {label}", total(outside))
    t.ok(not any(s["stack"][len(below(s)):] != [f for f in s["stack"] if f.get("kind") == "kernel"] for s in samples),
         f"they are at the leaf {label}", [s["stack"] for s in samples][:2])
    t.ok(";vfs_read_[k];" in folded, f"folded stacks mark them {label}", folded[:300])
    again = os.path.join(folder, "again.folded")
    lib.usage("report", stored, "-o", again)
    with open(again, encoding="utf-8") as f:
        t.ok(sorted(f) == sorted(folded.splitlines(True)), f"recordings keep them {label}", folded[:300])


def check_names(t, target, folder):
    """Who may not see the kernel's addresses gets addresses, and is told."""
    with open("/proc/sys/kernel/perf_event_paranoid", encoding="utf-8") as f:
        if int(f.read()) <= 1:
            t.skip("kernel functions without names", "this kernel shows addresses to all")
            return
    path = os.path.join(folder, "hidden.folded")
    r = subprocess.run(["setpriv", "--bounding-set=-syslog", "--inh-caps=-syslog", lib.KRAIT, "record", "--kernel", "-p",
                        str(target.pid), "-F", str(RATE), "-d", "1", "-o", path], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=lib.PATIENCE, check=False)
    status, said = r.returncode, r.stderr
    with open(path, encoding="utf-8") as f:
        text = f.read()
    t.ok(status == 0 and "kptr_restrict" in said, "krait says why kernel functions have no names", (status, said))
    t.ok("_[k]" in text and "vfs_read" not in text, "they have addresses instead", text[:300])


def main():
    lib.need_krait()
    t = lib.Tap()
    with lib.Target(lib.system(), "kernelwork.py") as target, tempfile.TemporaryDirectory() as folder:
        t.trial("kernel", check, t, "[kernel]", target, folder)
        if os.uname().machine == "x86_64":
            t.trial("kernel and native", check, t, "[kernel and native]", target, folder, "-n")
        samples, folded, _, _ = record(target, folder)
        t.ok(not any(map(kernel, samples)) and "_[k]" not in folded, "no kernel frames without --kernel", folded[:300])
        t.trial("names", check_names, t, target, folder)
    status, _, said = lib.usage("record", "--kernel", "-m", "wall", "-d", "1")
    t.ok(status == 2 and "--kernel" in said, "--kernel is refused with --mode=wall", (status, said))
    t.done()


main()
