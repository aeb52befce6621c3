"""Threads of one activity each, whose states in wall-clock mode are known. Prints READY KIND=TID
... . An argument selects kinds, separated by commas."""

import ctypes
import fcntl
import os
import sys
import tempfile
import threading
import time
import zlib

# By os.uname(), because platform.machine() runs a program in some versions.
GETTID = {"x86_64": 186, "aarch64": 178}[os.uname().machine]
tids = {}
ready = threading.Barrier(2)


def tid():
    return ctypes.CDLL(None).syscall(GETTID)


def sleeps():
    while True:
        time.sleep(0.3)


def naps():
    while True:
        time.sleep(0.0001)


def computes():
    x = 0
    while True:
        x += 1


def compresses():
    data = os.urandom(1 << 20)
    while True:
        zlib.compress(data)


def locks():
    with open(held.name) as f:
        fcntl.flock(f, fcntl.LOCK_EX)


def acquires():
    never.acquire()


def begin(kind, function):
    tids[kind] = tid()
    ready.wait()
    function()


held = tempfile.NamedTemporaryFile()
fcntl.flock(held, fcntl.LOCK_EX)
never = threading.Lock()
never.acquire()
KINDS = {"sleeps": sleeps, "naps": naps, "one": computes, "two": computes, "compresses": compresses,
         "locks": locks, "acquires": acquires}
for name in sys.argv[1].split(",") if len(sys.argv) > 1 else sorted(KINDS):
    threading.Thread(target=begin, args=(name, KINDS[name.rstrip("0123456789")]), daemon=True).start()
    ready.wait()
print("READY " + " ".join("%s=%d" % x for x in tids.items()), flush=True)
sys.stdin.read()
