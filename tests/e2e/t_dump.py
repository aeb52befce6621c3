#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""krait dump against what each interpreter says of itself: names, states and stacks of all threads, the
holder of the GIL, processes that are stopped, traced, broken or in a container, and exit statuses."""

import ctypes
import json
import os
import re
import signal
import threading
import time

import containers
import interpreters
import lib

CROWD = 500
DUMPS = 200 if lib.TRUTH else 15  # of running threads, for each interpreter
LINKS = 12
KILLED = 200 if lib.TRUTH else 20  # processes while they are read
MUTATIONS = 20000 if lib.TRUTH else 500  # of a process's own structures
LAYOUTS = ((3, 6), (3, 10), (3, 11), (3, 12), (3, 15))
UNREAD = 4  # exit status: something could not be read


def dump(*args, **more):
    """(status, processes by pid, standard error) of krait dump --json."""
    status, out, err = lib.usage("dump", "--json", *args, **more)
    if not out:
        return status, {}, err
    return status, {p["pid"]: p for p in json.loads(out)["processes"]}, err


def one(pid, *args):
    """The process, which must have been read whole."""
    status, found, err = dump("-p", pid, *args)
    if status or err:
        raise RuntimeError(f"status {status}: {err}")
    return found[pid]


def text(*args):
    return lib.usage("dump", *args)


def frames(thread):
    """[name, file, line, first line] of each frame, leaf first; markers have their name alone."""
    return [[f["name"], f["file"], f.get("line"), f.get("first_line")] if not f.get("mark") else [f["name"]]
            for f in thread["stack"]]


def functions(thread):
    return [f["name"].rpartition(".")[2] if not f.get("mark") else f["name"] for f in thread["stack"]]


def label(thread):
    """The state as it is written in a stack."""
    call = f": {thread['call']}" if thread["call"] and thread["state"] in ("sleeping", "disk wait") else ""
    return f"[{ {'sleeping': 'sleep'}.get(thread['state'], thread['state']) }{call}]"


def switches(pid):
    found = []
    for tid in sorted(lib.threads_of(pid)):
        with open(f"/proc/{pid}/task/{tid}/status") as f:
            found += [x for x in f if "ctxt_switches" in x]
    return found


def settle(pid):
    """Waits until no thread of the process has run for a while."""
    def quiet():
        before = switches(pid)
        time.sleep(0.05)
        return before == switches(pid)
    lib.until(quiet, "its threads rest")


# --- against the truth --------------------------------------------------------------------------

STATES = {"sleep": {"[sleep: pselect6]", "[sleep: select]", "[sleep: clock_nanosleep]"},
          "select": {"[sleep: pselect6]", "[sleep: select]"},
          "poll": {"[sleep: poll]", "[sleep: ppoll]"},
          "epoll": {"[sleep: epoll_wait]", "[sleep: epoll_pwait]"},
          "loop": {"[sleep: epoll_wait]", "[sleep: epoll_pwait]"},
          **{x: {"[futex]"} for x in ("lock", "event", "dead one", "dead two")},
          **{x: {"[sleep: read]"} for x in ("deep", "generator", "key", "init", "far", "MainThread")}}


def difference(told, thread):
    """Where a stack differs from the truth, or None."""
    got = frames(thread)
    for k, (want, have) in enumerate(zip(told, got)):
        if want != have:
            return f"frame {k}: {have} instead of {want}"
    return None if len(told) == len(got) else f"{len(got)} frames instead of {len(told)}"


def check_truth(t, name, interpreter):
    with lib.Target(interpreter, "dumped.py", "still") as target:
        settle(target.pid)
        got = one(target.pid)
        target.tell("tell")
        told = json.loads(target.out.wait_for("TRUTH")[6:])
        settle(target.pid)
        check_commands(t, name, target.pid)
    check_still(t, name, got, told)
    t.ok(got["version"].startswith("%d.%d.%d" % interpreter.version), f"{name}: version", got["version"])
    t.ok(len(got["gils"]) == (0 if interpreter.threaded else 1) and not any(x["held"] for x in got["gils"]),
         f"{name}: nobody holds the GIL", got["gils"])


def check_still(t, name, got, told):
    threads = {x["tid"]: x for x in got["threads"]}
    t.ok(set(threads) == {tid for tid, _, _ in told}, f"{name}: exactly its threads")
    wrong = [(threads[tid]["name"], who) for tid, who, _ in told
             if threads[tid]["name"] != who or threads[tid]["name_from"] != "python"]
    t.ok(not wrong, f"{name}: names of threads", wrong)
    wrong = [(who, difference(stack, threads[tid])) for tid, who, stack in told]
    wrong = [x for x in wrong if x[1]]
    t.ok(not wrong, f"{name}: stacks", "\n".join(f"{who}: {what}" for who, what in wrong))
    wrong = [(who, label(threads[tid])) for tid, who, _ in told
             if label(threads[tid]) not in STATES.get(who, {label(threads[tid])})]
    t.ok(not wrong, f"{name}: states", wrong)
    odd = [x["name"] for x in got["threads"] if x["reading"] != "rested" or not x["whole"]]
    t.ok(not odd, f"{name}: all were read while they rested", odd)


def check_commands(t, name, pid):
    """The text for people, and the choice of threads."""
    status, out, err = text("-p", pid, "--thread-name", "dead*,esc*")
    shown = re.findall(r'^Thread \d+ (".*"): (.*)$', out, re.M)
    t.ok(status == 0 and shown == [('"dead one"', "[futex]"), ('"dead two"', "[futex]"),
                                   (r'"esc\x1b[31m\nline"', "[futex]")],
         f"{name}: threads by name", f"{status} {err}\n{out}")
    t.ok(re.search(r"^    deadlock \(.*dumped.py:\d+\)$", out, re.M), f"{name}: text", out)
    t.ok(not lib.CONTROL.search(out.replace("\n", "")), f"{name}: safe for terminals", out)


def check_source(t, name, interpreter):
    """Source lines, from the files as the process sees them."""
    with lib.Target(interpreter, "dumped.py", "still") as target:
        settle(target.pid)
        got = one(target.pid, "--source", "--thread-name", "deep,far")
        status, out, _ = text("-p", target.pid, "--source", "--thread-name", "deep")
    with open(os.path.join(lib.TARGETS, "dumped.py")) as f:
        lines = [x.strip() for x in f]
    deep = next(x for x in got["threads"] if x["name"] == "deep")
    wrong = [f for f in deep["stack"] if f["file"] == target.path and f.get("source") != lines[f["line"] - 1]]
    t.ok(not wrong, f"{name}: of the program", wrong[:2])
    t.ok(all("source" in f for f in deep["stack"]), f"{name}: of the standard library", deep["stack"][-1])
    far = next(x for x in got["threads"] if x["name"] == "far")
    t.ok("source" not in far["stack"][0], f"{name}: none without a file", far["stack"][0])
    t.ok(status == 0 and "\n        return os.read(fd, 1)\n" in out, f"{name}: text", out[:500])


# --- variables ----------------------------------------------------------------------------------

ARGUMENTS = {"self", "a", "b", "args", "kw", "more"}


def variables_of(process, thread, function):
    """{name: (text or None if it changed, is it an argument)} of the first frame of that function."""
    for x in process["threads"]:
        for f in x["stack"] if x["name"] == thread else ():
            if f["name"].rpartition(".")[2] == function:
                return {v["name"]: (v.get("value"), v["argument"]) for v in f["locals"] if not v.get("rest")}
    raise RuntimeError(f"no frame of {function}")


def compare(t, name, got, want):
    wrong = [f"{k}: {got.get(k, (None,))[0]!r} instead of {v!r}" for k, v in want.items()
             if got.get(k, (None,))[0] != v]
    t.ok(not wrong, name, "\n".join(wrong))


def check_locals(t, name, interpreter):
    # Debug builds fill the memory of an object that was freed before it was read.
    changing = r"(\d+|'even'|'odd'%s)\Z" % (r"|\[unreadable\]" if interpreter.debug else "")
    with lib.Target(interpreter, "dumped.py", "locals") as target:
        want, shown = json.loads(target.ready)
        _, found, err = dump("-p", target.pid, "--locals")
        odd = []
        for _ in range(DUMPS // 3):
            now = variables_of(dump("-p", target.pid, "-l", "--thread-name", "counts")[1][target.pid],
                               "counts", "counts")
            odd += [x for x in now.items() if not re.match(r"(n|word)\Z", x[0]) or
                    not (x[1][0] is None or re.match(changing, x[1][0]))]
    got = found[target.pid]
    mine = variables_of(got, "variables", "variables")
    compare(t, f"{name}: values", mine, want)
    t.ok({k for k, v in mine.items() if v[1]} == ARGUMENTS, f"{name}: arguments", mine)
    t.ok(set(mine) == set(want), f"{name}: exactly its variables", set(mine) ^ set(want))
    compare(t, f"{name}: cut and hostile values", variables_of(got, "shown", "shown"), shown)
    inner = variables_of(got, "variables", "inner")
    t.ok(set(inner) == {"fd", "b"} and inner["b"] == ("'two'", False), f"{name}: a free variable", inner)
    steps = variables_of(got, "steps", "steps")
    t.ok(set(steps) == {"fd", "inside"} and steps["inside"][0] == "'generator'", f"{name}: a generator", steps)
    t.ok(not variables_of(got, "MainThread", "<module>"), f"{name}: none of a module")
    t.ok(not odd, f"{name}: variables that change", odd[:3])


def check_watch(t, name):
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        settle(target.pid)
        with lib.Process([lib.KRAIT, "dump", "-p", str(target.pid), "--watch", "1", "--json"]) as k:
            k.out.wait_for('{"schema"', nth=2)
            target.signal(signal.SIGKILL)
            target.wait()
            status = k.wait(10)
            lines = [json.loads(x)["processes"][0] for x in k.out.lines]
    t.ok(status == 0 and len(lines) == 2, f"{name}: until the process ends", f"{status} {len(lines)}")
    t.ok(0.9 < lines[1]["taken"] - lines[0]["taken"] < 1.9, f"{name}: each second")
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        settle(target.pid)
        with lib.Process([lib.KRAIT, "dump", "-p", str(target.pid), "--watch", "3600"]) as k:
            k.out.wait_for("Thread")
            k.signal(signal.SIGINT)
            status = k.wait(10)
    t.ok(status == 0 and k.out.lines[0].startswith("--- 20"), f"{name}: until a signal", f"{status}")


# --- the GIL ------------------------------------------------------------------------------------

def all_asleep(pid):
    """The process, if no thread ran: who waits for the GIL wakes up every 5 ms to ask for it."""
    got = one(pid)
    return got if all(x["state"] != "running" for x in got["threads"]) else None


def check_gil(t, name, interpreter):
    with lib.Target(interpreter, "dumped.py", "holds") as target:
        holder = int(target.ready)
        got = lib.until(lambda: all_asleep(target.pid), "they wait", 20)
    threads = {x["tid"]: x for x in got["threads"]}
    t.ok(got["gils"] == [{"held": True, "steady": True, "holder": holder}], f"{name}: holder", got["gils"])
    t.ok([x["tid"] for x in got["threads"] if x["holds_gil"]] == [holder], f"{name}: it is marked")
    t.ok(threads[holder]["name"] == "holds" and functions(threads[holder])[0] == "hold" and
         threads[holder]["state"] == "sleeping", f"{name}: what it does", threads[holder])
    others = {x["state"] for x in got["threads"] if x["tid"] != holder}
    want = {"futex"} if interpreter.minor == (3, 6) else {"gil wait"}
    t.ok(others == want, f"{name}: the others wait for it", others)


# --- threads that run ---------------------------------------------------------------------------

def is_possible(names):
    """Is it a part of: through, f0, f1, ... f11, add or nap?"""
    order = ["through", *(f"f{k}" for k in range(LINKS))]
    root = names[::-1]
    start = root.index("through") if "through" in root else None
    if start is None:
        return all(x in ("run", "_bootstrap_inner", "_bootstrap") for x in root)
    root = root[start:]
    return root[:len(order)] == order[:len(root)] and root[len(order):] in ([], ["add"], ["nap"])


def check_running(t, name, interpreter):
    readings, impossible, seen = {}, [], 0
    with lib.Target(interpreter, "dumped.py", "chain") as target:
        for _ in range(DUMPS):
            _, found, _ = dump("-p", target.pid)
            for x in found[target.pid]["threads"]:
                readings[x["reading"]] = readings.get(x["reading"], 0) + 1
                if x["name"] == "MainThread":
                    continue
                seen += 1
                if not is_possible([f for f in functions(x) if not f.startswith("[")]):
                    impossible.append((x["name"], x["reading"], functions(x)))
    t.ok(seen == 3 * DUMPS and not impossible, f"{name}: no impossible stack",
         "\n".join(map(str, impossible[:5])))
    t.note(f"{name}: {readings}")


# --- processes in unusual states ----------------------------------------------------------------

def check_stopped(t, name):
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        settle(target.pid)
        before = one(target.pid)
        target.signal(signal.SIGSTOP)
        lib.until(lambda: lib.state(target.pid) == "T", "it stops")
        got = one(target.pid)
        status = lib.state(target.pid)
    t.ok({x["state"] for x in got["threads"]} == {"stopped"}, f"{name}: states")
    t.ok([frames(x) for x in got["threads"]] == [frames(x) for x in before["threads"]], f"{name}: stacks")
    t.ok(status == "T", f"{name}: still stopped", status)


def check_traced(t, name):
    libc = ctypes.CDLL(None, use_errno=True)
    attach, detach = 16, 17
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        settle(target.pid)
        if libc.ptrace(attach, target.pid, None, None):
            raise lib.Skip("ptrace is not permitted")
        os.waitpid(target.pid, 0x40000000)  # __WALL
        got = one(target.pid)
        libc.ptrace(detach, target.pid, None, None)
    main = got["threads"][0]
    t.ok(main["tid"] == target.pid and main["state"] == "stopped" and functions(main)[0] == "listen",
         f"{name}: the traced thread", main)


def check_ended(t, name):
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        pid = target.pid
        target.signal(signal.SIGKILL)
        lib.until(lambda: lib.state(pid) == "Z", "it ends")
        status, out, err = text("-p", pid)
    t.ok(status == 1 and not out and str(pid) in err, f"{name}: a zombie", f"{status} {out} {err}")
    status, out, err = text("-p", pid)
    t.ok(status == 1 and not out and "no such process" in err, f"{name}: gone", f"{status} {out} {err}")
    with lib.Process(["sleep", "1000"]) as other:
        status, out, err = text("-p", other.pid)
    t.ok(status == 1 and not out and "no Python process" in err, f"{name}: not Python", f"{status} {out} {err}")
    status, out, err = text()
    t.ok(status == 2 and "no process is chosen" in err, f"{name}: no choice", f"{status} {out} {err}")


def check_leaderless(t, name):
    """The first thread has ended, the others have not: /proc has a zombie with living threads."""
    with lib.Target(lib.system(), "dumped.py", "leaderless") as target:
        lib.until(lambda: lib.state(target.pid) == "Z", "its first thread ends")
        settle(target.pid)
        status, found, err = dump("-p", target.pid)
    threads = found[target.pid]["threads"] if target.pid in found else []
    left = {x["name"]: functions(x) for x in threads if x["tid"] != target.pid}
    first = [frames(x) for x in threads if x["tid"] == target.pid]
    t.ok(set(left) == {"left 0", "left 1"} and all("run" in x for x in left.values()),
         f"{name}: the threads that are left", f"{status} {left} {err}")
    t.ok(first in ([], [[["[exiting]"]]]), f"{name}: nothing of the first one", first)


def check_dying(t, name):
    """Processes that are killed while they are read."""
    odd, statuses, longest = [], set(), 0
    for i in range(KILLED):
        with lib.Target(lib.system(), "dumped.py", "crowd", 100) as target:
            started = time.monotonic()
            killer = threading.Timer(0.002 * (i % 20), target.child.kill)
            killer.start()
            status, out, err = lib.usage("dump", "--json", "--locals", "--tasks", "-p", target.pid)
            longest = max(longest, time.monotonic() - started)
            killer.join()
        statuses.add(status)
        if status not in (0, 1, 3, UNREAD) or (out and not isinstance(json.loads(out), dict)):
            odd.append((status, err[-300:]))
    t.ok(not odd and longest < 10, f"{name}: {KILLED} dumps", f"{odd[:3]} {longest:.1f} s")
    t.note(f"{name}: statuses {sorted(statuses)}, the longest dump took {longest:.2f} s")


def check_some(t, name):
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        settle(target.pid)
        status, found, err = dump("-p", f"{target.pid},{lib.no_pid()}")
    t.ok(status == UNREAD and list(found) == [target.pid] and "no such process" in err,
         f"{name}: one of two", f"{status} {err}")


def scope():
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as f:
            return int(f.read())
    except OSError:
        return 0


def check_unprivileged(t, name):
    """Another user's process is refused; the caller's own is read without any capability."""
    def drop():
        lib.die_with_test()
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    with lib.Target(lib.system(), "dumped.py", "still") as target:
        settle(target.pid)
        status, out, err = lib.usage("dump", "-p", target.pid, preexec_fn=drop)
    t.ok(status == 3 and not out and "CAP_SYS_PTRACE" in err, f"{name}: refused", f"{status} {out} {err}")
    own = lib.As("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *lib.system().argv)
    with lib.Target(own, "dumped.py", "still") as target:
        settle(target.pid)
        as_root = one(target.pid)
        status, out, err = lib.usage("dump", "--json", "-p", target.pid, preexec_fn=drop)
    if status == 3 and scope():
        raise lib.Skip(f"kernel.yama.ptrace_scope is {scope()}")
    got = json.loads(out)["processes"][0] if out else {"threads": []}
    t.ok(status == 0 and not err, f"{name}: the caller's own", f"{status} {err}")
    t.ok([(x["name"], x["state"], frames(x)) for x in got["threads"]] ==
         [(x["name"], x["state"], frames(x)) for x in as_root["threads"]], f"{name}: the same as root sees")


CASES = ("self", "cycle", "unmapped", "noncanonical", "code", "codetype", "name", "lines", "size")


def check_corrupt(t, name):
    library = lib.helper()
    for case in CASES:
        with lib.Target(lib.system(), "corrupt.py", case, library) as target:
            target.tell("go")
            lib.compute(0.05, target.pid)
            started = time.monotonic()
            status, found, err = dump("-p", target.pid, "--locals", "--source")
            took = time.monotonic() - started
            alive = target.child.poll() is None
        deep = [len(x["stack"]) for p in found.values() for x in p["threads"]]
        t.ok(alive and status in (0, UNREAD) and deep and max(deep) < 5000 and took < 10,
             f"{name}: {case}", f"{status} {deep} {took:.1f} s\n{err}")


def check_mutant(t, name, interpreter):
    """A process that rewrites its own structures while it is read: krait ends, in time, with what it could read."""
    with lib.Target(interpreter, "mutant.py", lib.helper(), MUTATIONS) as target:
        target.tell("go")
        seen, odd, longest = 0, [], 0
        while target.child.poll() is None and not any(x.startswith("DONE") for x in target.out.lines):
            started = time.monotonic()
            status, out, err = lib.usage("dump", "--json", "--locals", "--source", "-p", target.pid)
            longest = max(longest, time.monotonic() - started)
            seen += 1
            if status not in (0, 1, UNREAD) or (out and not isinstance(json.loads(out), dict)):
                odd.append((status, err[-300:]))
        alive = target.child.poll() is None
    t.ok(alive and seen and not odd and longest < 15, f"{name}: {seen} dumps", f"{odd[:3]} {longest:.1f} s")


# --- many threads, containers -------------------------------------------------------------------

def check_crowd(t, name):
    with lib.Target(lib.system(), "dumped.py", "crowd", CROWD) as target:
        settle(target.pid)
        started = time.monotonic()
        got = one(target.pid)
        took = time.monotonic() - started
        kept = one(target.pid, "--thread-name", "one of 7*")
    names = {x["name"] for x in got["threads"]}
    t.ok(names == {"MainThread", *(f"one of {i}" for i in range(CROWD))}, f"{name}: names", len(names))
    t.ok(all(x["whole"] and x["reading"] == "rested" for x in got["threads"]), f"{name}: stacks")
    t.ok(took < 5, f"{name}: it is quick", f"{took:.2f} s")
    t.ok(len(kept["threads"]) == 11 + 100 * (CROWD > 700), f"{name}: by name", len(kept["threads"]))
    t.note(f"{name}: {len(names)} threads in {took:.3f} s, of which {got['seconds']:.3f} s reading")


def check_container(t, name):
    interpreter = next(i for i in interpreters.all() if i.root and not i.debug)
    who = f"krait-{os.getpid()}-dump"
    with containers.Podman(interpreter, who, "dumped.py", "still") as target, \
            lib.Target(lib.system(), "dumped.py", "still") as other:
        settle(target.pid)
        settle(other.pid)
        status, found, err = dump("--container", who)
        t.ok(status == 0 and list(found) == [target.pid], f"{name}: it alone", f"{status} {list(found)} {err}")
        got = found[target.pid]
        t.ok(got["container"]["name"] == who and got["ns_pid"] == 1, f"{name}: its names", got["container"])
        deep = next(x for x in got["threads"] if x["name"] == "deep")
        t.ok(functions(deep).count("deep") == 301 and deep["whole"] and 1 < deep["ns_tid"] < deep["tid"],
             f"{name}: a stack", deep["ns_tid"])
        status, _, err = dump("--container", "krait-none")
        t.ok(status == 1 and "not found" in err, f"{name}: no such container", err)


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("dump"):
        t.trial(name, check_truth, t, name, i)
        t.trial(f"{name}, locals", check_locals, t, f"{name}, locals", i)
        if not i.threaded:
            t.trial(f"{name}, GIL", check_gil, t, f"{name}, GIL", i)
        if lib.TRUTH or i.minor in LAYOUTS:
            t.trial(f"{name}, running", check_running, t, f"{name}, running", i)
    for i in [lib.system()] + [i for i in interpreters.all() if i.root][:1]:
        t.trial(f"source [{i.label}]", check_source, t, f"source [{i.label}]", i)
    for i in interpreters.chosen(here=True):
        if not i.root and (i.minor in LAYOUTS or lib.TRUTH):
            t.trial(f"mutant [{i.label}]", check_mutant, t, f"mutant [{i.label}]", i)
    for check, name in ((check_stopped, "SIGSTOP"), (check_traced, "traced"), (check_ended, "nothing found"),
                        (check_leaderless, "zombie leader"), (check_dying, "dying"),
                        (check_some, "some"), (check_watch, "watch"), (check_unprivileged, "privilege"),
                        (check_corrupt, "corrupt"), (check_crowd, f"{CROWD} threads"),
                        (check_container, "container")):
        t.trial(name, check, t, name)
    t.done()


main()
