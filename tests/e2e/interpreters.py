# SPDX-License-Identifier: BSD-2-Clause
"""The Python interpreters that the tests run: those installed here, and Debian's others unpacked
into a cache ($KRAIT_CACHE, default ~/.cache/krait) and run by chroot.

    python3 interpreters.py list          what there is
    python3 interpreters.py root SUITE    the path of a suite's tree (made if needed)
"""

import functools
import glob
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("KRAIT_CACHE") or os.path.expanduser("~/.cache/krait")
# No package of another suite is needed on a machine that has the same version anyway.
ROOTS = {"bullseye": "python3.9", "trixie": "python3.13"}
MINORS = range(6, 14)


@dataclass(frozen=True)
class Interpreter:
    version: tuple  # (3, 11, 7)
    label: str  # "3.11.7 pyenv shared"
    argv: tuple  # what starts it
    shared: bool  # libpython is a library of its own
    root: Optional[str] = None  # the tree it runs in, or None for this one
    prefix: Optional[str] = None

    @property
    def minor(self):
        return self.version[:2]


class Unavailable(Exception):
    """A root cannot be made here; its text is the reason."""


def root(suite):
    """The path of the suite's tree, made at first use."""
    path = os.path.join(CACHE, "roots", suite)
    if os.path.isdir(path):
        return path
    if os.geteuid() != 0:
        raise Unavailable(f"{suite}: making a root needs root")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    made = subprocess.run([os.path.join(HERE, "roots.sh"), suite, path, ROOTS[suite]],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if not os.path.isdir(path):  # somebody else may have made it meanwhile
        last = (made.stderr.strip().splitlines() or ["roots.sh failed"])[-1]
        if made.returncode != 77:
            raise RuntimeError(f"roots.sh {suite}: {made.stderr}")
        raise Unavailable(f"{suite}: {last}")
    return path


def _is_shared(exe):
    with open(exe, "rb") as f:
        return re.search(rb"\0libpython3\.\d+m?d?\.so\.", f.read()) is not None


def _probe(argv, where, tree=None):
    asked = "import sys; print(*sys.version_info[:3], sys.prefix)"
    answer = subprocess.run([*argv, "-c", asked], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    if answer.returncode:
        return None
    *numbers, prefix = answer.stdout.split()
    version = tuple(map(int, numbers))
    exe = os.path.realpath((tree or "") + argv[-1])
    shared = _is_shared(exe)
    label = "%d.%d.%d %s %s" % (*version, where, "shared" if shared else "static")
    return Interpreter(version, label, tuple(argv), shared, tree, prefix)


@functools.lru_cache(maxsize=None)
def _found():
    """(interpreters, reasons for what is absent)"""
    found, absent = [], []
    for exe in glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python")):
        found.append(_probe([exe], "pyenv"))
    if os.path.exists("/usr/bin/python3"):
        found.append(_probe(["/usr/bin/python3"], "system"))
    for suite, package in ROOTS.items():
        try:
            tree = root(suite)
        except Unavailable as e:
            absent.append((f"Debian {suite} {package}", str(e)))
            continue
        found.append(_probe(["chroot", tree, f"/usr/bin/{package}"], suite, tree))
    found = sorted((i for i in found if i), key=lambda i: (i.version, i.label))
    have = {i.minor for i in found}
    absent += [(f"3.{m}", "no such interpreter here") for m in MINORS if (3, m) not in have]
    return found, absent


def all():  # noqa: A001, the name that reads best where it is used
    return list(_found()[0])


def absent():
    """[(what, reason)]: one SKIP line each."""
    return list(_found()[1])


def main(argv):
    if argv[:1] == ["list"] and len(argv) == 1:
        for i in all():
            print(i.label, *i.argv)
        for what, why in absent():
            print(f"{what} # SKIP {why}")
        return 0
    if argv[:1] == ["root"] and len(argv) == 2 and argv[1] in ROOTS:
        try:
            print(root(argv[1]))
        except Unavailable as e:
            print(e, file=sys.stderr)
            return 77
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
