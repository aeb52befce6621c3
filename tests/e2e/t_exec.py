#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""No process is missed: short-lived children by fork, exec, spawn and as daemons; processes that
exec other programs; reused pids. One process of the same program runs before the recording, so
krait knows the executable, and no sample of the others may be lost. One interpreter for each layout
starts children; TRUTH=1 takes all interpreters, and starts 15 to 30 times as many children."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import lib

FORKED, EXECUTED, FEW = (1000, 300, 30) if lib.TRUTH else (32, 20, 8)
STORM = 60 if lib.TRUTH else 8  # seconds
STORM_RATE = 167  # processes a second: 10,000 a minute
# lives.py's commands: the function in which children compute for 50 ms, number of children.
KINDS = {"fork": ("forked", FORKED), "pool": ("pooled", FORKED), "thread": ("threaded", FEW),
         "exec": ("executed", EXECUTED), "spawn": ("executed", FEW), "double": ("doubled", FEW),
         "daemon": ("daemon", FEW), "orphan": ("orphan", FEW)}
RATE = 999


def lost(words, what):
    m = re.search(r"lost (\d+) samples?: " + what, words)
    return int(m[1]) if m else 0


def unknown(words):
    """The number of samples lost because krait did not know the process yet, or ever."""
    return (lost(words, "before the process was known") +
            lost(words, "process ended before"))


def program(interpreter):
    """The path of the interpreter, in its root."""
    return interpreter.argv[-1]


def lives(interpreter):
    return lib.Target(interpreter, "lives.py", program(interpreter))


def run(target, kind, number):
    before = len([x for x in target.out.lines if x == f"DONE {kind} {number}"])
    target.tell(f"{kind} {number}")
    target.out.wait_for(f"DONE {kind} {number}", 600, before + 1)


def named(stacks):
    """(frames with name, file and line; all frames except markers), weighted by samples."""
    good = every = 0
    for s in stacks:
        frames = [f for f in s.frames if f.file is not None]
        every += len(frames) * s.count
        good += sum(bool(f.name and f.file and f.line) for f in frames) * s.count
    return good, every


def before_start(stacks):
    return lib.total([s for s in stacks if lib.names(s) == ["[no Python state]"]])


def kind_is_right(t, name, stacks, kind, words):
    """Checks the stacks of a recording of one kind of children, without those of the parent."""
    function, number = KINDS[kind]
    mine = [s for s in stacks if function in lib.names(s)]
    pids = {lib.pid_of(s) for s in mine}
    # 50 ms are 50 samples at 1 kHz, so a child without any was not missed by chance.
    t.ok(len(pids) == number, f"{name}: {kind}: every child", f"{len(pids)} of {number}")
    t.bound(lib.total(mine) >= number * 0.05 * RATE * 0.7, f"{name}: {kind}: for its whole life",
            f"{lib.total(mine)} samples of {number} children")
    t.ok(not unknown(words), f"{name}: {kind}: no sample lost as unknown", words)
    good, every = named(stacks)
    t.bound(good >= 0.99 * every, f"{name}: {kind}: frames have name and line", f"{good} of {every}")
    t.note(f"{name}: {kind}: {number} children, {lib.total(stacks)} samples, of them "
           f"{before_start(stacks)} before the interpreter, {unknown(words)} unknown; "
           f"{good} of {every} frames named")


def short_lives(t, name, interpreter, kinds):
    with lives(interpreter) as target:
        for kind in kinds:
            t.trial(f"{name}: {kind}", one_kind, t, name, target, kind)


def one_kind(t, name, target, kind):
    with lib.Krait("-F", RATE, "-p", target.pid, "-s") as k:
        run(target, kind, KINDS[kind][1])
        stacks = [s for s in k.finish() if lib.pid_of(s) != target.pid]
    kind_is_right(t, name, stacks, kind, k.err.text())


# --- one process, several programs --------------------------------------------------------------

def chains(t, interpreters):
    """Processes that each exec first -> second -> sh -> first, recorded together. first and second
    are neighbours in the list."""
    pairs = list(zip(interpreters, interpreters[1:] + interpreters[:1]))
    with contextlib.ExitStack() as on:
        targets = []
        for first, second in pairs:
            on.enter_context(lib.Target(second, "load.py", "sleep"))
            targets.append(on.enter_context(lib.Target(first, "chain.py", program(second))))
        with lib.Krait("-F", RATE, "-p", ",".join(str(x.pid) for x in targets), "-s") as k:
            for target in targets:
                target.tell("go")
            for target in targets:
                target.wait()
            stacks = k.finish()
            words = k.err.text()
    for (first, second), target in zip(pairs, targets):
        chain(t, f"chain [{first.label}, {second.label}]", lib.of(stacks, target.pid))
    versions = {f"CPython {i.minor[0]}.{i.minor[1]}" for i in interpreters}
    t.ok(all(v in words for v in versions), f"chain: {', '.join(sorted(versions))}", words)
    t.ok(not unknown(words), "chain: no sample lost as unknown", words)


