#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`krait doctor` where a privilege, file or resource is missing: it reports the problem and its
fix, its exit status predicts that of `krait record`, and the fixes work."""

import json
import os
import re
import shlex
import shutil
import subprocess

import lib

STATUSES = ("ok", "unknown", "limited", "missing")
MODES = ("record", "names", "lifecycle", "wall clock")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def without(*caps):
    words = ",".join("-" + c for c in caps)
    return ("setpriv", f"--bounding-set={words}", f"--inh-caps={words}")


def mounted(script, *then):
    """Runs a command in a new mount namespace, after a shell script."""
    return ("unshare", "-m", "--propagation", "private", "sh", "-c", f'{script} && exec "$@"',
            "sh", *then)


def run(argv):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=lib.PATIENCE)
    return r.returncode, r.stdout, r.stderr


class Report:
    """Parses doctor's output by its columns; ValueError for lines in another format."""

    def __init__(self, argv):
        self.code, self.text, self.err = run(argv)
        if self.code < 0 or self.err:
            raise ValueError(f"status {self.code}, standard error {self.err[:300]!r}")
        self.rows, self.modes, self.fixes, self.last = {}, {}, {}, {}
        name = None
        for line in self.text.splitlines():
            if line != line.rstrip():
                raise ValueError(f"space at the end: {line!r}")
            name = self._line(line, name)
        self.verdict = self.text.splitlines()[-1]

    def _line(self, line, name):
        status = line[:8].rstrip()
        if line.startswith(" " * 9):
            if line[9:].startswith("fix: "):
                self.fixes[name] = line[9 + 5:]
        elif status in STATUSES and line[8] == " ":
            name = line[9:35].rstrip()
            (self.modes if name in MODES else self.rows)[name] = (status, line[36:])
        elif line and not line.startswith(("as root: ", "recording the whole host: ")):
            raise ValueError(f"not a line of doctor: {line!r}")
        return name

    def status(self, name):
        return self.rows.get(name, ("no such row",))[0]

    def bad(self):
        return {n: s for n, (s, _) in self.rows.items() if s in ("limited", "missing")}

    def expected_code(self):
        """The exit status that the manual gives for these rows."""
        if self.status("trial") != "ok":
            return 3
        return 1 if self.bad() else 0


def records(krait, prefix):
    return run((*prefix, krait, "record", "-d", "200ms", "-o", "/dev/null"))


def agree(t, name, krait, prefix, report):
    """doctor's exit status matches its rows and the exit status of record."""
    code, _, err = records(krait, prefix)
    t.ok(report.code == report.expected_code() and code == (3 if report.code == 3 else 0),
         f"{name}: doctor and record agree",
         f"doctor {report.code}, by its lines {report.expected_code()}, record {code}: "
         f"{err[:200]}\n{report.text}")


def examine(t, name, krait, prefix, code, rows, fixes):
    """Checks doctor's exit status, the status of some rows, and words of some fixes."""
    r = Report((*prefix, krait, "doctor"))
    wrong = [n for n, s in rows.items() if r.status(n) != s]
    wrong += [n for n, w in fixes.items() if w not in r.fixes.get(n, "")]
    t.ok(r.code == code and not wrong, name, f"status {r.code}, not {code}; wrong: {wrong}\n{r.text}")
    agree(t, name, krait, prefix, r)
    return r


# --- users and capabilities ---------------------------------------------------------------------

def as_root(t, krait):
    r = Report((krait, "doctor"))
    t.ok(r.status("trial") == "ok" and r.code in (0, 1) and len(r.rows) > 20 and
         list(r.modes) == list(MODES) and "as root" not in r.text, "root", r.text)
    agree(t, "root", krait, (), r)
    if r.bad():
        raise lib.Skip(f"this host has limits of its own: {r.bad()}")
    return r


