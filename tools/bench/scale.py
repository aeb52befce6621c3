# SPDX-License-Identifier: BSD-2-Clause
"""Measures krait's cost on a host with many processes: time to start, memory, and CPU time while it
records (root; `make bench-scale`).

    scale.py [--pythons 500] [--others 5000] [--rounds 5] [--seconds 10] [--hz 99]
             [--json FILE] [--krait PATH]...
    scale.py --flat 60 [--pythons 500] [--krait PATH]

Three settings in turn: one Python that spins (in all settings); in addition --pythons that sleep
(servers with forked workers, of all installed versions); in addition --others, processes other than
Python. In each, recordings of the whole host:

    line ms      from the start of the command to the line "krait: sampling"
    first ms     to the first run of the sampler, by the kernel's statistics of that program; the
                 clocks of all CPUs start before the line and tick a period later. Both: median of
                 the rounds, minimum and maximum in parentheses
    start ms     CPU time of krait itself until then (schedstat), median: the part that could be
                 saved. The rest is waiting, mostly for a CPU if other programs are busy
    peak MB      krait's largest (VmHWM) and current (VmRSS) resident set size, both at the end of
    own MB       the long recording
    kernel MB    its maps at that time (memlock of /proc/PID/fdinfo)
    cpu ms       CPU time of krait itself in the --seconds of the long recording
    sampler ms   of all runs of its sampler in that time, on all CPUs; then ns per run

Several --krait are measured in turn, for comparison. Other processes of the host are recorded, too,
so compare only figures of one table. --flat SECONDS: --pythons that all do the same thing twice a
second, and one recording, whose memory is printed at intervals (RssAnon: without the pages of the
rings, which krait shares with the kernel and touches one by one). After the first quarter it must
not grow. Environment: KRAIT (default of --krait), SLEEPERS (the built tests/targets/sleepers.c)."""

import argparse
import contextlib
import ctypes
import glob
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from statistics import median

import progs

HERE = os.path.dirname(os.path.abspath(__file__))
WORKERS = 9  # of each server
PATIENCE = 120  # seconds
PERF_EVENT = "7"  # BPF_PROG_TYPE_PERF_EVENT
FLAT_HZ = 999  # high, so that all stacks are soon known
FLAT_KB = 512  # by which a recording may grow once all stacks are known


def die(text):
    print("scale: " + text, file=sys.stderr)
    sys.exit(1)


# --- processes of the host ------------------------------------------------------------------------

def pythons():
    paths = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python"))
    return sorted(paths) + sorted(glob.glob("/usr/bin/python3.[0-9]*[0-9]")) or [sys.executable]


def die_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def await_lines(pipe, n):
    for _ in range(n):
        if not select.select([pipe], [], [], PATIENCE)[0] or not pipe.readline():
            die("a process of the setting did not start")


