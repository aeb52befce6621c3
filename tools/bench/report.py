#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures the cost of krait report for a recording of a large host, compares it with go tool pprof
for the same data, and prints the sizes of the files.

    report.py [PROCESSES SECONDS SAMPLES-PER-SECOND STACKS-PER-PROCESS]    (1000 3600 2000 100)"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

KRAIT, MADE = os.environ["KRAIT"], os.environ["RECORDING"]


def cost(name, argv):
    """Runs a command and prints its CPU time, elapsed time and largest resident set size."""
    begin = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{name}: status {status}: {said}")
    print(f"{name:<44} {usage.ru_utime + usage.ru_stime:7.2f} s of CPU "
          f"{time.monotonic() - begin:7.2f} s {usage.ru_maxrss / 1024:7.0f} MiB", flush=True)


def main():
    sizes = sys.argv[1:] or ["1000", "3600", "2000", "100"]
    with tempfile.TemporaryDirectory(prefix="krait-bench-") as where:
        grown, whole, pprof = (f"{where}/{n}" for n in ("grown.krait", "whole.krait", "r.pb.gz"))
        with open(grown, "wb") as f:
            subprocess.run([MADE, *sizes], stdout=f, check=True)
        cost("krait report, as it was recorded", [KRAIT, "report", grown])
        cost("krait report -o .krait -o .pb.gz", [KRAIT, "report", grown, "-o", whole, "-o", pprof])
        cost("krait report, of that .krait", [KRAIT, "report", whole])
        cost("krait report --where process=1000", [KRAIT, "report", whole, "--where", "process=1000"])
        if shutil.which("go"):
            cost("go tool pprof -top, of that .pb.gz", ["go", "tool", "pprof", "-top", pprof])
        for path in (grown, whole, pprof):
            print(f"{os.path.basename(path):<44} {os.stat(path).st_size / 1e6:7.1f} MB")


main()
