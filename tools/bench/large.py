# SPDX-License-Identifier: BSD-2-Clause
"""How do start, memory, drain time and losses grow with the number of CPUs? (`make bench-large`)

    large.py [--cpus 2,16,64,128] [--kernel 6.12] [--seconds 10] [--hz 49]

Boots a guest with that many CPUs for each (tests/vm), all emulated by the few that are here: what a real
host does in a second takes minutes, and CPUs wait for each other. So times mean little here, krait's
own neither; bytes and counts do. In each, a Python on every CPU computes now and then, all of them together
as long as half a CPU, and krait records the host:

    start        seconds from exec to the line "krait: sampling", and of them krait's own CPU time
    maps, own    MB of BPF maps (memlock) and of krait itself (RssAnon) at the end
    wakes        times a second that krait's first thread ran (context switches)
    a second     ms of krait's own CPU time a second of the recording: drain and books
    samples      shown, of all ticks; lost: what the summary counts as lost

Environment: KRAIT (the static binary)."""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
HEAD = ("CPUs", "start s", "own s", "maps MB", "own MB", "wakes", "a second ms", "samples", "lost")


# --- in the guest -------------------------------------------------------------------------------

def own_seconds(pid):
    return sum(int(open(path).read().split()[0]) for path in glob.glob(f"/proc/{pid}/task/*/schedstat")) / 1e9


def switches(pid):
    return sum(map(int, re.findall(r"ctxt_switches:\t(\d+)", open(f"/proc/{pid}/status").read())))


def map_bytes(pid):
    sizes = {}
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        facts = dict(line.split(":", 1) for line in open(path).read().splitlines() if ":" in line)
        if "map_id" in facts:
            sizes[facts["map_id"]] = int(facts.get("memlock", 0))
    return sum(sizes.values())


def compute_now_and_then(cpu, cpus):
    os.sched_setaffinity(0, [cpu])
    time.sleep(cpu / cpus)
    while True:
        end = time.process_time() + 0.5 / cpus
        while time.process_time() < end:
            pass
        time.sleep(1)


def inside(krait, seconds, hz):
    cpus = os.cpu_count()
    began = time.monotonic()
    for cpu in range(cpus):
        if not os.fork():
            compute_now_and_then(cpu, cpus)
    print(f"{cpus} CPUs, {began:.0f} s after boot", file=sys.stderr, flush=True)
    began = time.monotonic()
    child = subprocess.Popen([krait, "record", "-F", hz, "-d", "unlimited", "-v", "-o", "/dev/null"],
                             stderr=subprocess.PIPE, text=True)
    line = child.stderr.readline()
    if "sampling" not in line:
        raise SystemExit(line + child.stderr.read())
    start, own = time.monotonic() - began, own_seconds(child.pid)
    wakes = switches(child.pid)
    time.sleep(float(seconds))
    spent, wakes = own_seconds(child.pid) - own, switches(child.pid) - wakes
    maps = map_bytes(child.pid)
    resident = int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{child.pid}/status").read())[1])
    child.terminate()
    said = child.stderr.read()
    shown = re.search(r"([\d,]+) samples of", said)
    lost = re.search(r", ([\d,]+) lost", said)
    print(cpus, f"{start:.1f}", f"{own:.2f}", f"{maps / 1e6:.1f}", f"{resident / 1e3:.1f}",
          f"{wakes / float(seconds):.0f}", f"{1000 * spent / float(seconds):.1f}",
          shown[1] if shown else "?", lost[1] if lost else "0", sep="\t")
    print(said, file=sys.stderr)


# --- here ---------------------------------------------------------------------------------------

def measure(kernel, cpus, o):
    import vm
    argv = ["/usr/bin/python3", "-u", "-B", os.path.abspath(__file__), "inside", os.environ["KRAIT"],
            o.seconds, o.hz]
    root, shares = vm.tree(kernel)
    with tempfile.TemporaryDirectory(prefix="krait-vm-") as out:
        status = vm.run(kernel, argv, out, root, shares, seconds=1800, cpus=cpus)
        said = open(os.path.join(out, "stdout")).read()
        if status or o.verbose:
            print(open(os.path.join(out, "stderr")).read(), file=sys.stderr)
        return said.split("\t")


def print_row(row):
    print("  ".join(str(x).strip().rjust(11) for x in row), flush=True)


def main():
    sys.path.insert(0, os.path.join(TOP, "tests", "vm"))
    import vm
    p = argparse.ArgumentParser()
    p.add_argument("--cpus", default="2,16,64,128")
    p.add_argument("--kernel", default="6.12")
    p.add_argument("--seconds", default="10")
    p.add_argument("--hz", default="49")
    p.add_argument("--verbose", action="store_true")
    o = p.parse_args()
    kernel = next(k for k in vm.kernels() if k.name == o.kernel)
    print_row(HEAD)
    for n in o.cpus.split(","):
        print_row(measure(kernel, int(n), o))


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        inside(*sys.argv[2:])
    else:
        main()