class Host:
    """The processes of a setting; end() ends them."""

    def __init__(self, sleepers):
        self.sleepers, self.children = sleepers, []

    def _start(self, argv, **more):
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, bufsize=0, preexec_fn=die_with_us,
                                 **more)
        self.children.append(child)
        return child

    def spin(self):
        self._start([sys.executable, "-c", "while True: pass"])

    def add_pythons(self, n, idle=0):
        paths, out = pythons(), os.pipe()
        for i in range(0, n, WORKERS + 1):
            workers = min(WORKERS, n - i - 1)
            path = paths[i // (WORKERS + 1) % len(paths)]
            self._start([path, os.path.join(HERE, "many.py"), str(workers), str(idle)],
                        stdout=out[1])
        os.close(out[1])
        with open(out[0], "rb", 0) as pipe:
            await_lines(pipe, n)

    def add_others(self, n):
        await_lines(self._start([self.sleepers, str(n)], stdout=subprocess.PIPE).stdout, 1)

    def end(self):
        for child in self.children:
            child.stdin.close()
            child.kill()
            child.wait()


# --- krait ----------------------------------------------------------------------------------------

def fields(path):
    with open(path) as f:
        return dict(line.rstrip("\n").split(":", 1) for line in f if ":" in line)


class Krait:
    """A recording, by default of the whole host; leaving the `with` ends it."""

    def __init__(self, path, hz, *args):
        self.began = time.monotonic()
        self.child = subprocess.Popen([path, "record", "-F", str(hz), "-d", "unlimited",
                                       "-o", "/dev/null", *args], stderr=subprocess.PIPE, text=True)
        self.proc = "/proc/%d/" % self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        self.child.stderr.read()
        self.child.wait()

    def await_line(self):
        line = self.child.stderr.readline()
        if "sampling" not in line:
            die("krait: " + line + self.child.stderr.read())
        return time.monotonic() - self.began

    def descriptors(self):
        for name in os.listdir(self.proc + "fdinfo"):
            with contextlib.suppress(FileNotFoundError):
                yield self.proc + "fdinfo/" + name, fields(self.proc + "fdinfo/" + name)

    def await_sample(self):
        """(seconds to the line, seconds to the first run). Descriptors are read only after the
        line, so that this does not disturb krait's start."""
        line = self.await_line()
        self.sampler = [path for path, info in self.descriptors()
                        if info.get("prog_type", "").strip() == PERF_EVENT]
        while not self.runs()[0]:
            if self.child.poll() is not None or time.monotonic() - self.began > PATIENCE:
                die("the sampler never ran")
            time.sleep(0.0002)
        return line, time.monotonic() - self.began

    def runs(self):
        """[number of runs of the sampler, their ns]"""
        infos = [fields(path) for path in self.sampler]
        return [sum(int(i[key]) for i in infos) for key in ("run_cnt", "run_time_ns")]

    def cpu_ns(self):
        with open(self.proc + "schedstat") as f:
            return int(f.read().split()[0])

    def memory_kb(self, key):
        return int(re.match(r"\s*(\d+) kB", fields(self.proc + "status")[key]).group(1))

    def kernel_kb(self):
        maps = {i["map_id"]: int(i["memlock"]) for _, i in self.descriptors() if "map_id" in i}
        return sum(maps.values()) // 1024


def start_once(path, hz):
    with Krait(path, hz) as k:
        line, first = k.await_sample()
        return {"line": line * 1e3, "first": first * 1e3, "cpu": k.cpu_ns() / 1e6}


def record_once(path, hz, seconds):
    with Krait(path, hz) as k:
        k.await_sample()
        runs, cpu = k.runs(), k.cpu_ns()
        time.sleep(seconds)
        runs = [b - a for a, b in zip(runs, k.runs())]
        return {"cpu": (k.cpu_ns() - cpu) / 1e6, "runs": runs[0], "sampler": runs[1] / 1e6,
                "hwm": k.memory_kb("VmHWM"), "rss": k.memory_kb("VmRSS"), "kernel": k.kernel_kb()}


# --- tables ---------------------------------------------------------------------------------------

HEAD = ("pythons", "others", "line ms", "", "first ms", "", "start ms", "peak MB", "own MB",
        "kernel MB", "cpu ms", "sampler ms", "ns/run", "krait")


def spread(values):
    return "%.0f" % median(values), "(%.0f..%.0f)" % (min(values), max(values))


def mb(kb):
    return "%.1f" % (kb / 1024)


def row(setting, path, m):
    def of(key):
        return [s[key] for s in m["starts"]]
    long = m["long"]
    return setting + spread(of("line")) + spread(of("first")) + (
        "%.0f" % median(of("cpu")), mb(long["hwm"]), mb(long["rss"]), mb(long["kernel"]),
        "%.1f" % long["cpu"], "%.1f" % long["sampler"],
        "%.0f" % (long["sampler"] * 1e6 / max(long["runs"], 1)), path)


def print_table(rows):
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  ".join(str(x).rjust(w) for x, w in zip(r, widths)))


def measure(o, setting):
    """[(setting, krait, measurements)]; the kraits are measured in turn."""
    result = {path: {"starts": []} for path in o.krait}
    for _ in range(o.rounds):
        for path in o.krait:
            result[path]["starts"].append(start_once(path, o.hz))
    for path in o.krait:
        result[path]["long"] = record_once(path, o.hz, o.seconds)
    return [(setting, path, m) for path, m in result.items()]


def compare(o, host):
    host.spin()
    results = measure(o, (0, 0))
    host.add_pythons(o.pythons)
    results += measure(o, (o.pythons, 0))
    host.add_others(o.others)
    results += measure(o, (o.pythons, o.others))
    print_table([HEAD] + [row(*r) for r in results])
    if o.json:
        with open(o.json, "w") as f:
            json.dump(results, f, indent=1)


def flat(o, host):
    host.add_pythons(o.pythons, idle=0.5)
    seen = []
    with Krait(o.krait[0], FLAT_HZ) as k:
        k.await_line()
        for second in range(o.flat):
            time.sleep(1)
            seen.append((k.memory_kb("RssAnon"), k.kernel_kb()))
            if second % 5 == 0 or second == o.flat - 1:
                print("%3d s  own %6d kB  kernel %6d kB" % ((second + 1,) + seen[-1]), flush=True)
    early = seen[o.flat // 4]
    grown = [late - soon for soon, late in zip(early, seen[-1])]
    print("grown since second %d: own %d kB, kernel %d kB" % (o.flat // 4 + 1, *grown))
    if max(grown) > FLAT_KB:
        die("memory is not flat")


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--pythons", type=int, default=500)
    p.add_argument("--others", type=int, default=5000)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--hz", type=int, default=99)
    p.add_argument("--flat", type=int, default=0, metavar="SECONDS")
    p.add_argument("--krait", action="append")
    p.add_argument("--json", help="every single measurement, too")
    o = p.parse_args()
    o.krait = o.krait or [os.environ["KRAIT"]]
    return o


def main():
    o = options()
    statistics = progs.keep_statistics()
    host = Host(os.environ["SLEEPERS"])
    try:
        (flat if o.flat else compare)(o, host)
    finally:
        host.end()
        os.close(statistics)


if __name__ == "__main__":
    main()
