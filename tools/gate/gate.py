# SPDX-License-Identifier: BSD-2-Clause
"""The regression gate: compares what krait costs with the table gate.csv, and with another commit.

    gate.py [--base REV | --beside TREE] [--few] [--counted] [--update] [--rounds N]

    counted     system calls, allocations, kernel memory, programs and maps that krait loads, bytes of
                ring buffer a new stack, reads of the walk: hardly ever differ between two runs
    start       the shortest of many times to the first line, in units of empty.bpf.c, which loads as
                many maps
    sampler     time of a sample, in units of the aim (../bench.sh)
    pairs       start and sampler of this build over those of the commit REV (HEAD if the tree has
                changes, else the commit before), built beside it and measured in turn: A B A B; or
                over those of TREE, which is built already (in TREE/build)

A row of the table holds for a place: all (-), or machines with such a kernel, number of CPUs, or
Python. A figure fails if it is above its row by more than the margin; one that is measured with a
clock is measured again with fresh data, and fails if both are. A figure without a row is a SKIP that
shows the row to add; --update writes the rows of this place. --few measures two stacks instead of 18;
--counted measures only what does not depend on a clock, for machines that do other work. Prints TAP.
Needs root, two CPUs, and the interpreters of ../bench.sh. Environment: OUTPUT (the build folder), CC,
CLANG, BPFTOOL."""

import argparse
import csv
import os
import platform
import shutil
import subprocess
import sys
import time
from statistics import median, quantiles

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tools", "bench"))
import bench  # noqa: E402

OUTPUT = os.path.realpath(os.environ.get("OUTPUT", os.path.join(TOP, "build")))
FOLDER = os.path.join(OUTPUT, "gate")
TABLE = os.path.join(HERE, "gate.csv")
COLUMNS = ("figure", "place", "value", "margin")
FEW = [(10, "repeated"), (50, "new")]
WATCHED = "3.13"
HZ, MS = 4000, 400
WATCH_HZ = {"repeated": 99, "new": 999}  # as most people record; many new stacks
WATCH_SECONDS = 3

# Margins in percent, above what differs between two runs: what krait calls at the start depends on the
# number of processes on the host, and its calls a second on how often it finds the ring filled.
MARGINS = {
    "loads": 0, "maps": 0, "memory": 5, "start calls": 50, "start allocations": 50, "calls": 100,
    "allocations": 150, "sent": 10, "reads": 0, "start": 30, "sampler": 30, "start pair": 8,
    "sampler pair": 6,
}


class Failed(Exception):
    pass


# --- builds -------------------------------------------------------------------------------------

class Build:
    """A krait and the program that measures it, from the sources in `tree`."""

    def __init__(self, tree, output, name):
        self.krait = os.path.join(output, "krait")
        self.cost = os.path.join(FOLDER, f"cost-{name}")
        objects = [f"{output}/user/{layer}/*.o" for layer in ("base", "proc", "py")]
        sh(f"$CC -std=gnu11 -O2 -g -D_GNU_SOURCE -I$FOLDER -I{tree}/user -I{tree} -I{TOP}/tools/bench "
           f"{TOP}/tools/bench/cost.c {TOP}/tools/bench/running.c {' '.join(objects)} -lbpf -lelf -lz "
           f"-ljansson -lm -o {self.cost}")


