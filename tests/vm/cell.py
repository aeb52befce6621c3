#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The accuracy tests in reduced form, for many interpreters on one kernel. During a single
recording, the programs of each interpreter run in turn and are then stopped, so each stack belongs
to a known program, and the CPU time of each program is known exactly.

    cell.py <ORDER >RESULTS

ORDER: {"rate": HZ, "rows": [...]}; a row is an interpreter with the fields of interpreters.py or,
if it is to be identified here, {"argv": [...], "where": TEXT} with the other fields of foreign.py.
RESULTS: {"rows": {label: [[what, whether it holds, details], ...]}, "late": the fraction of ticks
that the kernel did not deliver}

In a guest, the host may take the CPU away at any time, and the emulated CPU is slow: ticks come
late, or several are delivered as one. krait reports how many were not delivered, but not to which
program they belong. So the checks are, for each program and for all together: no more samples than
the CPU time allows, and no more missing samples than ticks not delivered. If all were delivered,
this is the bound of t_cputime.py."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
import graph  # noqa: E402
import interpreters  # noqa: E402
import lib  # noqa: E402
import ways  # noqa: E402

DEPTH = 60
PROGRAMS = (("shapes.py",), ("recursion.py", DEPTH), ("hotline.py",), ("load.py", "sleep"))
SECONDS = (1, 1, 2, 0)  # minimum CPU time of each, two of them on a CPU; load.py hardly computes
SOON = 20  # seconds after which a fifth of that is enough, on a busy machine
GRAPHS = ("shapes.py", "recursion.py")
MARKED = 0.01
LOST = re.compile(r"  lost (\d+) samples?: (.*)")
DUE = re.compile(r"  ticks: (\d+) due ")
LATE = "not delivered by the kernel"
Recording = namedtuple("Recording", "rate stacks lost late due")  # lost without the late ticks


