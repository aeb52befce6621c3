# SPDX-License-Identifier: BSD-2-Clause
"""Measures the cost of short-lived processes, and their lost samples (root; `make bench-storm`).

    storm.py [--seconds 60] [--rate 167] [--hz 999] [--python PATH] [--krait PATH]...

One Python forks --rate children per second (tests/targets/forks.py; the default is 10,000 a
minute); most exit at once, every twentieth execs the interpreter. krait records it and its
descendants. Then 300 children that live for 50 ms, eight at a time, by fork and by exec
(tests/targets/lives.py). For each krait:

    on_fork, on_exec, on_exit   runs on the whole host, and ns per run, by the kernel's statistics
    krait                       its CPU time during the storm, also as share of one core; its memory
                                after the first half of the storm, and its growth in the second
    dead left                   entries of the storm's processes in map procs, two collections later
    unknown                     samples lost because krait did not know their process yet, or ever
    before                      samples of a process whose interpreter was not initialized yet

Virtual machines are noisy: compare only figures of one run. Environment: KRAIT (default of
--krait)."""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import progs

TARGETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/targets")
PROGRAMS = ("on_fork", "on_exec", "on_exit")
CHILDREN = 300


def die(text):
    print("storm: " + text, file=sys.stderr)
    sys.exit(1)


class Target:
    """A program of tests/targets; leaving the `with` ends it."""

    def __init__(self, python, script, *args):
        self.child = subprocess.Popen([python, os.path.join(TARGETS, script), *map(str, args)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.await_line("READY")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.communicate()

    def await_line(self, prefix):
        line = self.child.stdout.readline()
        if not line.startswith(prefix):
            die(f"the target said {line!r}, not {prefix}")
        return line.split()[1:]

    def tell(self, text):
        print(text, file=self.child.stdin, flush=True)
        return self.await_line("DONE")


class Krait:
    """A recording of a process and its descendants."""

    def __init__(self, path, hz, pid):
        self.child = subprocess.Popen([path, "record", "-F", str(hz), "-p", str(pid), "-s"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.child.stderr.readline()
        if "sampling" not in line:
            die("krait: " + line + self.child.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.communicate()

    def finish(self):
        """(folded lines, summary)"""
        self.child.send_signal(signal.SIGINT)
        out, words = self.child.communicate()
        return out, words

    def ids(self, key):
        """The ids of krait's maps or programs."""
        found = set()
        where = f"/proc/{self.child.pid}/fdinfo/"
        for name in os.listdir(where):
            with contextlib.suppress(FileNotFoundError), open(where + name) as f:
                found |= set(re.findall(key + r":\s+(\d+)", f.read()))
        return found

    def runs(self):
        """{program: (runs, ns)}"""
        shown = [progs.bpftool("prog", "show", "id", i) for i in self.ids("prog_id")]
        return {p["name"]: (p.get("run_cnt", 0), p.get("run_time_ns", 0)) for p in shown
                if p.get("name") in PROGRAMS}

    def known(self):
        """The pids in map procs."""
        for i in self.ids("map_id"):
            if progs.bpftool("map", "show", "id", i).get("name") == "procs":
                return {x["formatted"]["key"]["tgid"] for x in progs.bpftool("map", "dump", "id", i)}
        die("no map procs")

    def cpu_ms(self):
        with open(f"/proc/{self.child.pid}/schedstat") as f:
            return int(f.read().split()[0]) / 1e6

    def memory_kb(self):
        with open(f"/proc/{self.child.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def samples(folded, pattern=""):
    lines = [x for x in folded.splitlines() if re.search(pattern, x)]
    return sum(int(x.rpartition(" ")[2]) for x in lines)


def unknown(words):
    return sum(map(int, re.findall(r"lost (\d+) samples?: (?:before the process was known|"
                                   r"process ended before)", words)))


def losses(what, folded, words):
    shown, before = samples(folded), samples(folded, r"\A[^;]*;\[no Python state\] \d+\Z")
    lost = unknown(words)
    every = max(shown + lost, 1)
    print(f"  {what:<22} {every:6} samples, unknown {lost} ({100 * lost / every:.2f} %), "
          f"before {before} ({100 * before / every:.2f} %)")


def storm(o, path):
    with Target(o.python, "forks.py", o.rate) as target, Krait(path, o.hz, target.child.pid) as k:
        runs, cpu, memory = k.runs(), k.cpu_ms(), []
        for _ in range(2):
            time.sleep(o.seconds / 2)
            memory.append(k.memory_kb())
        cpu, after = k.cpu_ms() - cpu, k.runs()
        made = set(map(int, target.tell("stop")))
        time.sleep(3)
        left = made & k.known()
        folded, words = k.finish()
    print(f"  {len(made)} processes in {o.seconds} s")
    for name in PROGRAMS:
        n, ns = (b - a for a, b in zip(runs[name], after[name]))
        print(f"  {name:<8} {n:7} runs  {ns / max(n, 1):6.0f} ns/run")
    print(f"  krait    {cpu:.0f} ms, {cpu / 10 / o.seconds:.2f} % of a core; {memory[0]} kB, "
          f"{memory[1] - memory[0]:+d} kB; dead left {len(left)}")
    losses("storm", folded, words)


def short(o, path, kind):
    with Target(o.python, "lives.py", o.python) as target, \
            Krait(path, o.hz, target.child.pid) as k:
        target.tell(f"{kind} {CHILDREN}")
        folded, words = k.finish()
    losses(f"{CHILDREN} of 50 ms by {kind}", folded, words)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("--rate", type=int, default=167)
    p.add_argument("--hz", type=int, default=999)
    p.add_argument("--python", action="append")
    p.add_argument("--krait", action="append")
    o = p.parse_args()
    statistics = progs.keep_statistics()
    pythons = o.python or ["/usr/bin/python3"]
    for path in o.krait or [os.environ["KRAIT"]]:
        for o.python in pythons:
            print(f"{path}, {o.python}, {o.hz} Hz", flush=True)
            storm(o, path)
            for kind in ("fork", "exec"):
                short(o, path, kind)
    os.close(statistics)


main()
