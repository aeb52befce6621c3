#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""krait dump --tasks against what asyncio and the coroutines say of themselves: names, states, await chains with
lines, and who awaits whom, for C tasks, tasks of Python's own class, eager tasks and uvloop."""

import json
import re
import time

import interpreters
import lib

UNREAD = 4  # exit status: something could not be read
DUMPS = 200 if lib.TRUTH else 15
MANY = 3000
LINKS = 12


def dump(pid, *args):
    """(status, the process, standard error) of krait dump --tasks --json."""
    status, out, err = lib.usage("dump", "--tasks", "--json", "-p", pid, *args)
    found = json.loads(out)["processes"] if out else []
    return status, found[0] if found else {}, err


def tasks(pid, *args):
    """The tasks, all of which must have been read."""
    status, found, err = dump(pid, *args)
    if status or err or found["tasks_missing"]:
        raise RuntimeError(f"status {status}: {err}")
    return found["tasks"]


def frames(task):
    return [[f["name"], f["file"], f.get("line"), f.get("first_line")] if not f.get("mark") else [f["name"]]
            for f in task["stack"]]


# --- against the truth --------------------------------------------------------------------------

def difference(told, got, names):
    """How a task differs from the truth, or None. names: of threads, by tid."""
    if told["name"] != got["name"] or told["state"] != got["state"]:
        return f"{got['name']!r} is {got['state']} instead of {told['name']!r} {told['state']}"
    if names.get(got["loop"].get("thread")) != told["thread"]:
        return f"in {got['loop']} instead of {told['thread']}"
    if told["frames"] != frames(got):
        return f"{frames(got)} instead of {told['frames']}"
    waits_for = got.get("waits_for")
    if (waits_for and [waits_for["type"].rpartition(".")[2], waits_for["id"]]) != told["waits_for"]:
        return f"{waits_for} instead of {told['waits_for']}"
    if not set(told["awaited_by"]) <= set(got["awaited_by"]):
        return f"awaited by {got['awaited_by']} instead of {told['awaited_by']}"
    return None


def edges_of(all_):
    names = {t["id"]: t["name"] for t in all_}
    down = {(t["name"], names[x]) for t in all_ for x in t["awaits"]}
    up = {(names[x], t["name"]) for t in all_ for x in t["awaited_by"]}
    return down, up


def told_by(target):
    """What a target says, once no task is on its way to where it waits."""
    target.tell("tell")
    return json.loads(target.out.wait_for("TRUTH")[6:])


def check_truth(t, name, interpreter):
    with lib.Target(interpreter, "tasks.py", "still") as target:
        status, got, err = dump(target.pid)
        told, edges = told_by(target)
        text = lib.usage("dump", "--tasks", "-p", target.pid)
    t.ok(status == 0 and not err and got["tasks_missing"] is None, f"{name}: read whole", f"{status} {err}")
    threads = {x["tid"]: x["name"] for x in got["threads"]}
    listed = {x["id"]: x for x in got["tasks"]}
    t.ok({x["id"] for x in told} <= set(listed), f"{name}: all tasks",
         [x["name"] for x in told if x["id"] not in listed])
    others = [x for x in got["tasks"] if x["id"] not in {y["id"] for y in told}]
    t.ok(all(x["state"] == "done" for x in others), f"{name}: the others are done", others)
    wrong = [(x["name"], difference(x, listed[x["id"]], threads)) for x in told if x["id"] in listed]
    wrong = [x for x in wrong if x[1]]
    t.ok(not wrong, f"{name}: names, states, frames and what they wait for", wrong[:3])
    down, up = edges_of(got["tasks"])
    t.ok(down == up, f"{name}: links have two ends", down ^ up)
    t.ok(set(map(tuple, edges)) <= down, f"{name}: who awaits whom", set(map(tuple, edges)) - down)
    check_text(t, name, told, text)


