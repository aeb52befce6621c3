# SPDX-License-Identifier: BSD-2-Clause
"""Finds the Python interpreters to test: the installed ones, and those of other Debian suites,
which are unpacked into a cache ($KRAIT_CACHE, default ~/.cache/krait) and run by chroot.

    python3 interpreters.py list          the interpreters, and why others are missing
    python3 interpreters.py root SUITE    the path of a suite's tree (made if needed)
"""

import contextlib
import functools
import glob
import hashlib
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("KRAIT_CACHE") or os.path.expanduser("~/.cache/krait")
# Suites and their interpreters; NAMEd is the debug build in the package NAME-dbg.
ROOTS = {"bullseye": ("python3.9", "python3.9d"),
         "bookworm": ("python3.11d",),
         "trixie": ("python3.13", "python3.13d"),
         "sid": ("python3.14", "python3.14d", "python3.15", "python3.15d")}
# Source packages and how to configure them. A build takes minutes and needs TRUTH=1 or BUILD=1.
BUILDS = {"python3.13t": ("trixie", "python3.13", "--disable-gil"),
          "python3.11-clang": ("bookworm", "python3.11", "CC=clang"),
          "python3.13-musl": ("trixie", "python3.13", "CC=musl-gcc", "py_cv_module__decimal=n/a"),
          "python3.13-static-pie": ("trixie", "python3.13", "CFLAGS=-fPIE",
                                    "LINKFORSHARED= ", "MODULE_BUILDTYPE=static",
                                    "make:LDFLAGS=-static-pie")}
# Builds that come in wheels (wheel.py), and the suite whose standard library they use.
WHEELS = {"python3.13": "trixie", "python3.14": "sid", "python3.14t": "sid", "python3.15": "sid",
          "python3.15t": "sid"}
MINORS = range(6, 16)
# The first minor versions with another layout of frames, or another way to a thread's state.
LAYOUTS = ((3, 6), (3, 7), (3, 11), (3, 12), (3, 13), (3, 15))


@dataclass(frozen=True)
class Interpreter:
    version: tuple  # (3, 11, 7)
    label: str  # "3.11.7 pyenv shared"
    argv: tuple  # the command that starts it
    shared: bool  # linked to a shared libpython
    root: Optional[str] = None  # the tree it runs in, or None for this one
    prefix: Optional[str] = None
    debug: bool = False
    threaded: bool = False  # without a GIL
    embedded: bool = False  # in a program other than python itself

    @property
    def minor(self):
        return self.version[:2]


class Unavailable(Exception):
    """An interpreter cannot be provided here; the text is the reason."""


def made(path, script, *args):
    """Runs a script that makes `path`, and returns path. Exit status 77 raises Unavailable."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    made = subprocess.run([script, *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    if os.path.isdir(path):  # the script failed if another test made it in the meantime
        return path
    last = (made.stderr.strip().splitlines() or [f"{script} failed"])[-1]
    if made.returncode != 77:
        raise RuntimeError(f"{script} {' '.join(args)}: {made.stderr[-2000:]}")
    raise Unavailable(last)


def root(suite, arch=None):
    """The path of the suite's tree, made at first use."""
    return root_of(suite, [re.sub("d$", "-dbg", name) for name in ROOTS[suite]], arch)


def root_of(suite, packages, arch=None):
    """The path of a tree with these packages of a suite. arch is Debian's name of a foreign
    architecture, whose programs run only in a virtual machine."""
    path = os.path.join(CACHE, "roots", "+".join([f"{suite}-{arch}" if arch else suite, *packages]))
    if os.path.isdir(path):
        return path
    if os.geteuid() != 0:
        raise Unavailable(f"{suite}: making a root needs root")
    return made(path, os.path.join(HERE, "roots.sh"), f"{suite}:{arch}" if arch else suite, path,
                *packages)


def build(name):
    """The path of a source tree in which ./python runs."""
    suite, package, *options = BUILDS[name]
    path = os.path.join(CACHE, "src", name)
    if os.path.isdir(path):
        return path
    if "1" not in (os.environ.get("TRUTH"), os.environ.get("BUILD")):
        raise Unavailable(f"{name} is not built; BUILD=1 builds it")
    return made(path, os.path.join(HERE, "../cpython.sh"), suite, package, path, *options)


def wheel(name, library=None, machine=platform.machine()):
    """The path of a manylinux build's command, in a tree of its own with another build's
    lib/pythonX.Y (WHEELS)."""
    path = os.path.join(CACHE, "wheels", f"{name}-{machine}")
    if not os.path.isdir(path):
        library = library or os.path.join(root(WHEELS[name]), "usr", "lib", name.rstrip("t"))
        tag = name.replace("python", "cp").replace(".", "")
        made(path, os.path.join(HERE, "wheel.py"), tag, machine, library, path)
    return os.path.join(path, "bin", name)


