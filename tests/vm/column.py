# SPDX-License-Identifier: BSD-2-Clause
"""One column of the matrix: runs cell.py for many interpreters on this machine's kernel or in a
guest. All use the same static krait, which needs no library of the root."""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile

import vm
import interpreters
import lib

CELL = os.path.join(vm.HERE, "cell.py")
HOST = vm.Kernel("host", "", "", "", "host", "this machine's own")
RATES = {"host": 999, "guest": 199}  # Hz
START, EACH = 240, 60  # seconds on a busy machine, beside another guest: to start, and for each row
Found = dataclasses.make_dataclass("Found", ("rows", "late"))


class Broken(Exception):
    """There are no results for any row; the text is the reason."""


def krait(arch):
    """The static binary for an architecture; its folder is OUTPUT for the tests that run there."""
    if arch != "arm64":
        path = os.environ.get("KRAIT_STATIC") or os.path.join(lib.OUTPUT, "static", "krait")
    else:
        path = os.environ.get("KRAIT_ARM64") or os.path.join(lib.OUTPUT, "arm64", "krait")
    if not os.access(path, os.X_OK):
        raise vm.Unavailable(f"{path} is not built")
    return path


def python(kernel):
    """The interpreter that runs cell.py with this kernel's root."""
    return "/usr/bin/" + ("python3" if kernel.root == "host" else vm.PYTHONS[kernel.root])


def _order(kernel, found):
    rows = [dataclasses.asdict(i) for i in found]
    if kernel.root != "host":
        rows.insert(0, {"argv": [python(kernel)], "where": kernel.root})
    rate = RATES["host" if kernel is HOST else "guest"]
    return json.dumps({"rate": rate, "rows": rows}), len(rows)


def _answer(text, status, said):
    if status:
        raise Broken(f"status {status}: {said[-1500:]}")
    answer = json.loads(text)
    return Found(answer["rows"], answer["late"])


def on_host(found):
    order, n = _order(HOST, found)
    r = subprocess.run([sys.executable, "-B", CELL], input=order, capture_output=True, text=True,
                       timeout=START + EACH * n,
                       env=dict(os.environ, OUTPUT=os.path.dirname(krait("amd64"))))
    return _answer(r.stdout, r.returncode, r.stderr)


def on_guest(kernel, found):
    order, n = _order(kernel, found)
    output = os.path.dirname(krait(kernel.arch))
    root, shares = vm.tree(kernel)
    if kernel.root != "host":
        shares = tuple(dict.fromkeys([*shares, *(path for i in found for path in i.trees)]))
    if shares and not output.startswith(lib.REPO + "/"):
        shares = (*shares, output)
    with tempfile.TemporaryDirectory(prefix="krait-vm-") as out:
        with open(os.path.join(out, "order"), "w") as f:
            f.write(order)
        argv = [python(kernel), "-B", "-c", "import runpy, sys; sys.stdin = open('/out/order'); "
                f"runpy.run_path({CELL!r}, run_name='__main__')"]
        try:
            status = vm.run(kernel, argv, out, root, shares, {"OUTPUT": output, "HOME": "/root"},
                            START + EACH * n)
        except vm.Failed as e:
            raise Broken(str(e)) from None
        with open(os.path.join(out, "stdout")) as f, open(os.path.join(out, "stderr")) as e:
            return _answer(f.read(), status, e.read())


def measure(kernel, found):
    """Runs cell.py on a kernel for these interpreters (interpreters.py, ways.py) or, on another
    root, for that root's interpreter and these (foreign.py). Raises vm.Unavailable or Broken."""
    return on_host(found) if kernel is HOST else on_guest(kernel, found)


# Ends of names of cell.py's checks that cannot fail by chance.
FACTS = ("no impossible stack", "krait list has it")


def faults(checks):
    """[(what, details)] of the checks that failed."""
    return [(what, details) for what, good, details in checks if not good]