def check_text(t, name, told, text):
    status, out, err = text
    depth = {m[2]: len(m[1]) // 4 for m in re.finditer(r'^( *)Task "(.*)": \[', out, re.M)}
    want = {x["name"].replace("\x1b", "\\x1b").replace("\n", "\\n") for x in told}
    t.ok(status == 0 and set(depth) >= want, f"{name}: text has each task", want - set(depth))
    t.ok(not lib.CONTROL.search(out.replace("\n", "")), f"{name}: text is safe to print")
    t.ok(depth["parent"] == 0 and depth["child"] == 1 and depth["gathered 2"] == 1, f"{name}: a tree", depth)
    t.ok(out.count('Task "shared": [') == 1 and out.count('Task "shared": see above') == 1,
         f"{name}: a task that two await is printed once")
    t.ok(re.search(r'Task "blocks": \[running\] in thread \d+\n    .*called \(', out), f"{name}: the one that runs")
    t.ok(re.search(r'^Event loop \w+ of thread \d+ "second": \d+ tasks$', out, re.M), f"{name}: heads of loops")


# --- tasks that run -----------------------------------------------------------------------------

CHAIN = ["sleep", "nap", *(f"f{k}" for k in reversed(range(LINKS))), "repeats"]


def is_possible(task):
    """Are its frames those of a task that stood still at some moment? __sleep0() of asyncio may be the innermost."""
    got = [f["name"].rpartition(".")[2] for f in task["stack"] if not f.get("mark")]
    if task.get("changed"):
        return not got
    if task["state"] == "running":  # callers of anything that it runs
        return not got or got[-1] == "repeats"
    return [x for x in got if x != "__sleep0"] == CHAIN[-len([x for x in got if x != "__sleep0"]):]


def check_busy(t, name, interpreter):
    with lib.Target(interpreter, "tasks.py", "busy") as target:
        odd, seen, whole, statuses, unread = [], 0, 0, set(), []
        for _ in range(DUMPS):
            status, got, err = dump(target.pid)
            if "tasks" not in got:  # on a loaded host its memory may not answer in time
                unread.append(f"{status} {err}")
                continue
            statuses.add(status)
            seen += len(got["tasks"])
            whole += sum(not x.get("changed") for x in got["tasks"])
            odd += [x for x in got["tasks"] if not is_possible(x) or not x["name"].startswith("busy ")]
    t.ok(statuses <= {0, UNREAD}, f"{name}: status", statuses)
    t.bound(len(unread) <= DUMPS // 10, f"{name}: the process answers", unread[:3])
    t.bound(not odd, f"{name}: no stack that never was", odd[:2])  # readings may be equal by chance
    dumps = DUMPS - len(unread)
    t.ok(seen >= 35 * dumps, f"{name}: all tasks", f"{seen} in {dumps} dumps")
    t.bound(whole > 0.2 * seen, f"{name}: most can be read", f"{whole} of {seen}")
    t.note(f"{name}: {whole} of {seen} tasks that run all the time were read whole")


# --- others -------------------------------------------------------------------------------------

def check_many(t, name, interpreter):
    with lib.Target(interpreter, "tasks.py", "many", MANY) as target:
        started = time.monotonic()
        got = tasks(target.pid)
        took = time.monotonic() - started
        status, out, _ = lib.usage("dump", "--tasks", "-p", target.pid)
    by_name = {x["name"]: x for x in got}
    t.ok(len(got) == MANY and len(by_name["link 7"]["awaits"]) == 1, f"{name}: all", len(got))
    t.ok(took < 10, f"{name}: in time", f"{took:.2f} s")
    deepest = max(len(m[1]) for m in re.finditer(r'^( *)Task ', out, re.M))
    t.ok(status == 0 and 40 <= deepest <= 100 and out.count(": [waiting") == MANY, f"{name}: text is bounded", deepest)
    t.note(f"{name}: {took:.2f} s")


def check_circle(t, name, interpreter):
    with lib.Target(interpreter, "tasks.py", "circle") as target:
        got = tasks(target.pid)
        status, out, _ = lib.usage("dump", "--tasks", "-p", target.pid)
    down, up = edges_of(got)
    t.ok(down == up == {("circle 0", "circle 1"), ("circle 1", "circle 0")}, f"{name}: links", down)
    t.ok(status == 0 and out.count("]\n") >= 2 and out.count("see above") == 1, f"{name}: text", out[-600:])


def check_uvloop(t, name, interpreter):
    where = lib.package(interpreter, "uvloop")
    with lib.Target(interpreter, "tasks.py", "loop", "uvloop", env={"PYTHONPATH": where}) as target:
        got = {x["name"]: x for x in tasks(target.pid)}
    t.ok(set(got) == {"parent", "child"} and got["child"]["loop"]["type"].endswith("Loop"), f"{name}: tasks", got)
    t.ok([f["name"].rpartition(".")[2] for f in got["child"]["stack"]] == ["sleep", "sleeps", "middle", "outer"],
         f"{name}: a stack", frames(got["child"]))
    t.ok(got["child"]["awaited_by"] == [got["parent"]["id"]], f"{name}: a link", got["child"]["awaited_by"])


def check_none(t, name):
    with lib.Target(lib.system(), "dumped.py", "crowd", 1) as target:
        got = tasks(target.pid)
        status, out, _ = lib.usage("dump", "--tasks", "-p", target.pid)
    t.ok(got == [] and status == 0 and out.endswith("\nNo asyncio tasks\n"), name, out[-200:])


def check_old(t, name):
    old = [i for i in interpreters.all() if i.minor < (3, 8) and not i.root]
    if not old:
        raise lib.Skip("no CPython before 3.8")
    with lib.Target(old[-1], "dumped.py", "still") as target:
        status, got, err = dump(target.pid)
    t.ok(status == UNREAD and got["tasks"] == [] and "3.8" in got["tasks_missing"] and "3.8" in err, name,
         f"{status} {err}")


def main():
    lib.need_krait()
    t = lib.Tap()
    for i, name in t.each_interpreter("tasks", chosen=interpreters.few):
        if i.minor < (3, 8):
            continue
        t.trial(name, check_truth, t, name, i)
        t.trial(f"{name}, busy", check_busy, t, f"{name}, busy", i)
    newest = [i for i in interpreters.few(here=True) if not i.root and i.minor >= (3, 12)]
    for i in [lib.system(), *newest[:1]]:
        for check, what in ((check_many, f"{MANY} tasks"), (check_circle, "circle"), (check_uvloop, "uvloop")):
            name = f"{what} [{i.label}]"
            t.trial(name, check, t, name, i)
    for check, name in ((check_none, "no tasks"), (check_old, "too old")):
        t.trial(name, check, t, name)
    t.done()


main()
