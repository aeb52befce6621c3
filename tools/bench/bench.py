# SPDX-License-Identifier: BSD-2-Clause
"""Measures the cost of one run of krait's sampler, and compares it with the cost of its reads. See
../bench.sh.

    bench.py [--rounds N] [--ms N] [--hz N] [--pythons 3.8,3.11,3.13] [--depths 10,20,50]
             [--kinds repeated,new] [--json FILE] [--krait PATH]...

Several --krait (builds with the same bpf/wire.h) are measured in turn, for comparison. gate.py uses
the functions, too. Environment: KRAIT, COST (paths of the two programs)."""

import argparse
import contextlib
import ctypes
import glob
import json
import os
import signal
import subprocess
import sys
from statistics import median

HERE = os.path.dirname(os.path.abspath(__file__))
AIM_FIXED = 500  # ns over an empty program
AIM_FACTOR = 1.3  # times the cost of the reads


def die(text):
    print("bench: " + text, file=sys.stderr)
    sys.exit(1)


def die_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start(argv, cpu, **more):
    """Starts a child on that CPU (None: any), with high priority, which ends with this program."""
    def prepare():
        die_with_us()
        os.nice(-10)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
    return subprocess.Popen(argv, preexec_fn=prepare, text=True, **more)


def pythons(wanted):
    """{"3.8": path} of the wanted versions that are installed."""
    found = {}
    for minor in wanted:
        paths = glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python" % minor))
        paths += glob.glob("/usr/bin/python" + minor)
        if paths:
            found[minor] = paths[0]
        else:
            print("bench: Python %s: not here, left out" % minor, file=sys.stderr)
    return found


class Target:
    """A Python that spins with `depth` frames, stopped until it is measured."""

    def __init__(self, minor, path, depth, kind, cpu):
        self.minor, self.depth, self.kind = minor, depth, kind
        argv = [path, os.path.join(HERE, "target.py"), str(depth), kind]
        self.child = start(argv, cpu, stdout=subprocess.PIPE)
        word, _, self.ident = self.child.stdout.readline().strip().partition(" ")
        if word != "ready":
            die("%s: did not start" % path)
        self.child.send_signal(signal.SIGSTOP)


@contextlib.contextmanager
def running_krait(path, targets, hz, cpu):
    """Runs a krait that records the targets; yields its pid."""
    pids = ",".join(str(t.child.pid) for t in targets)
    argv = [path, "record", "-p", pids, "-F", str(hz), "-d", "unlimited",
            "-o", "/dev/null"]
    krait = start(argv, cpu, stderr=subprocess.PIPE)
    line = krait.stderr.readline()
    if "sampling" not in line:
        die("krait: " + line + krait.stderr.read())
    try:
        yield krait.pid
    finally:
        krait.kill()
        krait.wait()


def measure(cost, krait, target, cpu, hz, ms):
    """One measurement of process `krait` by the program `cost`, with the ratio to the aim."""
    argv = [cost, str(krait), str(target.child.pid), target.ident,
            str(target.depth), str(cpu), str(hz), str(ms)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, os.sched_getaffinity(0) - {cpu}))
    if done.returncode:
        die("a measurement failed")
    m = {k: float(v) for k, v in (word.split("=") for word in done.stdout.split())}
    m["aim"] = m["empty"] + AIM_FIXED + AIM_FACTOR * m["need"] * m["read"]
    m["ratio"] = m["walk"] / m["aim"]
    m["fresh"] = m["new"] / m["shown"]
    return m


HEAD = ("python", "frames", "stacks", "ns/run", "empty", "reads", "needed", "ns/read", "aim",
        "ratio", "(min..max)", "skipped run", "new stacks")


def row(target, rounds):
    mid = {k: median(m[k] for m in rounds) for k in rounds[0]}
    ratios = [m["ratio"] for m in rounds]
    return (target.minor, target.depth, target.kind, "%.0f" % mid["walk"], "%.0f" % mid["empty"],
            "%.0f" % mid["reads"], "%.0f" % mid["need"], "%.1f" % mid["read"], "%.0f" % mid["aim"],
            "%.2f" % mid["ratio"], "%.2f..%.2f" % (min(ratios), max(ratios)),
            "%.0f" % mid["cheap"], "%.0f %%" % (100 * mid["fresh"]))


def print_table(rows):
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  ".join(str(x).rjust(w) for x, w in zip(r, widths)))


def options():
    def words(text):
        return text.split(",")
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--ms", type=int, default=400)
    p.add_argument("--hz", type=int, default=4000)
    p.add_argument("--pythons", type=words, default=["3.8", "3.11", "3.13"])
    p.add_argument("--depths", type=words, default=["10", "20", "50"])
    p.add_argument("--kinds", type=words, default=["repeated", "new"])
    p.add_argument("--krait", action="append", help="default: $KRAIT")
    p.add_argument("--json", help="every single measurement, too")
    return p.parse_args()


def main():
    o = options()
    cpus = sorted(os.sched_getaffinity(0))
    cpu = cpus[-1]
    if len(cpus) < 2:
        die("needs two CPUs: one for the target, one for krait")
    targets = [Target(minor, path, int(depth), kind, cpu)
               for minor, path in pythons(o.pythons).items()
               for depth in o.depths for kind in o.kinds]
    if not targets:
        die("no Python to measure")
    kraits = o.krait or [os.environ["KRAIT"]]
    results = {(t, path): [] for t in targets for path in kraits}
    for _ in range(o.rounds):
        for path in kraits:
            with running_krait(path, targets, o.hz, cpus[0]) as krait:
                for t in targets:
                    results[t, path].append(measure(os.environ["COST"], krait, t, cpu, o.hz, o.ms))
    rows = [HEAD] + [row(t, rounds) for (t, _), rounds in results.items()]
    if len(kraits) > 1:
        rows = [r + (path,) for r, path in zip(rows, ["krait"] + [p for _, p in results])]
    print_table(rows)
    if o.json:
        with open(o.json, "w") as f:
            json.dump([{"python": t.minor, "frames": t.depth, "stacks": t.kind, "krait": path,
                        "rounds": rounds} for (t, path), rounds in results.items()], f, indent=1)


if __name__ == "__main__":
    main()