def chain(t, name, stacks):
    for function in ("first", "second", "third"):
        mine = [s for s in stacks if function in lib.names(s)]
        t.bound(lib.total(mine) >= 0.2 * RATE * 0.7, f"{name}: {function}",
                f"{lib.total(mine)} samples\n{lib.worst(stacks)}")
    odd = [s for s in stacks if len({"first", "second", "third"} & set(lib.names(s))) > 1]
    t.ok(not odd, f"{name}: no stack has frames of two programs", lib.worst(odd))


# --- a file is replaced -------------------------------------------------------------------------

def replaced(t, name, interpreter):
    """libpython is replaced between two processes of an executable that krait knows."""
    if not interpreter.shared or interpreter.root:
        raise lib.Skip("its libpython is not a file of this machine's")
    library = os.path.join(interpreter.prefix, "lib",
                           next(x for x in os.listdir(interpreter.prefix + "/lib")
                                if re.match(r"libpython3\.\d+m?\.so\.1", x)))
    with lib.scratch() as where:
        own = os.path.join(where, os.path.basename(library))
        shutil.copyfile(library, own)
        env = {"LD_LIBRARY_PATH": where}
        with lib.Krait("-F", RATE, "-v") as k:
            known = record_one(interpreter, env)
            other_build_id(own)
            other = record_one(interpreter, env)
            stacks = k.finish()
    for pid, what in ((known, "as it was"), (other, "another library")):
        n = lib.total([s for s in lib.of(stacks, pid) if "replaced" in lib.names(s)])
        t.bound(n > 0.4 * RATE * 0.6, f"{name}: {what}", f"{n} samples")


def record_one(interpreter, env):
    """The pid of a process that computed for half a second."""
    with lib.Target(interpreter, "named.py", "replaced", env=env) as target:
        lib.compute(0.5, target.pid)
        return target.pid


def other_build_id(path):
    """Replaces a file by one that differs only in its build id."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    at = data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0") + 16
    for i in range(at, at + 20):
        data[i] ^= 0xff
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.replace(path + ".new", path)


# --- reused pids --------------------------------------------------------------------------------

def born(on, interpreter):
    """(target, pid of its children) of a reborn.py; lib.Skip if the kernel has no clone3()."""
    target = on.enter_context(lib.Target(interpreter, "reborn.py", wait=False))
    try:
        return target, int(target.out.wait_for("READY")[6:])
    except RuntimeError as e:
        if "Function not implemented" in target.err.text():
            raise lib.Skip("this kernel has no clone3()") from None
        raise e


def all_reborn(t, interpreters):
    """One target per interpreter, recorded together."""
    with contextlib.ExitStack() as on:
        targets = [born(on, i) for i in interpreters]
        with lib.Krait("-F", RATE) as k:
            for nth, what in ((1, "dead"), (1, "alive"), (1, "exec"), (2, "dead")):
                for target, _ in targets:
                    target.tell(what)
                for target, _ in targets:
                    target.out.wait_for(f"DONE {what}", nth=nth)
            stacks = k.finish()
    for i, (_, pid) in zip(interpreters, targets):
        reborn(t, f"reborn [{i.label}]", pid, lib.of(stacks, pid))


def reborn(t, name, pid, stacks):
    for function, times in (("dead", 2), ("alive", 1), ("executed", 1)):
        mine = [s for s in stacks if function in lib.names(s)]
        t.bound(lib.total(mine) >= times * 0.2 * RATE * 0.7, f"{name}: {function} is recorded",
                f"{lib.total(mine)} samples\n{lib.worst(stacks)}")
        heads = {s.root.partition("#")[0] for s in mine}  # dead-41#2: second of that name and pid
        own = {f"{x}-{pid}" for x in ("dead", "alive")}  # exec sets the name of its program
        t.ok(not mine or (len(heads) == 1 and heads & own == {f"{function}-{pid}"} & own),
             f"{name}: {function} under its own name", heads)
        odd = [s for s in mine if {"dead", "alive", "executed"} & set(lib.names(s)) != {function}]
        t.ok(not odd, f"{name}: {function} has no frames of other processes", lib.worst(odd))


# --- a storm of processes -----------------------------------------------------------------------

def memory(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])  # KiB


def keys_of(pid, name):
    """The keys of a running krait's BPF map."""
    bpftool = shutil.which("bpftool", path=os.environ["PATH"] + ":/usr/sbin")
    if not bpftool:
        raise lib.Skip("no bpftool")
    for entry in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{entry}") as f:
            m = re.search(r"map_id:\s+(\d+)", f.read())
        if not m:
            continue
        show = json.loads(subprocess.check_output([bpftool, "-j", "map", "show", "id", m[1]]))
        if show.get("name") == name:
            dump = json.loads(subprocess.check_output([bpftool, "-j", "map", "dump", "id", m[1]]))
            # An entry that was deleted during the dump has no value.
            return [x["formatted"]["key"] for x in dump if "formatted" in x]
    raise RuntimeError(f"no map {name}")


