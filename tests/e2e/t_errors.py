#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What cannot be done is refused with the right status and a line that says why."""

import os
import shutil
import subprocess

import lib

BAD_USAGE = [(), ("nonsense",), ("record", "--nonsense"), ("record", "-p"), ("record", "-p", "x"),
             ("record", "-p", ""), ("record", "-p", "1,,2"), ("record", "-p", "-5"),
             ("record", "-p", "99999999999999999999"), ("record", "-F", "0"),
             ("record", "-F", "-1"), ("record", "-F", "1e9"), ("record", "-F", "20001"),
             ("record", "-d", "x"), ("record", "-d", "-1"), ("record", "-d", "1y"),
             ("record", "--by", "weather"), ("record", "--uid", "no-such-user-here"),
             ("record", "extra", "words")]


def said(t, name, answer, status, *words):
    """Status and words; data goes nowhere."""
    code, out, err = answer
    missing = [w for w in words if w not in err]
    t.ok(code == status and not out and err.strip() and not missing, name,
         f"status {code}, not {status}; stdout {out[:80]!r}; stderr {err[:300]!r}; no {missing}")


def check_privilege(t, where):
    """Somebody else runs a copy that he may execute."""
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
    with t.guard("files"), lib.scratch() as where:
        check_privilege(t, where)
        with lib.Target(lib.system(), "named.py", "work") as target:
            mine = ("-d", "500ms", "-p", target.pid)
            said(t, "full disk", lib.usage("record", *mine, "-o", "/dev/full"), 1, "/dev/full")
            no = f"{where}/none/out"
            said(t, "no such folder", lib.usage("record", *mine, "-o", no), 1, no)
            with open("/dev/full", "wb") as full:
                r = subprocess.run([lib.KRAIT, "record", *map(str, mine)], stdout=full,
                                   stderr=subprocess.PIPE, text=True, timeout=lib.PATIENCE)
            said(t, "full standard output", (r.returncode, "", r.stderr), 1)
        gone = target.pid
        said(t, "no such process", lib.usage("record", "-d", "1", "-p", gone), 1, str(gone))
    for argv in (("--version",), ("--help",), ("record", "--help")):
        code, out, err = lib.usage(*argv)
        t.ok(code == 0 and "krait" in out and not err, " ".join(argv), f"{code} {err}")
    t.done()


main()
