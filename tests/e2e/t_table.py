#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The table: it has a row for each function and, in a recording of waiting threads, columns for
what its threads were doing. krait record prints it to a terminal, and folded stacks to files and
pipes."""

import contextlib
import fcntl
import json
import os
import re
import struct
import subprocess
import termios
from collections import Counter

import lib

KINDS = "sleeps,acquires,one,two"
CLASSES = {"running": "RUN", "runnable": "RUN", "throttled": "RUN", "gil wait": "GIL"}  # others: WAIT
NUMBER, INTERVAL = r" *([\d.]+)", r"  ([\d.]+)\.\.([\d.]+)"
SPLIT = NUMBER * 3
HEADS = {"RUN": 0, "WAIT": 1, "GIL": 2}
LIMIT = 0.006  # rounding error of a number with two decimal places


# --- content of the recording ---------------------------------------------------------------------

def samples(path):
    """[(functions root first, class of the thread state, weight)]"""
    status, out, err = lib.usage("report", path, "-f", "jsonl", "--no-states")
    if status:
        raise RuntimeError(err)
    found = [x for x in map(json.loads, out.splitlines()) if x["type"] == "samples"]
    return [([f["name"] for f in x.get("stack", ())], CLASSES.get(x["state"], "WAIT"), x["weight"]) for x in found]


def by_class(rows, key):
    """{name: {class: percent}} for the functions that key(stack) returns."""
    total, found = sum(w for *_, w in rows), {}
    for stack, kind, weight in rows:
        for name in key(stack):
            found.setdefault(name, Counter())[kind] += 100 * weight / total
    return found


# --- content of the table -------------------------------------------------------------------------

def rows_of(text, shape):
    """{name: numbers} of the lines that match `shape`, followed by a name."""
    found = {}
    for m in re.finditer(f"^{shape} +(\\S.*)$", text, re.M):
        found[m[m.lastindex].split(" (")[0]] = [float(x) for x in m.groups()[:-1]]
    return found


def report(path, *args):
    status, out, err = lib.usage("report", path, *args)
    if status:
        raise RuntimeError(f"krait report {args}: {err}")
    return out


def same(shown, wanted):
    """{name: (shown, wanted)} where RUN, WAIT or GIL differ."""
    return {name: (shown.get(name), dict(classes)) for name, classes in wanted.items()
            if name not in shown or any(abs(shown[name][i] - classes[x]) > LIMIT for x, i in HEADS.items())}


def check_functions(t, path, rows):
    text = report(path)
    shown = rows_of(text, NUMBER + INTERVAL + SPLIT + NUMBER + INTERVAL)
    wrong = same({k: v[3:6] for k, v in shown.items()}, by_class(rows, lambda stack: stack[-1:]))
    t.ok(not wrong, "functions: RUN, WAIT and GIL match the recording", f"{wrong}\n{text}")
    odd = {k: v for k, v in shown.items() if abs(v[0] - sum(v[3:6])) > 3 * LIMIT}
    t.ok(not odd, "functions: they add up to SELF", odd)
    t.ok("acquires" in shown and shown["acquires"][0] > 15 and not re.search(r" \[", text),
         "functions: a waiting function is a row, and no state frame is", text)
    text = report(path, "--by", "process")
    t.ok("acquires" in rows_of(text, NUMBER + INTERVAL + SPLIT + NUMBER + INTERVAL),
         "groups: they have these columns, too", text)


def check_others(t, path, rows):
    text = report(path, "--callers", "acquires")
    wanted = by_class([(s if "acquires" in s else [], c, w) for s, c, w in rows],
                      lambda s: {s[s.index("acquires") - 1]} if s else ())
    t.ok(not (wrong := same({k: v[3:6] for k, v in rows_of(text, NUMBER + INTERVAL + SPLIT).items()}, wanted)),
         "callers", f"{wrong}\n{text}")
    text = report(path, "--callees", "begin")
    wanted = by_class([(s if "begin" in s else [], c, w) for s, c, w in rows],
                      lambda s: {s[s.index("begin") + 1]} if s[-1:] not in ([], ["begin"]) else ())
    shown = rows_of(text, NUMBER + INTERVAL + NUMBER + INTERVAL + SPLIT)
    t.ok(not (wrong := same({k: v[6:9] for k, v in shown.items()}, wanted)), "callees", f"{wrong}\n{text}")
    text = report(path, "--source", "clocks.py")
    line = next(x for x in text.splitlines() if x.endswith("  never.acquire()"))
    self, total, _, _, run, wait, gil = map(float, re.match(NUMBER * 2 + INTERVAL + SPLIT, line).groups())
    t.ok(self == total > 15 and abs(run + wait + gil - total) <= 3 * LIMIT and wait > 0.9 * total, "source", line)


def check_states(t, path):
    """Options that show states as frames, rows or groups."""
    text = report(path, "--states")
    t.ok(" [futex]\n" in text and "RUN" not in text, "--states: state frames are rows", text)
    text = report(path, "--states", "--callers", "[futex]")
    t.ok(re.search(r" acquires \(", text), "--states --callers: functions that wait in it", text)
    text = report(path, "--no-states")
    t.ok(" acquires (" in text and "RUN" not in text and " [" not in text,
         "--no-states: only functions", text)
    text = report(path, "--by", "state")
    t.ok(re.search(r"^futex: \d+ samples", text, re.M) and "RUN" not in text, "--by state: groups", text)
    text = report(path, "--where", "state=futex")
    shown = rows_of(text, NUMBER + INTERVAL + SPLIT + NUMBER + INTERVAL)
    t.ok(shown and all(v[0] == v[4] for v in shown.values()),
         "--where state=futex: all time is WAIT", text)
    out = report(path, "-f", "folded")
    t.ok(";[futex] " in out and lib.total(lib.parse(out)), "folded stacks end in the state",
         out[:500])


def check_wall(t, where):
    path = f"{where}/wall.krait"
    with lib.Target(lib.system(), "clocks.py", KINDS) as target:
        with lib.Krait("-m", "wall", "-d", "2s", "-p", target.pid, "-o", path) as k:
            k.result()
    rows = samples(path)
    check_functions(t, path, rows)
    check_others(t, path, rows)
    check_states(t, path)


def check_cpu(t, where):
    path = f"{where}/cpu.krait"
    with lib.Target(lib.system(), "clocks.py", KINDS) as target:
        with lib.Krait("-d", "500ms", "-p", target.pid, "-o", path) as k:
            k.result()
    text = report(path)
    t.ok("RUN" not in text and
         " SELF %  95 % INTERVAL      PY      C    SYS TOTAL %  95 % INTERVAL  FUNCTION\n" in text,
         "CPU mode: columns PY, C and SYS instead", text)
    text = report(path, "--no-states")
    t.ok(" SELF %  95 % INTERVAL  TOTAL %  95 % INTERVAL  FUNCTION\n" in text,
         "CPU mode, --no-states: a table without columns", text)


# --- a terminal -----------------------------------------------------------------------------------

class Terminal:
    """Runs krait with a terminal as standard output and, with `both`, as standard error."""

    def __init__(self, *args, columns=120, both=False):
        self.master, tty = os.openpty()
        fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with contextlib.ExitStack() as on:
            on.callback(os.close, self.master)
            argv = [lib.KRAIT, *map(str, args)]
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=tty,
                                          stderr=tty if both else subprocess.PIPE)
            os.close(tty)
            self.out = self.read()
            self.err = "" if both else self.child.stderr.read().decode()
            self.status = self.child.wait(lib.PATIENCE)

    def read(self):
        text = b""
        with contextlib.suppress(OSError):  # read() fails once krait has closed the terminal
            while part := os.read(self.master, 65536):
                text += part
        return text.decode().replace("\r\n", "\n")


def is_table(text):
    return "95 % INTERVAL" in text and " FUNCTION\n" in text and re.search(r"^ +[\d.]+  [\d.]+\.\.", text, re.M)


def is_folded(text):
    with contextlib.suppress(ValueError):
        return lib.total(lib.parse(text)) > 0


def check_terminal(t, where):
    with lib.Target(lib.system(), "clocks.py", "one") as target:
        args = ("record", "-d", "500ms", "-F", 499, "-p", target.pid)
        ran = Terminal(*args)
        t.ok(ran.status == 0 and is_table(ran.out) and "samples in" in ran.err, "a terminal gets the table",
             f"{ran.status}\n{ran.out}\n{ran.err}")
        for flags in (("-f", "folded"), ("-o", "-")):
            ran = Terminal(*args, *flags)
            t.ok(is_folded(ran.out), f"a terminal, {' '.join(flags)}: folded stacks", ran.out[:500])
        ran = Terminal(*args, "-o", f"{where}/x.report", columns=40)
        with open(f"{where}/x.report") as f:
            t.ok(not ran.out and " computes (targets/clocks.py)\n" in f.read(),
                 "names in a file are not truncated", ran.out)
        ran = Terminal(*args, columns=70)
        wide = [x for x in ran.out.splitlines() if len(x) > 70]
        t.ok(is_table(ran.out) and not wide and " SYS " not in ran.out,
             "names are truncated at the terminal's width, and there is no room for PY, C and SYS", wide)
        ran = Terminal(*args, columns=80)
        wide = [x for x in ran.out.splitlines() if len(x) > 80]
        t.ok(is_table(ran.out) and not wide and " SYS " in ran.out, "80 columns have room for PY, C and SYS", wide)
        ran = Terminal(*args, "-d", "2500ms", both=True)
        t.ok(re.search(r"\r\x1b\[K[^\r\x1b ]+: \d+ samples in", ran.out) and is_table(ran.out),
             "the table replaces the progress line", ran.out)
        ran = Terminal(*args, "-m", "wall")
        t.ok(re.search(r" RUN +WAIT +GIL .*FUNCTION\n", ran.out),
             "wall-clock mode: columns RUN, WAIT and GIL", ran.out)
        ran = Terminal(*args, "--by", "process")
        t.ok(re.search(rf"^\S+-{target.pid}: \d+ samples", ran.out, re.M), "--by: groups", ran.out)
        status, out, err = lib.usage(*args)
        t.ok(status == 0 and is_folded(out), "a pipe gets folded stacks", f"{status} {out[:500]} {err}")
        with open(f"{where}/plain", "w+") as f:
            subprocess.run([lib.KRAIT, *map(str, args)], stdout=f, stderr=subprocess.DEVNULL, timeout=lib.PATIENCE)
            f.seek(0)
            t.ok(is_folded(text := f.read()), "a file gets folded stacks", text[:500])


def check_nothing(t):
    """Without samples, krait says why and what to try."""
    ran = Terminal("record", "-d", "300ms", "--comm", "no-such-name")
    t.ok(ran.status == 0 and ": 0 samples in" in ran.out and "no Python process matches" in ran.err and
         "'krait list'" in ran.err, "no such Python", f"{ran.out}\n{ran.err}")
    with lib.Target(lib.system(), "clocks.py", "acquires") as target:
        ran = Terminal("record", "-d", "300ms", "-p", target.pid)
    t.ok("no samples: 1 Python process found" in ran.err and "-m wall" in ran.err,
         "a waiting process", ran.err)
    ran = Terminal("record", "-o", "/dev/null", "--", "/bin/true")
    t.ok(ran.status == 0 and "CMD ran no Python" in ran.err, "a command other than Python", ran.err)


def main():
    lib.need_krait()
    t = lib.Tap()
    for name, check in (("wall", check_wall), ("cpu", check_cpu), ("terminal", check_terminal)):
        t.trial(name, lib.in_scratch, check, t)
    t.trial("nothing", check_nothing, t)
    t.done()


main()
