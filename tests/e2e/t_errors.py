#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Errors and wrong usage give the right exit status and a message that names the cause."""

import os
import shutil
import signal
import subprocess

import lib

ODD = "/nowhere/\u202epy.evil\n\x1b[2Jx\u200b"
BAD_USAGE = [(), ("nonsense",), ("record", "--nonsense"), ("record", "-p"), ("record", "-p", "x"),
             ("record", "-p", ""), ("record", "-p", "1,,2"), ("record", "-p", "-5"),
             ("record", "-p", "99999999999999999999"), ("record", "-F", "0"),
             ("record", "-F", "-1"), ("record", "-F", "1e9"), ("record", "-F", "20001"),
             ("record", "-d", "x"), ("record", "-d", "-1"), ("record", "-d", "1y"),
             ("record", "--by", "weather"), ("record", "--uid", "no-such-user-here"),
             ("record", "extra", "words")]

# Wrong combinations and lists, with a word that the message must contain.
BAD_LISTS = [(("-s",), "--pid"), (("-s", "-t", "1"), "--pid"), (("--by", "comm,none"), "none"),
             (("--by", "none,process"), "none"), (("--by", "comm,comm"), "twice"),
             (("--by", "process", "--by", "process"), "twice"), (("--by", ""), "--by"),
             (("--by", "comm,"), "--by"), (("-q", "-v"), "--quiet"), (("-t", "0"), "--tid"),
             (("-t", "1,"), "--tid"), (("-t", "x"), "--tid"), (("-p", "4194305"), "--pid"),
             (("--comm", ""), "--comm"), (("--comm", "sixteen-bytes-xx"), "--comm"),
             (("--uid", ""), "--uid"), (("--uid", "0,"), "--uid"),
             (("--uid", "4294967295"), "--uid"), (("--no-lines=1",), "no-lines"),
             (("-f", "nonsense"), "folded"), (("-o", ""), "--output"),
             (("-o", "profile.svg"), ".html (html)"), (("-o", "x.prof"), ".pb.gz (pprof)"),
             (("-o", "x.folded", "-o", "x.SVG.gz"), "flamegraph.pl"), (("-o", "x.krait.gz"), ".gz")]


def said(t, name, answer, status, *words):
    """Checks exit status and words of the message; standard output must be empty."""
    code, out, err = answer
    missing = [w for w in words if w not in err]
    t.ok(code == status and not out and err.strip() and not missing, name,
         f"status {code}, not {status}; stdout {out[:80]!r}; stderr {err[:300]!r}; no {missing}")


def recorded(target, *args, to="/dev/stdout"):
    """(status, stdout, stderr) of a recording with samples, whose standard output goes to `to`."""
    argv = ["sh", "-c", 'to=$1; shift; exec "$@" >"$to"', "sh", to, lib.KRAIT, "record", "-p", str(target.pid), *args]
    with lib.Process(argv) as k:
        k.err.wait_for("krait: sampling")
        lib.compute(0.3, target.pid)
        k.signal(signal.SIGINT)
        return k.wait(), k.out.text(), k.err.text()


def check_privilege(t, where):
    """An unprivileged user runs krait (a copy, because the build may be unreadable)."""
    copy = shutil.copy(lib.KRAIT, f"{where}/krait")
    os.chmod(copy, 0o755)
    r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy,
                        "record", "-d", "1"], capture_output=True, text=True, timeout=lib.PATIENCE)
    said(t, "no privilege", (r.returncode, r.stdout, r.stderr), 3, "CAP_BPF")


def main():
    lib.need_krait()
    t = lib.Tap()
    for argv in BAD_USAGE:
        with t.guard(f"wrong usage: {argv}"):
            said(t, f"wrong usage: {argv}", lib.usage(*argv), 2, "krait")
    said(t, "no command: what to call", lib.usage(), 2, "sudo krait record -d 10\n", "krait report job.krait\n")
    for argv, word in BAD_LISTS:
        with t.guard(f"refused: {argv}"):
            said(t, f"refused: {argv}", lib.usage("record", "-d", "1ms", *argv), 2, word)
    with t.guard("files"), lib.scratch() as where:
        check_privilege(t, where)
        with lib.Target(lib.system(), "named.py", "work") as target:
            said(t, "full disk", recorded(target, "-o", "/dev/full"), 1, "/dev/full")
            no = f"{where}/none/out"
            said(t, "no such folder", lib.usage("record", "-p", target.pid, "-o", no), 1, no)
            said(t, "full standard output", recorded(target, to="/dev/full"), 1)
        gone = lib.no_pid()
        for name, flags in (("process", ("-p", gone)), ("thread", ("-t", gone)),
                            ("process beside one", ("-p", f"{os.getpid()},{gone}")),
                            ("process with -s", ("-s", "-p", gone))):
            said(t, f"no such {name}", lib.usage("record", "-d", "1", *flags), 1, str(gone))
    with t.guard("odd words"):
        code, out, err = lib.usage("report", ODD)
        t.ok(code == 1 and r"\u202epy.evil\n\x1b[2Jx\u200b" in err and not lib.CONTROL.search(err.rstrip("\n")),
             "a message escapes control characters of an argument", f"{code} {err!r}")
    for argv in (("--version",), ("--help",), ("record", "--help")):
        code, out, err = lib.usage(*argv)
        t.ok(code == 0 and "krait" in out and not err, " ".join(argv), f"{code} {err}")
    t.done()


main()