def dead_in(k, made=None):
    """Dead processes in krait's map: of those in `made`, else of all that began at least 5 s ago.
    krait keeps a dead process for two seconds."""
    old = (time.clock_gettime(time.CLOCK_BOOTTIME) - 5) * 1e9
    keys = keys_of(k.pid, "procs")
    if made is not None:
        return {x["tgid"] for x in keys} & made
    return {x["tgid"] for x in keys
            if x["start_ns"] < old and not os.path.exists(f"/proc/{x['tgid']}")}


def unburied(k, made=None):
    """The processes that are dead now and still in krait's map 20 s later."""
    left = dead_in(k, made)

    def gone():
        left.intersection_update(dead_in(k, made))
        return not left
    with contextlib.suppress(RuntimeError):  # the caller reports it
        lib.until(gone, "the dead are forgotten", 20, 0.5)
    return left


def storm(t, name):
    """10,000 processes a minute, most of them never sampled."""
    with lib.Target(lib.system(), "forks.py", STORM_RATE) as target, \
            lib.Krait("-F", 99, "-p", target.pid, "-s") as k:
        seen = []
        for _ in range(2):
            time.sleep(STORM / 2)
            seen.append(memory(k.pid))
        target.tell("stop")
        made = list(map(int, target.out.wait_for("DONE").split()[1:]))
        left = unburied(k, set(made))
        k.finish()
        words = k.err.text()
    t.bound(len(made) > 0.7 * STORM * STORM_RATE, f"{name}: enough processes in {STORM} s",
            len(made))
    t.bound(seen[1] - seen[0] < 1024, f"{name}: krait's memory does not grow", f"KiB: {seen}")
    t.ok(not left, f"{name}: no dead process is left in krait's map", left)
    t.ok(not unknown(words), f"{name}: no sample lost as unknown", words)
    t.note(f"{name}: {len(made)} processes; krait's memory {seen} KiB")


def overflow(t, name):
    """While krait is stopped, a non-Python program forks more often than the event ring holds."""
    forks = "read x; n=0; while [ $n -lt 15000 ]; do (:); n=$((n+1)); done; echo DONE; read x"
    with lib.Process(["/bin/sh", "-c", forks]) as shell, lib.Krait("-F", 99, "-v") as k:
        k.signal(signal.SIGSTOP)
        shell.tell("go")
        shell.out.wait_for("DONE", 600)
        k.signal(signal.SIGCONT)
        time.sleep(6)  # until all are old enough to be seen
        left = unburied(k)
        k.finish()
        words = k.err.text()
    lost = int(re.search(r"events lost: (\d+)", words)[1])
    t.bound(lost, f"{name}: events were lost", words)
    t.ok(not left, f"{name}: no dead process is left in krait's map",
         f"{len(left)}: {sorted(left)[:9]}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("exec", here=True, chosen=lib.interpreters.few):
        with t.guard(name):
            everything = i == lib.system() or i.minor in ((3, 6), (3, 13)) or lib.TRUTH
            short_lives(t, name, i, KINDS if everything and not i.root else ("fork", "exec"))
    here = [i for i in lib.interpreters.chosen(here=True) if not i.root]
    t.trial("chain", chains, t, here)
    t.trial("reborn", all_reborn, t, here)
    shared = next((i for i in reversed(here) if i.shared), None)
    if shared:
        t.trial("replaced", replaced, t, f"replaced [{shared.label}]", shared)
    else:
        t.skip("replaced", "no Python with a shared library here")
    t.trial("storm", storm, t, "storm")
    t.trial("overflow", overflow, t, "overflow")
    t.done()


main()