class Programs:
    """All programs of one row, stopped except while they are measured."""

    def __init__(self, interpreter):
        self.interpreter = interpreter
        self.held = contextlib.ExitStack()
        self.targets, self.pids = [], []  # the started programs, and the processes that run Python
        self.spent, self.fault = [0] * len(PROGRAMS), None
        with contextlib.ExitStack() as on:
            starting = [on.enter_context(lib.Target(interpreter, *argv, cpu=n // 2, wait=False))
                        for n, argv in enumerate(PROGRAMS)]
            for x in starting:
                x.out.wait_for("READY")
            self.targets, self.pids = starting, [lib.python_of(x) for x in starting]
            for pid in set(self.pids) - {x.pid for x in starting}:
                on.callback(os.kill, pid, signal.SIGKILL)
            self.held = on.pop_all()
        self.stop()
        self.roots = [lib.label(pid) for pid in self.pids]

    def signal(self, number):
        for pid in self.pids:
            os.kill(pid, number)

    def stop(self):
        self.signal(signal.SIGSTOP)
        for pid in self.pids:
            lib.until(lambda pid=pid: lib.state(pid) == "T", "a target stops")

    def measure(self):
        """Runs the programs until each has used its SECONDS, or a fifth on a very busy machine."""
        before = [lib.cpu_seconds(pid) for pid in self.pids]
        soon = time.monotonic() + SOON

        def spent():
            return [lib.cpu_seconds(pid) - b for pid, b in zip(self.pids, before)]

        def computed():
            dead = [argv for argv, x in zip(PROGRAMS, self.targets) if x.child.poll() is not None]
            if dead:
                raise RuntimeError(f"{self.interpreter.label}: ended early: {dead}")
            part = 1 if time.monotonic() < soon else 0.2
            return all(s >= part * want for s, want in zip(spent(), SECONDS))
        self.signal(signal.SIGCONT)
        try:
            lib.until(computed, "its programs compute", pause=0.1)
        except RuntimeError as e:
            states = list(map(lib.state, self.pids))
            raise RuntimeError(f"{self.interpreter.label}: {e}: {spent()} {states}") from None
        self.stop()
        self.spent = spent()


# --- checks -------------------------------------------------------------------------------------

def check_graph(argv, i, path, root, stacks):
    v = graph.judge(graph.load(f"{lib.TARGETS}/{argv[0]}", path, i.version), stacks, root)
    noise = 3 * max(MARKED * v.total, 1) ** 0.5
    yield "enough samples", v.total > 20, v.total
    yield "no impossible stack", not v.impossible, f"{v.impossible} of {v.total}\n{v.examples}"
    yield ("at most 1 % marked", v.marked <= MARKED * v.total + noise, f"{v.marked} of {v.total}\n"
           + lib.worst([s for s in stacks if any(f.file is None for f in s.frames)]))
    yield ("at most 1 % without line", v.unlined <= MARKED * v.total + noise,
           f"{v.unlined} of {v.total}")
    if argv[0] == "recursion.py":
        deepest = max((len(s.frames) for s in stacks if s.frames[0].file), default=0)
        yield ("the deepest stack is complete", deepest == DEPTH + 5,
               f"{deepest} frames, not {DEPTH + 5}")


def check_lines(stacks):
    for function, line in lib.hot_lines("hotline.py").items():
        mine = [s for s in stacks if s.frames and s.frames[-1].name == function]
        part = lib.share(mine, lambda s, line=line: s.frames[-1].line == line)
        yield (f"the line of {function}", lib.total(mine) > 20 and part > 0.9,
               f"{part:.3f} of {lib.total(mine)} on line {line}\n{lib.worst(mine)}")


def check_cpu(r, samples, cpu):
    """Allows 2 %, four standard deviations of the count, and one clock tick of rounding per end."""
    allowed = 0.02 * cpu + 4 * max(samples, 1) ** 0.5 / r.rate + 2 / lib.TICK
    off = samples / r.rate - cpu
    return ("samples are CPU time", -allowed - r.late / r.rate <= off <= allowed,
            f"{samples} samples = {samples / r.rate:.3f} s, CPU time {cpu:.3f} s, off {off:+.3f}, "
            f"allowed {allowed:.3f}, {r.late} of {r.due} ticks not delivered")


def check_row(r, programs):
    i = programs.interpreter
    if programs.fault:
        yield "the programs compute", False, programs.fault
        return
    for argv, x, pid, root, cpu in zip(PROGRAMS, programs.targets, programs.pids, programs.roots,
                                       programs.spent):
        mine = graph.own_frames(lib.of(r.stacks, pid), x.path)
        checks = [check_cpu(r, lib.total(mine), cpu)]
        if argv[0] in GRAPHS:
            checks += check_graph(argv, i, x.path, root, mine)
        if argv[0] == "hotline.py":
            checks += check_lines(mine)
        for what, good, details in checks:
            yield f"{argv[0]}: {what}", good, details


def check_sum(r, rows):
    measured = [(lib.total(lib.of(r.stacks, pid)), cpu) for p in rows if not p.fault
                for pid, cpu in zip(p.pids, p.spent)]
    what, good, details = check_cpu(r, *map(sum, zip(*measured or [(0, 0)])))
    return f"all programs: {what}", good, details


def check_listed(programs, listed):
    wanted = "%d.%d.%d" % programs.interpreter.version
    for argv, pid in zip(PROGRAMS, programs.pids):
        got = listed.get(pid, {})
        yield (f"{argv[0]}: krait list has it", got.get("version") == wanted and
               got.get("supported") is True, f"not {wanted}: {got}")


# --- all rows -----------------------------------------------------------------------------------

def krait(*args):
    r = subprocess.run([lib.KRAIT, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=lib.PATIENCE)
    return r.returncode, r.stdout, r.stderr


def listed():
    status, out, err = krait("list", "--json")
    if status:
        raise RuntimeError(f"krait list: status {status}: {err}")
    return {p["pid"]: p for p in json.loads(out)["processes"]}


def filters(rows):
    """All kinds of filters that the BPF programs have, each matching the programs of these rows."""
    pids = [str(pid) for p in rows for pid in p.pids]
    comms = {root.rpartition("-")[0] for p in rows for root in p.roots}
    return ("-p", ",".join(pids), "--comm", ",".join(sorted(comms)), "--uid", os.geteuid(),
            "--cgroup", "/")


def recorded(rate, rows):
    with lib.Krait("-v", "-F", rate, "--full-paths", *filters(rows)) as k:
        for p in rows:
            try:
                p.measure()
            except RuntimeError as e:
                p.fault = str(e)
                p.stop()
        stacks = k.finish()
        said = k.err.text().split("\n")
    lost = {m[2]: int(m[1]) for m in map(LOST.match, said) if m}
    late = sum(lost.pop(text) for text in list(lost) if text.startswith(LATE))
    return Recording(rate, stacks, lost, late, int(next(m[1] for m in map(DUE.match, said) if m)))


def check_all(rate, started):
    """({row: checks} of started programs, fraction of ticks not delivered)"""
    known, rows = listed(), list(started.values())
    r = recorded(rate, rows)
    common = [("nothing lost", not r.lost, str(r.lost)), check_sum(r, rows)]
    return {row: [*check_listed(p, known), *check_row(r, p), *common]
            for row, p in started.items()}, r.late / r.due


def interpreter(row):
    """The Interpreter of a row of ORDER."""
    if "version" in row:
        return interpreters.Interpreter(**{**row, "version": tuple(row["version"]),
                                           "argv": tuple(row["argv"])})
    if row.get("way"):
        return ways.identify(row["argv"], row["where"], interpreters.is_shared(row["argv"][-1]))
    found = interpreters.probe(row["argv"], row["where"], row.get("root"))
    if not found:
        raise RuntimeError(f"{' '.join(row['argv'])} does not start")
    return found


def start_all(on, rows):
    """({label: Programs}, {row: checks} of rows that did not start)"""
    started, failed = {}, {}
    for row in rows:
        try:
            i = interpreter(row)
            started[i.label] = Programs(i)
            on.enter_context(started[i.label].held)
        except Exception as e:  # noqa: BLE001, the other rows still run
            failed[row.get("label") or " ".join(row["argv"])] = [("the programs start", False, str(e))]
    return started, failed


def results(order):
    late = 0
    # krait doctor tries what a recording needs, which takes as long in a guest as starting programs.
    with lib.Process([lib.KRAIT, "doctor"]) as doctor, contextlib.ExitStack() as on:
        started, done = start_all(on, order["rows"])
        status = doctor.wait()
        said = doctor.out.text() + doctor.err.text()
        if started:
            checked, late = check_all(order["rate"], started)
            done.update(checked)
    for checks in done.values():
        checks.insert(0, ("krait doctor", status in (0, 1), said))
    return {"rows": done, "late": late}


def main():
    json.dump(results(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
