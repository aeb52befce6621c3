# SPDX-License-Identifier: BSD-2-Clause
"""Runs a whole test of tests/e2e on this machine's kernel, or in a guest with this machine's files.

    run(kernel, script)    [Result]; vm.Unavailable, vm.Failed"""

import os
import re
import subprocess
import sys
import tempfile
from collections import namedtuple

import column
import lib
import vm

Result = namedtuple("Result", "what good skip details")  # skip: the reason, or None
LINE = re.compile(r"(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$")
PLAN = re.compile(r"1\.\.(\d+)$")
SECONDS = 1200


def _results(said, err):
    """[Result] of a test's output; raises vm.Failed if there are fewer than planned."""
    results, planned = [], None
    for line in said.splitlines():
        m, plan = LINE.match(line), PLAN.match(line)
        if m:
            results.append(Result(m[2], not m[1], m[3], ""))
        elif plan:
            planned = int(plan[1])
        elif results:
            results[-1] = results[-1]._replace(details=results[-1].details + line + "\n")
    if not results or planned != len(results):
        raise vm.Failed(f"{len(results)} results of {planned} planned\n{said[-1000:]}{err[-1000:]}")
    return results


def _on_host(argv, environment):
    try:
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=SECONDS, env={**os.environ, **environment})
    except subprocess.TimeoutExpired:
        raise vm.Failed(f"did not end within {SECONDS} s") from None
    return r.stdout, r.stderr


def _on_guest(kernel, argv, environment):
    root, shares = vm.tree(kernel)
    with tempfile.TemporaryDirectory(prefix="krait-vm-") as out:
        vm.run(kernel, argv, out, root, shares, {"HOME": "/root", **environment}, SECONDS)
        with open(os.path.join(out, "stdout")) as f, open(os.path.join(out, "stderr")) as e:
            return f.read(), e.read()


def run(kernel, script, **environment):
    """Results of a script of tests/e2e. The programs that it runs must be built already."""
    argv = ["/usr/bin/python3", "-u", "-B", os.path.join(lib.TESTS, "e2e", script)]
    environment = {"OUTPUT": lib.OUTPUT, **environment}
    if kernel is column.HOST:
        return _results(*_on_host(argv, environment))
    return _results(*_on_guest(kernel, argv, environment))
