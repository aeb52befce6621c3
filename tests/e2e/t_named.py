#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""A process given by --pid, or named like Python, that krait cannot record: krait says what the
process is, and what to do."""

import contextlib
import glob
import json
import os
import shutil

import lib

SLEEP = "/bin/sleep"
# Ends when the shell that started it ends (PR_SET_PDEATHSIG).
COMPUTE = ("import ctypes; ctypes.CDLL(None).prctl(1, 9)\n"
           "print('READY', flush=True)\nwhile True: pass")


class Program(lib.Process):
    """Any program; with `ready`, one that prints READY."""

    def __init__(self, *argv, ready=False):
        super().__init__([*map(str, argv)])
        if ready:
            self.ready = self.out.wait_for("READY")[6:]


def python(code):
    return (*lib.system().argv, "-c", code)


def record(*args):
    return lib.usage("record", "-d", "300ms", "-F", 499, *args)


def rows(pid):
    status, out, err = lib.usage("list", "--json", "-p", pid)
    if status:
        raise RuntimeError(f"krait list: {status} {err}")
    return json.loads(out)["processes"]


def refused(t, name, pid, *words):
    """record refuses the pid, with these words."""
    status, out, err = record("-p", pid)
    missing = [w for w in words if w not in err]
    t.ok(status == 1 and not out and not missing, name, f"{status} {err} no {missing}")


def not_python(t, name, pid, *words, args=()):
    """Nothing is recorded: reported at the start and at the end, with exit status 1."""
    status, out, err = record("-p", pid, *args)
    said = [x for x in err.splitlines() if f"pid {pid} (" in x]
    missing = [w for w in words if not all(w in x for x in said)]
    t.ok(status == 1 and not out and len(said) >= 2 and "no samples" in said[-1] and not missing, name,
         f"{status} {err} no {missing}")


# --- named by --pid -----------------------------------------------------------------------------

def no_process(t):
    with Program(*python("import threading, time\ndef f():\n  print('READY', threading.get_native_id(),"
                         " flush=True)\n  time.sleep(1000)\nthreading.Thread(target=f).start()"),
                 ready=True) as p:
        refused(t, "a thread's id", p.ready, f"thread (python3) of process {p.pid}", f"-p {p.pid}",
                f"-t {p.ready}")
    refused(t, "a thread of the kernel", 2, "kernel")
    with Program(*python("import os, time\np = os.fork()\nif not p: os._exit(0)\n"
                         "os.waitid(os.P_PID, p, os.WEXITED | os.WNOWAIT)\n"
                         "print('READY', p, flush=True)\ntime.sleep(1000)"), ready=True) as p:
        refused(t, "a zombie", p.ready, "has ended", "zombie")
    refused(t, "no process", lib.no_pid(), "no such process")


def wrappers(t, where):
    """A shell that waits for a Python process, and one that waits for such a shell."""
    command = f"/usr/bin/python3 -c \"{COMPUTE}\""
    with open(f"{where}/inner", "w") as f:
        f.write(f"{command} &\n{command}\ntrue\n")
    with Program("/bin/sh", "-c", f"{command}; true", ready=True) as p:
        child, = lib.children(p.pid)
        not_python(t, "a shell", p.pid, f"({os.path.basename('/bin/sh')})", "is not a Python process",
                   f"its child {child} (python3) is: add -s")
        status, out, err = record("-p", p.pid, "-s")
        t.bound(status == 0 and f"-{child};" in out and "pid " not in err, "a shell with -s", err)
        with Program(*python(COMPUTE), ready=True) as other:
            status, out, err = record("-p", f"{p.pid},{other.pid}")
            t.ok(status == 0 and f"-{child};" not in out and err.count(f"pid {p.pid} (") == 1
                 and f"pid {other.pid} (" not in err, "a shell beside a Python", err)
            t.bound(f"-{other.pid};" in out, "a shell beside a Python: the Python is recorded", out)
    with Program("/bin/sh", "-c", f"/bin/sh {where}/inner; true", ready=True) as p:
        inner, = lib.children(p.pid)
        lib.until(lambda: len(p.out.lines) == 2, "both compute")
        with contextlib.ExitStack() as on:
            for child in lib.children(inner):
                on.callback(kill, child)
            not_python(t, "a shell of a shell", p.pid, "its descendants", "and", "are: add -s")


def kill(pid):
    for process in [*lib.children(pid), pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 9)


def others(t):
    with Program(SLEEP, 1000) as p:
        not_python(t, "not Python", p.pid, "(sleep) is not a Python process")
        not_python(t, "not Python, -s", p.pid, "nor is any of its descendants", args=("-s",))
        status, out, err = record("-q", "-p", p.pid)
        t.ok(status == 1 and err.count("\n") == 1 and "no samples" in err, "not Python, -q", err)
    with Program(*python("print('READY', flush=True); input()"), ready=True) as p:
        status, out, err = record("-p", p.pid)
        t.ok(status == 0 and not out and f"pid {p.pid}" not in err,
             "a sleeping Python is not reported", err)


# --- named like Python --------------------------------------------------------------------------

def named(t, name, pid, *words):
    """The reason is given by `krait list` and by `krait record -p`."""
    listed = rows(pid)
    t.ok(len(listed) == 1 and not listed[0]["supported"]
         and all(w in listed[0]["reason"] for w in words), f"{name}: listed", listed)
    not_python(t, f"{name}: -p", pid, *words)


def called(t, where):
    for program, words in (("python3.12", ("named like Python",)), ("graalpy", ("GraalPy",)),
                           ("micropython", ("MicroPython",))):
        with t.guard(f"named {program}"):
            path = shutil.copy(SLEEP, f"{where}/{program}")
            with Program(path, 1000) as p:
                named(t, f"named {program}", p.pid, *words)
    with t.guard("emulated"):
        path = shutil.copy("/bin/sh", f"{where}/qemu-other")
        with Program(path, "-c", "printf python3 >/proc/self/comm; echo READY; read x", ready=True) as p:
            named(t, "emulated", p.pid, "another architecture")
    with t.guard("a busy program named python"):
        path = shutil.copy("/bin/dash", f"{where}/python3.9")
        with Program(path, "-c", "echo READY; while :; do :; done", ready=True) as p:
            status, _, err = record("-F", 999)
            t.bound(status == 0 and f"(pid {p.pid})" in err and "named like Python" in err,
                    "a busy program named python: in the summary of the whole host", err)


def found(t, what, pattern, *words):
    """Checks an installed interpreter that krait does not support."""
    with t.guard(what):
        paths = [p for p in glob.glob(os.path.expanduser(pattern)) if os.access(p, os.X_OK)]
        if not paths:
            raise lib.Skip(f"no {pattern}")
        code = "import sys\nsys.stdout.write('READY\\n')\nsys.stdout.flush()\nwhile True: pass"
        with Program(paths[0], "-c", code, ready=True) as p:
            named(t, what, p.pid, *words)


def main():
    lib.need_krait()
    t = lib.Tap()
    for check in (no_process, others):
        with t.guard(check.__name__):
            check(t)
    t.trial("wrappers", lib.in_scratch, wrappers, t)
    t.trial("named like Python", lib.in_scratch, called, t)
    found(t, "PyPy", "/usr/bin/pypy3", "PyPy")
    found(t, "2.7", "~/.pyenv/versions/2.7*/bin/python2.7", "CPython 2.7")
    t.done()


main()
