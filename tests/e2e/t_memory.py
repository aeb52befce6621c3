#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program that keeps creating functions cannot make krait exceed --max-memory: samples of stacks
that are new after the limit are counted under their thread with a marker, and stacks known before
are counted as before."""

import json
import os
import signal
import subprocess
import time

import lib

LIMIT = 64 << 20
SLACK = 1.15
HZ = 999 if lib.TRUTH else 4999
CPU_SECONDS = 300 if lib.TRUTH else 3  # of the target: twice the time to reach the limit
MARK = "[memory limit]"


def resident(pid):
    """Resident set size in bytes; 0 if the process has ended."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError):
        return 0


def recorded(pids, path, *args):
    """(krait's largest resident set size, its standard error, CPU seconds of the pids)"""
    argv = [lib.KRAIT, "record", "-v", "-F", HZ, "--max-memory", LIMIT, "-o", path,
            "-p", ",".join(map(str, pids)), *args]
    most = 0
    with subprocess.Popen(list(map(str, argv)), stderr=subprocess.PIPE, text=True) as krait:
        said = lib.Lines(krait.stderr.buffer)
        said.wait_for("krait: sampling")
        start = [lib.cpu_seconds(p) for p in pids]
        while krait.poll() is None and lib.cpu_seconds(pids[0]) < start[0] + CPU_SECONDS:
            most = max(most, resident(krait.pid))
            time.sleep(0.1)
        krait.send_signal(signal.SIGINT)
        spent = [lib.cpu_seconds(p) - s for p, s in zip(pids, start)]
        krait.wait(lib.PATIENCE)
        said.join()
        return most, "\n".join(said.lines), spent


def check(t, name, pids, path, *args):
    most, said, spent = recorded(pids, path, *args)
    with open(path, encoding="utf-8") as f:
        lines = list(map(json.loads, f))
    losses = {x["name"]: x["count"] for x in lines if x["type"] == "loss"}
    samples = [x for x in lines if x["type"] == "samples"]
    marked = [x for x in samples if any(f["name"] == MARK for f in x["stack"])]
    weight = sum(x["weight"] for x in marked)
    t.ok(most <= SLACK * LIMIT, f"{name}: memory stays at the limit", f"{most / (1 << 20):.1f} MiB")
    t.ok(weight > 100 and MARK in said, f"{name}: the limit was reached, and is reported",
         f"{weight}\n{said}")
    mine = sum(x["weight"] for x in marked if x["pid"] == pids[0])
    t.ok(mine >= 0.95 * weight, f"{name}: samples after it are under their thread",
         f"{mine} of {weight}")
    t.ok(losses["memory_limit"] == weight, f"{name}: their number is reported",
         f"{losses} {weight}")
    total = sum(x["weight"] for x in samples)
    t.ok(f"krait: {total} samples" in said, f"{name}: the output has all samples",
         f"{total}\n{said}")
    steady = sum(x["weight"] for x in samples if x["pid"] == pids[1])
    lost = sum(losses.values()) - weight
    t.ok(spent[1] * HZ * 0.9 - lost - 100 < steady < spent[1] * HZ * 1.1 + 100,
         f"{name}: known stacks are counted as before",
         f"{steady} of {spent[1]:.2f} s, {lost} lost")
    t.note(f"{name}: {most / (1 << 20):.1f} MiB at most, {weight} of {total} after the limit")


def main():
    lib.need_krait()
    t = lib.Tap()
    with lib.scratch() as where, lib.Target(lib.system(), "growing.py") as target:
        pids = [target.pid, int(target.ready)]
        with t.guard("functions"):
            check(t, "functions", pids, f"{where}/a.jsonl")
        with t.guard("functions, kept"):
            check(t, "functions, kept", pids, f"{where}/b.jsonl", "-o", f"{where}/b.krait")
    t.done()


main()
