#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many processes: Pythons that exit while krait reads them, and thousands of other
programs. One interpreter for each layout; TRUTH=1 takes all."""

import resource

import lib

SLEEPERS = 5000
CPU = 1.5  # CPU seconds that krait may use, with its start, in a recording of three seconds


def own_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def storm(t, interpreter, name):
    with lib.Target(interpreter, "storm.py") as target:
        stacks = lib.record(3, "-F", 1999)
        t.ok(target.child.poll() is None, f"{name}: the target keeps running")
    brief = [s for s in stacks if "brief" in lib.names(s)]
    t.bound(len({lib.pid_of(s) for s in brief}) > 20, f"{name}: short-lived processes are recorded",
            len({lib.pid_of(s) for s in brief}))
    odd = [s for s in brief if lib.names(s)[-1] != "brief" or not s.frames[-1].line]
    t.bound(lib.total(odd) <= 0.01 * lib.total(brief), f"{name}: with name and line", lib.worst(odd))
    below = [s for s in brief if not {"forked", "<module>"} & set(lib.names(s)[:-1])]
    t.bound(lib.total(below) <= 0.02 * lib.total(brief), f"{name}: with their callers",
            f"{lib.total(below)} of {lib.total(brief)}\n{lib.worst(below)}")


def sleepers(t):
    name = f"{SLEEPERS} processes other than Python"
    argv = [lib.tool("sleepers"), str(SLEEPERS)]
    with lib.Process(argv) as many, lib.Target(lib.system(), "named.py", "alone") as target:
        many.out.wait_for("READY")
        t.trial("sleepers", check_sleepers, t, name, target.pid)


def check_sleepers(t, name, pid):
    before = own_cpu()
    stacks = lib.record(3, "-F", 99)
    used = own_cpu() - before
    mine = lib.of(stacks, pid)
    t.ok(all("alone" in lib.names(s) for s in mine),
         f"{name}: the Python process's stacks are right", lib.worst(mine))
    t.bound(lib.total(mine) > 20, f"{name}: the Python process is recorded", lib.worst(stacks))
    t.bound(used < CPU, f"{name}: krait's CPU time", f"{used:.2f} s, more than {CPU}")
    t.note(f"{name}: {used:.2f} s of CPU time")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("storm", here=True, chosen=lib.interpreters.few):
        if i.root:
            t.skip(name, "only interpreters without a root are tested")
        else:
            t.trial(name, storm, t, i, name)
    with t.guard("sleepers"):
        sleepers(t)
    t.done()


main()
