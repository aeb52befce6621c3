# SPDX-License-Identifier: BSD-2-Clause
# away.py PYTHON: a function whose name, file name and line table lie in a mapped file. A child does
# not inherit the pages of such a mapping, and running the function needs none of them, so they are
# not resident in any child. For "KIND NUMBER" on standard input it forks that many children, four
# at a time, each of which computes for 5 ms; then it prints DONE KIND NUMBER and how many ended as
# expected. KIND:
#   plain    only computes
#   signals  computes while an interval timer sends signals that a handler counts
#   exec     execs PYTHON right afterwards
#   killed   is killed while it computes
import ctypes
import mmap
import os
import signal
import sys
import tempfile
import time
import types

FILE = "/nowhere/far.py"
PAGE, PAGES = mmap.PAGESIZE, 16
AT_ONCE = 4
TABLE = "co_linetable" if sys.version_info >= (3, 10) else "co_lnotab"
REFCOUNT = object.__basicsize__ - 2 * ctypes.sizeof(ctypes.c_void_p)  # not 0 in debug builds
# The constructor's arguments in order, for versions without replace() (up to 3.7).
FIELDS = ("co_argcount", "co_kwonlyargcount", "co_nlocals", "co_stacksize", "co_flags", "co_code",
          "co_consts", "co_names", "co_varnames", "co_filename", "co_name", "co_firstlineno",
          "co_lnotab", "co_freevars", "co_cellvars")
kept = []  # mappings with objects in them must not be garbage-collected


def far_away():
    end = time.process_time() + 0.005
    n = rounds = 0
    while time.process_time() < end:
        for i in range(200):
            n += i
        rounds += 1
    return n == rounds * 19900


def put_away(what, mapping, page):
    """A copy of an object in that page of the mapping, which is never freed (reference count)."""
    at = mapping + page * PAGE
    ctypes.memmove(at, id(what), sys.getsizeof(what))
    ctypes.c_ssize_t.from_address(at + REFCOUNT).value += 1000000
    return ctypes.cast(at, ctypes.py_object).value


def parts(code):
    """The code object's name, file and table, copied into separate pages of a mapped file."""
    f = tempfile.TemporaryFile()
    f.truncate(PAGES * PAGE)
    m = mmap.mmap(f.fileno(), PAGES * PAGE)
    kept.append((f, m))
    at = ctypes.addressof(ctypes.c_char.from_buffer(m))
    made = {"co_name": put_away(code.co_name, at, 0), "co_filename": put_away(FILE, at, 2),
            TABLE: put_away(getattr(code, TABLE), at, 4)}
    if hasattr(code, "co_qualname"):
        made["co_qualname"] = put_away(code.co_qualname, at, 8)
    return made


def replace(code, changes):
    if hasattr(code, "replace"):
        return code.replace(**changes)
    return types.CodeType(*[changes.get(x, getattr(code, x)) for x in FIELDS])


# --- children: what each kind does, and its expected wait status --------------------------------

def plain():
    return far_away()


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    good = far_away()
    signal.setitimer(signal.ITIMER_REAL, 0)
    return good and seen


def execute():
    far_away()
    os.execv(sys.argv[1], [sys.argv[1], "-S", "-E", "-c", ""])


def killed():
    signal.setitimer(signal.ITIMER_REAL, 0.003)
    far_away()


KINDS = {"plain": (plain, 0), "signals": (signals, 0), "exec": (execute, 0),
         "killed": (killed, signal.SIGALRM)}


def leave(run):
    status = 1
    try:
        status = 0 if run() else 1
    finally:
        os._exit(status)


def start(kind, number):
    run, end = KINDS[kind]
    running, good = [], 0
    while number or running:
        if not number or len(running) == AT_ONCE:
            good += os.waitpid(running.pop(0), 0)[1] == end
            continue
        number -= 1
        pid = os.fork()
        if pid == 0:
            leave(run)
        running.append(pid)
    return good


far_away.__code__ = replace(far_away.__code__, parts(far_away.__code__))
print("READY", flush=True)
for line in iter(sys.stdin.readline, ""):
    kind, number = line.split()
    print("DONE", kind, number, start(kind, int(number)), flush=True)
os._exit(0)  # the function must not be freed: the interpreter did not allocate its parts
