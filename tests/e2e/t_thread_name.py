#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""record --thread-name: samples of the threads whose Python name, else the kernel's, matches; the others are counted.
Threads that end before their name is read are counted, too."""

import re

import interpreters
import lib

BRIEF = """
import threading, time
def work():
    end = time.monotonic() + 0.02
    while time.monotonic() < end:
        pass
while True:
    started = [threading.Thread(target=work, name="a brief thread") for i in range(4)]
    for t in started:
        t.start()
    for t in started:
        t.join()
"""


def recorded(pid, *args):
    """({name of a thread: samples}, standard error)"""
    with lib.Krait("-d", 2, "-F", 499, "-m", "wall", "-p", pid, "--by", "thread", "-f", "folded", *args) as k:
        stacks = k.result()
        said = k.err.text()
    found = {}
    for s in stacks:
        name = s.root.rpartition("-")[0]
        found[name] = found.get(name, 0) + s.count
    return found, said


def left_out(said):
    m = re.search(r"left out: (\d+) samples? of threads with other names", said)
    return int(m[1]) if m else 0


def check_names(t, name, interpreter):
    with lib.Target(interpreter, "dumped.py", "chain") as target:
        whole, said = recorded(target.pid)
        naps, naps_said = recorded(target.pid, "--thread-name", "naps*")
        both, _ = recorded(target.pid, "--thread-name", "naps 1,r?ns")
        none, none_said = recorded(target.pid, "--thread-name", "naps")
    t.ok({"runs", "naps 0", "naps 1"} <= set(whole) and not left_out(said), f"{name}: all without a pattern",
         f"{whole}\n{said}")
    t.ok(set(naps) == {"naps 0", "naps 1"}, f"{name}: a pattern", naps)
    n = re.search(r"krait: (\d+) samples", naps_said)
    t.ok(n and int(n[1]) == sum(naps.values()), f"{name}: the summary counts what is shown", naps_said)
    t.ok(left_out(naps_said) > sum(naps.values()) / 2, f"{name}: the others are counted", naps_said)
    t.ok(set(both) == {"naps 1", "runs"}, f"{name}: two patterns", both)
    t.ok(not none and left_out(none_said) > 100 and "no samples" in none_said, f"{name}: no such thread", none_said)


def check_recording(t, name, where):
    path = f"{where}/x.krait"
    with lib.Target(lib.system(), "dumped.py", "chain") as target:
        lib.usage("record", "-d", 2, "-p", target.pid, "--thread-name", "runs", "-o", path)
    status, out, err = lib.usage("report", path, "-f", "folded", "--by", "thread")
    roots = {s.root.rpartition("-")[0] for s in lib.parse(out)}
    t.ok(status == 0 and roots == {"runs"}, name, f"{status} {roots} {err}")


def check_brief(t, name, where):
    script = f"{where}/brief.py"
    with open(script, "w") as f:
        f.write(BRIEF)
    with lib.Process(["/usr/bin/python3", script]) as target:
        with lib.Krait("-d", 2, "-F", 999, "-p", target.pid) as k:
            k.result()
            said = k.err.text()
    m = re.search(r"(\d+) threads? ended before krait read", said)
    t.ok(m and int(m[1]) > 0, name, said)


def main():
    lib.need_krait()
    t = lib.Tap()
    some = [i for i in interpreters.few(here=True) if not i.root]
    for i in some if lib.TRUTH else [lib.system(), some[-1]]:
        t.trial(f"thread name [{i.label}]", check_names, t, f"thread name [{i.label}]", i)
    for check, name in ((check_recording, "a recording"), (check_brief, "threads without a name in time")):
        t.trial(name, lib.in_scratch, check, t, name)
    t.done()


main()