# Dropped capabilities, exit status, status of rows, words of their fixes.
CAPS = [
    (("bpf",), 0, {"CAP_BPF": "ok"}, {}),
    (("perfmon",), 0, {"CAP_PERFMON": "ok"}, {}),
    (("sys_admin",), 0, {"CAP_SYS_ADMIN": "ok"}, {}),
    (("dac_read_search",), 0, {"CAP_DAC_READ_SEARCH": "ok"}, {}),
    (("bpf", "sys_admin"), 3, {"CAP_BPF": "missing", "trial": "missing", "sampler": "unknown"},
     {"CAP_BPF": "--cap-add=BPF"}),
    (("perfmon", "sys_admin"), 3, {"CAP_PERFMON": "missing", "trial": "missing"},
     {"CAP_PERFMON": "--cap-add=PERFMON"}),
    (("sys_admin", "checkpoint_restore"), 1, {"CAP_SYS_ADMIN": "limited", "trial": "ok"},
     {"CAP_SYS_ADMIN": "--cap-add=CHECKPOINT_RESTORE"}),
    (("sys_ptrace",), 1, {"CAP_SYS_PTRACE": "limited", "processes": "limited", "trial": "ok"},
     {"CAP_SYS_PTRACE": "--cap-add=SYS_PTRACE", "processes": "--cap-add=SYS_PTRACE"}),
    (("dac_read_search", "dac_override"), 1, {"CAP_DAC_READ_SEARCH": "limited", "trial": "ok"},
     {"CAP_DAC_READ_SEARCH": "--cap-add=DAC_READ_SEARCH"}),
]


def need_upstream():
    """Skips at perf_event_paranoid levels that some distributions add: they need CAP_SYS_ADMIN."""
    with open("/proc/sys/kernel/perf_event_paranoid") as f:
        paranoid = int(f.read())
    if paranoid > 2:
        raise lib.Skip(f"perf_event_paranoid is {paranoid}")


def capabilities(t, krait):
    for caps, code, rows, fixes in CAPS:
        name = "without " + " and ".join(caps)
        with t.guard(name):
            if "sys_admin" in caps:
                need_upstream()
            examine(t, name, krait, without(*caps), code, rows, fixes)


def nobody(t, krait):
    """An unprivileged user is told what is missing, and that root can record."""
    r = examine(t, "nobody", krait, NOBODY, 3,
                {"CAP_BPF": "missing", "CAP_PERFMON": "missing", "CAP_SYS_PTRACE": "limited",
                 "kernel": "ok", "btf": "ok", "task list": "unknown"}, {"CAP_BPF": "setcap"})
    t.ok("as root: no obstacles" in r.text, "nobody: root would have no obstacles", r.text)
    r = Report((*NOBODY, "unshare", "-r", krait, "doctor"))
    t.ok(r.code == 3 and r.status("user namespace") == "missing",
         "nobody, as root of a user namespace", r.text)


def granted(t, krait):
    """After the fix's setcap command, user nobody can record."""
    need_upstream()
    own = shutil.copy(krait, krait + "-granted")
    fix = Report((*NOBODY, own, "doctor")).fixes["CAP_BPF"]
    argv = [w for w in shlex.split(fix, comments=True) if w != "sudo"]
    if not shutil.which(argv[0]):
        raise lib.Skip(f"no {argv[0]}")
    t.ok(own in argv, "the fix names the program", fix)
    code, _, err = run(argv)
    if code:
        raise lib.Skip(f"no capabilities on files here: {err}")
    examine(t, "nobody, after the fix", own, NOBODY, 0, {"CAP_BPF": "ok", "trial": "ok"}, {})


# --- namespaces and limits ----------------------------------------------------------------------

def repaired(t, name, krait, break_it, row, prefix=()):
    """The fix, run in the same namespace, turns the row to ok."""
    argv = mounted(break_it, *prefix, krait, "doctor")
    fix = Report(argv).fixes.get(row, "false").replace("sudo ", "")
    r = Report(mounted(f"{break_it} && {fix}", *prefix, krait, "doctor"))
    t.ok(r.status(row) == "ok", f"{name}: {fix}", r.text)


def namespaces(t, krait):
    break_btf = "mount -t tmpfs none /sys/kernel/btf"
    examine(t, "BTF hidden", krait, mounted(break_btf), 3,
            {"btf": "missing", "sampler": "unknown", "CAP_BPF": "ok", "trial": "missing"},
            {"btf": "sudo umount /sys/kernel/btf"})
    repaired(t, "BTF hidden", krait, break_btf, "btf")
    break_sys = "mount -t tmpfs none /sys"
    examine(t, "no /sys", krait, mounted(break_sys), 3, {"btf": "missing", "open files": "unknown"},
            {"btf": "mount -t sysfs sysfs /sys"})
    repaired(t, "no /sys", krait, break_sys, "btf")
    examine(t, "pid namespace", krait, ("unshare", "--pid", "--fork", "--mount-proc"), 3,
            {"pid namespace": "missing", "sampler": "ok", "trial": "missing"},
            {"pid namespace": "--pid=host"})
    examine(t, "user namespace", krait, ("unshare", "-r"), 3,
            {"user namespace": "missing", "trial": "missing"}, {"user namespace": "on the host"})


