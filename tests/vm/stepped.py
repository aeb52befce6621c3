# SPDX-License-Identifier: BSD-2-Clause
"""Runs the stepper in a guest for many interpreters, and returns its output.

    stepped.py <ORDER >RESULTS

ORDER: {"program": PATH, "steps": N, "rows": [...]}, rows as in cell.py. RESULTS: for each row
[label, version, path of the script in the guest, the stepper's output or null, null or the
error]."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../e2e")]
import cell  # noqa: E402
import lib  # noqa: E402
import steps  # noqa: E402


def one(order, row):
    try:
        i = cell.interpreter(row)
        said = steps.run(order["program"], i, order["steps"])
        return i.label, i.version, lib.stage(i, steps.SCRIPT), said, None
    except Exception as e:  # noqa: BLE001, the other rows still run
        return " ".join(row["argv"]), None, None, None, str(e)


def main():
    order = json.load(sys.stdin)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        json.dump(list(pool.map(lambda row: one(order, row), order["rows"])), sys.stdout)


main()