def sh(command):
    tools = {"CC": os.environ.get("CC", "cc"), "CLANG": os.environ.get("CLANG", "clang"),
             "BPFTOOL": os.environ.get("BPFTOOL") or shutil.which("bpftool", path=os.defpath + ":/usr/sbin"),
             "FOLDER": FOLDER, "TOP": TOP}
    done = subprocess.run(["sh", "-c", command], env={**os.environ, **tools}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Failed(f"{command}\n{done.stdout[-3000:]}")
    return done.stdout


def build_tools():
    os.makedirs(FOLDER, exist_ok=True)
    arch = {"aarch64": "arm64"}.get(platform.machine(), "x86")
    for source in ("gate/calls", "gate/empty", "bench/price"):
        name = os.path.basename(source)
        sh(f"$CLANG -target bpf -mcpu=v3 -g -O2 -D__TARGET_ARCH_{arch} -I$TOP -c $TOP/tools/{source}.bpf.c "
           f"-o $FOLDER/{name}.bpf.o && "
           f"$BPFTOOL gen skeleton $FOLDER/{name}.bpf.o name {name}_bpf >$FOLDER/{name}.skel.h")
    flags = "-std=gnu11 -O2 -g -Wall -D_GNU_SOURCE -I$FOLDER -I$TOP/user -I$TOP -I$TOP/tools/bench"
    sh("$CC -O2 -shared -fPIC $TOP/tools/gate/allocations.c -o $FOLDER/allocations.so")
    sh(f"$CC {flags} $TOP/tools/gate/empty.c -lbpf -lelf -lz -o $FOLDER/empty")
    sh(f"$CC {flags} $TOP/tools/gate/watch.c $TOP/tools/bench/running.c -lbpf -lelf -lz -o $FOLDER/watch")


def base_build(revision):
    """The Build of a commit, made in a folder of its own."""
    if not revision:
        revision = "HEAD" if sh("git -C $TOP status --porcelain").strip() else "HEAD^"
    commit = sh(f"git -C $TOP rev-parse {revision}").strip()
    tree = os.path.join(FOLDER, "base")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    sh(f"git -C $TOP archive {commit} | tar -x -C {tree}")
    output = os.path.join(FOLDER, "base-build")
    shutil.rmtree(output, ignore_errors=True)  # objects of files that this commit does not have
    sh(f"MAKEFLAGS= make -C {tree} -j2 OUTPUT={output} {output}/krait")
    return commit, Build(tree, output, "other")


# --- figures ------------------------------------------------------------------------------------

def kernel():
    return "kernel " + ".".join(platform.release().split(".")[:2])


def cpus():
    return f"{os.sysconf('SC_NPROCESSORS_CONF')} CPUs {kernel()}"


def watch(krait, target):
    """What tools/gate/watch.c counts while that krait records a target."""
    target.child.send_signal(bench.signal.SIGCONT)
    argv = [os.path.join(FOLDER, "watch"), str(WATCH_SECONDS), krait, "record", "-p", str(target.child.pid),
            "-F", str(WATCH_HZ[target.kind]), "-d", "unlimited", "-o", "/dev/null"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PRELOAD": os.path.join(FOLDER, "allocations.so")})
    target.child.send_signal(bench.signal.SIGSTOP)
    if done.returncode:
        raise Failed(f"watch: {done.stderr}")
    return {k: float(v) for k, v in (word.split("=") for word in done.stdout.split())}


def time_to_line(argv, word):
    """Seconds until a program writes its first line."""
    start = time.perf_counter()
    child = bench.start(argv, None, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    line = child.stdout.readline()
    took = time.perf_counter() - start
    child.kill()
    child.wait()
    if word not in line:
        raise Failed(f"{' '.join(argv)}: {line}")
    return took


def start_of(krait):
    return time_to_line([krait, "record", "-d", "unlimited", "-o", "/dev/null"], "sampling")


def starts(builds, rounds):
    """For each build: its starts, in turn; then those of the empty program."""
    found = [[] for _ in builds]
    units = []
    for _ in range(rounds):
        units.append(time_to_line([os.path.join(FOLDER, "empty")], "ready"))
        for i, build in enumerate(builds):
            found[i].append(start_of(build.krait))
    return [*found, units]


def samples(builds, targets, rounds):
    """{target: [[measurement of each round] of each build]}, in turn, each build first as often."""
    cpu = target_cpu()
    found = {t: [[] for _ in builds] for t in targets}
    for n in range(rounds):
        for i, build in sorted(enumerate(builds), reverse=n % 2 == 1):
            with bench.running_krait(build.krait, targets, HZ, min(os.sched_getaffinity(0))) as pid:
                for t in targets:
                    found[t][i].append(bench.measure(build.cost, pid, t, cpu, HZ, MS))
    return found


def target_cpu():
    return max(os.sched_getaffinity(0))


def name_of(target):
    return f"{target.minor} {target.depth} frames {target.kind}"


# --- judging ------------------------------------------------------------------------------------

class Gate:
    """Prints a line of TAP for each figure; knows the table."""

    def __init__(self, update):
        self.update = update
        self.n = self.bad = 0
        self.fresh = {}
        with open(TABLE, newline="") as f:
            self.rows = {(r["figure"], r["place"]): r for r in csv.DictReader(f)}

    def say(self, good, text):
        self.n += 1
        self.bad += not good
        print(f"{'' if good else 'not '}ok {self.n} - {text}", flush=True)

    def figure(self, kind, name, place, value, again=None):
        """`again` measures the value once more, if it is one that differs from run to run."""
        self.fresh[name, place] = (value, MARGINS[kind])
        row = self.rows.get((name, place))
        if not row:
            return self.say(True, f"{name} [{place}] # SKIP no row: {name},{place},{value:.6g},"
                            f"{MARGINS[kind]}")
        most = float(row["value"]) * (1 + float(row["margin"]) / 100)
        values = [value]
        if value > most and again:
            values.append(again())
        self.say(min(values) <= most, f"{name} [{place}]: {' and '.join('%.6g' % v for v in values)}, "
                 f"{row['value']} in the table, at most {row['margin']} % more")

    def pair(self, kind, name, measure):
        """
        measure() gives this build's figures over the other's, one for each round. It is worse if most rounds
        are beyond the margin, and three of four beyond 1: what else the machine does spoils single rounds.
        """
        most = 1 + MARGINS[kind] / 100
        said = []
        worse = True
        while worse and len(said) < 2:
            ratios = measure()
            low = quantiles(ratios, n=4)[0] if len(ratios) > 1 else ratios[0]
            said.append(f"{median(ratios):.3f} (quartile {low:.3f})")
            worse = median(ratios) > most and low > 1
        self.say(not worse, f"{name}: {' and '.join(said)} of the other build, at most {most:.2f}")

    def done(self):
        print(f"1..{self.n}")
        if not self.update:
            return self.bad == 0
        for (name, place), (value, margin) in self.fresh.items():
            self.rows[name, place] = {"figure": name, "place": place, "value": f"{value:.6g}", "margin": margin}
        with open(TABLE, "w", newline="") as f:
            out = csv.DictWriter(f, COLUMNS, lineterminator="\n")
            out.writeheader()
            out.writerows(self.rows[k] for k in sorted(self.rows))
        return True


def counted(gate, build, targets):
    for n, t in enumerate(targets):
        found = watch(build.krait, t)
        if n == 0:
            for key, kind, place in (("loads", "loads", kernel()), ("maps", "maps", kernel()),
                                     ("memory", "memory", cpus()), ("start_calls", "start calls", kernel()),
                                     ("start_allocations", "start allocations", kernel())):
                gate.figure(kind, kind, place, found[key])
        for key in ("calls", "allocations"):
            gate.figure(key, f"{key} a second {name_of(t)}", "-", found[key],
                        lambda t=t, key=key: watch(build.krait, t)[key])
        if t.kind == "new":
            gate.figure("sent", f"bytes a new stack {name_of(t)}", "-",
                        found["sent"] * found["samples"] / found["stacks"])


def verified(gate):
    for line in sh("OUTPUT=$(dirname $FOLDER) $TOP/tools/verifier.sh || true").splitlines():
        good, _, what = line.partition(" - ")
        if what:
            gate.say(not good.startswith("not"), "instructions verified: " + what)


def judge_start(gate, builds, rounds):
    """Others that run at the same time make a start longer, never shorter: the least of each counts."""
    def in_units():
        ours, units = starts(builds[:1], rounds)
        return min(ours) / min(units)

    def pair():
        ours, theirs, _ = starts(builds, rounds)
        return [min(ours) / min(theirs)]
    gate.figure("start", "start in empty programs", kernel(), in_units(), in_units)
    if len(builds) > 1:
        gate.pair("start pair", "start", pair)


def count_reads(gate, build, targets):
    found = samples([build], targets, 1)
    for t in targets:
        gate.figure("reads", f"reads of the walk {name_of(t)}", "Python " + t.minor, found[t][0][0]["reads"],
                    lambda t=t: samples([build], [t], 1)[t][0][0]["reads"])


def judge_samples(gate, builds, targets, rounds):
    found = samples(builds, targets, rounds)
    for t in targets:
        place = "Python " + t.minor
        ours = found[t][0]
        gate.figure("sampler", f"sampler {name_of(t)}", place, median(m["ratio"] for m in ours),
                    lambda t=t: median(m["ratio"] for m in samples(builds[:1], [t], rounds)[t][0]))
        if len(builds) > 1:
            def pair(first=[found[t]], t=t):  # noqa: B006, the first call takes what is there
                both = first.pop() if first else samples(builds, [t], 2 * rounds)[t]
                return [a["low"] / b["low"] for a, b in zip(*both)]
            gate.pair("sampler pair", f"sampler {name_of(t)}", pair)


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--base")
    p.add_argument("--beside")
    p.add_argument("--few", action="store_true")
    p.add_argument("--counted", action="store_true")
    p.add_argument("--update", action="store_true")
    p.add_argument("--rounds", type=int, default=7)
    return p.parse_args()


def obstacle():
    """Why nothing can be measured here, or None."""
    if os.geteuid():
        return "not root"
    if len(os.sched_getaffinity(0)) < 2:
        return "one CPU"
    return None if bench.pythons([WATCHED]) else f"no Python {WATCHED}"


def other_build(o):
    if o.beside:
        return "in " + o.beside, Build(o.beside, os.path.join(o.beside, "build"), "other")
    return base_build(o.base)


def main():
    o = options()
    why = obstacle()
    if why:
        print(f"1..1\nok 1 - gate # SKIP {why}")
        return True
    build_tools()
    gate, builds = Gate(o.update), [Build(TOP, OUTPUT, "this")]
    if not o.counted:
        which, other = other_build(o)
        print(f"# the other build: {which}")
        builds.append(other)
    found = bench.pythons([WATCHED] if o.few else ["3.8", "3.11", WATCHED])
    stacks = FEW if o.few else [(depth, kind) for depth in (10, 20, 50) for kind in ("repeated", "new")]
    targets = [bench.Target(minor, path, depth, kind, target_cpu())
               for minor, path in found.items() for depth, kind in stacks]
    counted(gate, builds[0], [t for t in targets if t.minor == WATCHED])
    count_reads(gate, builds[0], targets)
    if not o.few:
        verified(gate)
    if not o.counted:
        judge_start(gate, builds, 4 * o.rounds)
        judge_samples(gate, builds, targets, o.rounds)
    return gate.done()


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except Failed as e:
        print(f"Bail out! {e}")
        sys.exit(1)
