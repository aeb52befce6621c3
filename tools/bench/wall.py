# SPDX-License-Identifier: BSD-2-Clause
"""Measures the cost of wall-clock mode for different loads (root; `make bench-wall`).

    wall.py [--seconds 10] [--hz 99] [--groups 1,10,100,1000] [--krait PATH]

The loads: 1, 10, 100 and 1,000 processes of four threads that sleep forever, forked from one
Python; then two threads that wake each other over pipes as fast as they can. Each is measured with
both methods to find the threads that have run: by their ids (kernel 6.2), and by a pass over all
threads of the host (older kernels; --visit-all), which is omitted at a tick if no Python thread was
switched out since the previous one. For each:

    tick      CPU time of krait's tick thread, as share of one core and in us per tick; late: ticks
              that a later one made up for
    krait     CPU time of all of krait, with its start and end, as share of one core over the
              recording
    switch    context switches of the host per second; on_switch: ns per run, by the kernel's
              statistics
    samples   as share of the expected number, threads x ticks

Virtual machines are noisy: compare only figures of one run. Environment: KRAIT (default of
--krait)."""

import argparse
import os
import re
import subprocess
import sys
import threading
import time

import progs

IDLE = """
import os, sys, threading, time
def wait():
    time.sleep(1e6)
for _ in range(int(sys.argv[1]) - 1):
    if not os.fork():
        break
for _ in range(3):
    threading.Thread(target=wait, daemon=True).start()
os.write(1, b".")
wait()
"""
SWITCHES = """
import os, threading
a, b = os.pipe()
c, d = os.pipe()
def answer():
    while True:
        os.write(d, os.read(a, 1))
threading.Thread(target=answer, daemon=True).start()
os.write(1, b".")
while True:
    os.write(b, b"x")
    os.read(c, 1)
"""


def switches():
    with open("/proc/stat") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("ctxt"))


def hook_cost():
    """ns per run of on_switch, while krait runs."""
    for prog in progs.bpftool("prog", "list"):
        if prog.get("name") == "on_switch" and prog.get("run_cnt"):
            return prog["run_time_ns"] / prog["run_cnt"]
    return 0.0


class Group:
    """Processes that one Python forks; leaving the `with` ends them."""

    def __init__(self, program, n):
        self.child = subprocess.Popen([sys.executable, "-c", program, str(n)], stdout=subprocess.PIPE,
                                      start_new_session=True)
        for _ in range(n):
            self.child.stdout.read(1)

    def __enter__(self):
        return self.child.pid

    def __exit__(self, *_):
        os.killpg(self.child.pid, 9)
        self.child.wait()


def record(o, pid, *more):
    """(krait's standard error, its CPU seconds, ns per run of on_switch, switches per second)"""
    argv = [o.krait, "record", "-m", "wall", "-F", str(o.hz), "-d", f"{o.seconds:g}s", "-p", str(pid), "-s",
            "-o", "/dev/null", *more]
    before, begun = os.times(), time.monotonic()
    turned = switches()
    seen = []
    timer = threading.Timer(o.seconds * 0.7, lambda: seen.append(hook_cost()))
    timer.start()
    r = subprocess.run(argv, stderr=subprocess.PIPE, text=True)
    timer.join()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return r.stderr, cpu, seen[0], (switches() - turned) / (time.monotonic() - begun)


WAYS = {"ids": (), "pass": ("--visit-all",)}


def row(o, what, program, n, threads):
    with Group(program, n) as pid:
        time.sleep(1)
        for way, option in WAYS.items():
            say(o, f"{what}, {way}", threads, *record(o, pid, *option))


def say(o, what, threads, said, cpu, ns, rate):
    m = re.search(r"(\d+) ticks, (\d+) late, ([\d.]+) %", said)
    samples = int(re.search(r"krait: (\d+) samples", said)[1])
    ticks = int(m[1])
    each = float(m[3]) / 100 * o.seconds / ticks * 1e6
    print(f"{what:34} {m[3]:>7} % {each:7.0f} us {m[2]:>5} {100 * cpu / o.seconds:7.2f} % {rate:10.0f} {ns:8.0f} ns "
          f"{100 * samples / (threads * ticks):8.2f} %", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--hz", type=int, default=99)
    p.add_argument("--groups", default="1,10,100,1000", help="numbers of processes")
    p.add_argument("--krait", default=os.environ.get("KRAIT", "build/krait"))
    o = p.parse_args()
    progs.keep_statistics()
    print(f"{'':34} {'tick':>9} {'a tick':>10} {'late':>5} {'krait':>9} {'switch/s':>10} {'on_switch':>11} "
          f"{'samples':>10}")
    for n in map(int, o.groups.split(",")):
        row(o, f"{n} processes, {4 * n} asleep", IDLE, n, 4 * n)
    row(o, "two wake each other", SWITCHES, 1, 2)


main()