def is_shared(exe):
    with open(exe, "rb") as f:
        return re.search(rb"\0libpython3\.\d+m?d?\.so\.", f.read()) is not None


def _asked(argv):
    """What the interpreter that argv starts says of itself; "" if it does not start."""
    program = ("import sys, sysconfig; print(*sys.version_info[:3], hasattr(sys, 'gettotalrefcount'), "
               "sysconfig.get_config_var('Py_GIL_DISABLED') == 1, sys.prefix)")
    answer = subprocess.run([*argv, "-c", program], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    return "" if answer.returncode else answer.stdout.strip()


def _said(argv, exe):
    """The same, and whether it is linked to libpython. Starting twenty interpreters takes seconds,
    and minutes in a guest, so an answer is kept as long as the file `exe` is the same."""
    if not os.path.exists(exe):
        return []
    about = os.stat(exe)
    key = hashlib.sha256(repr((argv, about.st_mtime_ns, about.st_size)).encode()).hexdigest()[:32]
    path = os.path.join(CACHE, "said", key)
    with contextlib.suppress(OSError), open(path) as f:
        return f.read().split()
    said = _asked(argv)
    if not said:
        return []
    said = f"{is_shared(exe)} {said}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(f"{path}.{os.getpid()}", "w") as f:
            f.write(said)
        os.replace(f.name, path)
    return said.split()


def probe(argv, where, tree=None):
    """The Interpreter that argv starts; None if it does not start."""
    said = _said(argv, os.path.realpath((tree or "") + argv[-1]))
    if not said:
        return None
    shared, *numbers, debug, threaded, prefix = said
    version = tuple(map(int, numbers))
    shared, debug, threaded = shared == "True", debug == "True", threaded == "True"
    flavour = "t" * threaded + "d" * debug
    label = "%d.%d.%d%s %s %s" % (*version, flavour, where, "shared" if shared else "static")
    return Interpreter(version, label, tuple(argv), shared, tree, prefix, debug, threaded)


def _free_threaded():
    """(name, function from name to command, origin) of free-threaded builds, which no suite has."""
    yield "python3.13t", lambda name: os.path.join(build(name), "python"), "built"
    for name in WHEELS:
        if name.endswith("t"):
            yield name, wheel, "wheel"


@functools.lru_cache(maxsize=None)
def _found():
    """(interpreters, [(what is absent, reason)])"""
    found, absent = [], []
    for exe in glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python")):
        found.append(probe([exe], "pyenv"))
    if os.path.exists("/usr/bin/python3"):
        found.append(probe(["/usr/bin/python3"], "system"))
    for suite, names in ROOTS.items():
        try:
            tree = root(suite)
        except Unavailable as e:
            absent += [(f"Debian {suite} {name}", str(e)) for name in names]
            continue
        found += [probe(["chroot", tree, f"/usr/bin/{name}"], suite, tree) for name in names]
    for name, command, where in _free_threaded():
        try:
            found.append(probe([command(name)], where))
        except Unavailable as e:
            absent.append((name.replace("python", ""), str(e)))
    found = sorted((i for i in found if i), key=lambda i: (i.version, i.label))
    have = {i.minor for i in found}
    absent += [(f"3.{m}", "no such interpreter here") for m in MINORS if (3, m) not in have]
    return found, absent


def all():  # noqa: A001, the name that reads best where it is used
    return list(_found()[0])


def chosen(here=False):
    """The interpreters for a test that runs on each. With TRUTH=1 all; else a release build of each
    minor version, the free-threaded builds and the newest debug build. An interpreter left out
    differs from one of these in its patch level, or in either linkage or build type. `here` prefers
    interpreters that run without chroot, for tests that cannot use the others."""
    if os.environ.get("TRUTH") == "1":
        return all()

    def rank(i):
        return here and not i.root, not i.shared  # prefer static: some of these are stripped, too
    release = {}
    for i in all():
        if not (i.debug or i.threaded) and (i.minor not in release or rank(i) >= rank(release[i.minor])):
            release[i.minor] = i
    debug = [i for i in all() if i.debug][-1:]
    return [i for i in all() if i.threaded or i in debug or i is release.get(i.minor)]


def few(here=False):
    """For tests of what processes and threads do, on which a layout has little influence: of
    chosen(here) the newest release build with each layout, and the newest free-threaded build. With
    TRUTH=1 all."""
    found = chosen(here)
    if os.environ.get("TRUTH") == "1":
        return found
    newest = {}
    for i in sorted(found, key=lambda i: (not (here and i.root), i.version)):
        if not i.debug:
            newest[i.threaded or max(x for x in LAYOUTS if x <= i.minor)] = i
    return [i for i in found if i in newest.values()]


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
