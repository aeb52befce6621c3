# SPDX-License-Identifier: BSD-2-Clause
"""Measures the cost of containers for krait (root; `make bench-containers`).

    containers.py [--containers 500] [--rounds 5] [--seconds 5] [--hz 4999] [--krait PATH]

The filter: programs other than Python spin on every CPU in a cgroup a number of levels below the
root. krait records another cgroup, so the filter rejects each run of its sampler after it has
checked every level. In turn with it, a krait that filters by user runs on the same CPUs:

    levels       depth of the cgroup; then the number of hierarchies that are checked
    ns/run       of all runs, by the kernel's statistics of the program: median of the rounds,
                 minimum and maximum in parentheses
    filter ns    difference to the filter by user

The host: --containers Pythons compute for half a millisecond every second, first all in one cgroup,
then each in its own (of the first hierarchy) with the name of a container. Recordings of the whole
host:

    line ms      from the start of the command to the line "krait: sampling"
    cpu ms       CPU time of krait itself in a recording of --seconds at 999 Hz
    own MB       its memory at the end of that
    containers   number of containers in the profile
    chosen ms    time to the line "krait: sampling" with --container and one of them

Other processes of the host are recorded, too, so compare only figures of one table. Environment:
KRAIT."""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from statistics import median

import progs
import scale

DEPTHS = (0, 2, 4, 8)
NOBODY = "4294967294"  # a user that no process has
TOP = f"krait-bench-{os.getpid()}"
WORKER = """
import os, sys, time
groups, parent = sys.argv[2:], os.getpid()
for n in range(int(sys.argv[1])):
    pid = os.fork()
    if not pid:
        for g in groups:
            with open(g % n + "/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
        os.write(1, b"started\\n")
        while os.getppid() == parent:
            end = time.process_time() + 0.0005
            while time.process_time() < end:
                pass
            time.sleep(1)
        os._exit(0)
sys.stdin.read()
"""


def mounts():
    """The mount points of version 2, and of the version 1 controller that krait uses."""
    found = {}
    with open("/proc/self/mountinfo") as f:
        for line in f:
            kind, _, options = line.rstrip().partition(" - ")[2].split(None, 2)
            if line.split()[3] == "/" and kind == "cgroup2":
                found["v2"] = line.split()[4]
            elif line.split()[3] == "/" and kind == "cgroup":
                found.update((c, line.split()[4]) for c in options.split(","))
    first = next((c for c in ("memory", "pids", "freezer", "cpuset", "cpu") if c in found), None)
    return [found[x] for x in ("v2", first) if x in found]


class Groups:
    """Creates cgroups in every hierarchy, and removes them at the end."""

    def __init__(self):
        self.made = []

    def make(self, path):
        places = []
        for mount in mounts():
            at = mount
            for part in path.split("/"):
                at += "/" + part
                if not os.path.isdir(at):
                    os.mkdir(at)
                    self.made.append(at)
            places.append(at)
        return places

    def end(self):
        for path in reversed(self.made):
            for _ in range(500):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
                if not os.path.isdir(path):
                    break
                time.sleep(0.01)


def start(argv, places=(), **more):
    def join():
        scale.die_with_us()
        for place in places:
            with open(place + "/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
    return subprocess.Popen(argv, stdin=subprocess.PIPE, preexec_fn=join, **more)


def end(children):
    for child in children:
        child.kill()
        child.wait()


# --- the filter -----------------------------------------------------------------------------------

SPIN = ["nice", "-n", "-20", "sh", "-c", "while :; do :; done"]


def ns_per_run(o, places, *args):
    """Starts the spinning programs after krait, and ends them before it: they would slow down its
    start and end."""
    with scale.Krait(o.krait, o.hz, *args) as k:
        k.await_sample()
        spinners = [start(SPIN, places) for _ in range(os.cpu_count())]
        before = k.runs()
        time.sleep(o.seconds / 5)
        runs, ns = (b - a for a, b in zip(before, k.runs()))
        end(spinners)
    return ns / max(runs, 1)


def measure_filter(o, groups):
    other = "/" + TOP + "/chosen"
    groups.make(other.strip("/"))
    rows = [("levels", "hierarchies", "ns/run", "", "by user", "", "filter ns")]
    for depth in DEPTHS:
        places = groups.make("/".join([TOP] + ["level"] * (depth - 1))) if depth else mounts()
        with_filter, without = [], []
        for _ in range(o.rounds):
            with_filter.append(ns_per_run(o, places, "--cgroup", other))
            without.append(ns_per_run(o, places, "--uid", NOBODY))
        rows.append((depth, len(mounts())) + scale.spread(with_filter) + scale.spread(without) +
                    ("%.0f" % (median(with_filter) - median(without)),))
    scale.print_table(rows)


# --- the host -------------------------------------------------------------------------------------

ID = "%08x" + "0" * 56  # a container id


def record(o, host, chosen):
    lines, chosen_ms = [], []
    for _ in range(o.rounds):
        with scale.Krait(o.krait, 99) as k:
            lines.append(k.await_line() * 1e3)
        if chosen:
            with scale.Krait(o.krait, 99, "--container", chosen) as k:
                chosen_ms.append(k.await_line() * 1e3)
    with tempfile.NamedTemporaryFile() as out:
        with scale.Krait(o.krait, 999, "--by", "container", "-o", out.name) as k:
            k.await_sample()
            cpu = k.cpu_ns()
            time.sleep(o.seconds)
            cpu = (k.cpu_ns() - cpu) / 1e6
            rss = k.memory_kb("VmRSS")
        names = {line.split(";")[0] for line in open(out.name)} - {"host"}
    return (host,) + scale.spread(lines) + ("%.1f" % cpu, scale.mb(rss), len(names)) + \
        (scale.spread(chosen_ms) if chosen else ("", ""))


def measure_host(o, groups):
    rows = [("host", "line ms", "", "cpu ms", "own MB", "containers", "chosen ms", "")]
    one = groups.make(TOP + "/all")
    for n in range(o.containers):
        groups.make(f"{TOP}/docker/{ID % n}")
    pattern = f"{mounts()[0]}/{TOP}/docker/{ID}"
    for host, where, chosen in (("one cgroup", (), None),
                                (f"{o.containers} containers", (pattern,), ID % 1)):
        child = start([sys.executable, "-c", WORKER, str(o.containers), *where], one,
                      stdout=subprocess.PIPE, bufsize=0)
        scale.await_lines(child.stdout, o.containers)
        rows.append(record(o, host, chosen))
        end([child])
    scale.print_table(rows)


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--containers", type=int, default=500)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=5)
    p.add_argument("--hz", type=int, default=4999)
    p.add_argument("--krait", default=os.environ.get("KRAIT"))
    return p.parse_args()


def main():
    o = options()
    if not mounts():
        scale.die("no hierarchy of cgroups is mounted as a whole here")
    statistics, groups = progs.keep_statistics(), Groups()
    try:
        measure_filter(o, groups)
        measure_host(o, groups)
    finally:
        groups.end()
        os.close(statistics)


main()