def no_files(t, krait):
    """A setting that cannot be read is reported as unknown, with the reason."""
    settings = "mount -t tmpfs none /proc/sys"
    r = examine(t, "no /proc/sys", krait, mounted(settings), 0,
                {"perf_event_paranoid": "unknown", "perf_event_max_sample_rate": "unknown",
                 "trial": "ok"}, {})
    t.ok("No such file" in r.rows["perf_event_paranoid"][1], "unknown says why", r.text)
    hide = "mount -t tmpfs none /proc"
    examine(t, "no /proc", krait, mounted(hide), 1,
            {"/proc": "limited", "CAP_BPF": "unknown", "pid namespace": "unknown"},
            {"/proc": "mount -t proc proc /proc"})
    repaired(t, "no /proc", krait, hide, "/proc")


def hidden_pids(t, krait):
    """hidepid on a new instance of procfs: the option belongs to the instance, not to the mount."""
    hide = "mount -t proc -o hidepid=2 proc /proc"
    examine(t, "hidepid, seen by root", krait, mounted(hide), 0, {"/proc": "ok"}, {})
    blind = without("sys_ptrace")
    examine(t, "hidepid", krait, mounted(hide, *blind), 1, {"/proc": "limited"},
            {"/proc": "mount -o remount,hidepid=0 /proc"})
    repaired(t, "hidepid", krait, hide, "/proc", blind)


def few_files(t, krait):
    """20 descriptors are too few; with the number of the fix, doctor has no complaint."""
    r = Report(("prlimit", "--nofile=20:20", krait, "doctor"))
    code = records(krait, ("prlimit", "--nofile=20:20"))[0]
    t.ok(r.code == 3 and r.status("open files") == "missing" and code, "20 descriptors",
         f"record {code}\n{r.text}")
    number = re.search(r"--nofile=(\d+):", r.fixes.get("open files", ""))
    limit = ("prlimit", f"--nofile={number[1]}:{number[1]}")
    examine(t, f"{number[1]} descriptors", krait, limit, 0, {"open files": "ok"}, {})


def as_json(t, krait):
    """--json has the same content as the lines, for root and for an unprivileged user."""
    for name, prefix in (("root", ()), ("nobody", NOBODY)):
        lines = Report((*prefix, krait, "doctor"))
        code, out, err = run((*prefix, krait, "doctor", "--json"))
        d = json.loads(out)
        rows = {c["name"]: c["status"] for c in d["checks"]}
        fixes = {c["name"]: c["fix"] for c in d["checks"] if c["fix"]}
        lost = {c["name"] for c in d["checks"] if c["lost"]}
        t.ok(code == lines.code and not err and fixes == lines.fixes and lost == set(lines.bad()) and
             rows == {n: s for n, (s, _) in lines.rows.items()} and
             d["modes"] == {m: s for m, (s, _) in lines.modes.items()} and
             d["status"] == {0: "ok", 1: "limited", 3: "missing"}[code] and
             d["root"] == (None if name == "root" else []), f"--json: {name}",
             f"{code} {err}\n{out}\n{lines.text}")


# --- options and output -------------------------------------------------------------------------

def texts(t, krait):
    short, long = run((krait, "doctor")), run((krait, "doctor", "-v"))
    t.ok("if not, " not in short[1] and long[1].count("if not, ") > 20,
         "-v says what each check is for", long[1])
    for argv in (("doctor", "--nonsense"), ("doctor", "extra"), ("doctor", "-v=1")):
        code, out, err = run((krait, *argv))
        t.ok(code == 2 and not out and "krait doctor" in err, f"wrong usage: {argv}", err)
    with open("/dev/full", "wb") as full:
        r = subprocess.run([krait, "doctor"], stdout=full, stderr=subprocess.PIPE, text=True)
    t.ok(r.returncode == 1 and "standard output" in r.stderr, "full standard output", r.stderr)


def main():
    lib.need_krait()
    t = lib.Tap()
    with lib.scratch() as where:
        krait = shutil.copy(lib.KRAIT, f"{where}/krait")
        os.chmod(krait, 0o755)
        for test in (as_root, texts, as_json, capabilities, nobody, granted, namespaces, no_files,
                     hidden_pids, few_files):
            with t.guard(test.__name__):
                test(t, krait)
    t.done()


main()
