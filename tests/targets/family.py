# SPDX-License-Identifier: BSD-2-Clause
# family.py: computes, and so do its forked child, the child's child, and a process that the latter
# starts by exec. Each line on standard input starts three more. READY and LATER are followed by
# pids.
import ctypes
import json
import os
import subprocess
import sys
import threading


def compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


def die_with_parent(parent):
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != parent:  # the parent died before prctl()
        os._exit(0)


def parent():
    while True:
        compute(1000)


def child():
    while True:
        compute(1000)


def grandchild():
    while True:
        compute(1000)


def executed():
    while True:
        compute(1000)


def execute():
    name = [sys.executable, "-S", "-E", __file__, str(os.getpid())]
    return subprocess.Popen(name, stdin=subprocess.DEVNULL)


def descend(first, out):
    """The child: forks a grandchild, which starts an interpreter; writes the pids to `out`."""
    die_with_parent(first)
    middle = os.getpid()
    if os.fork():
        child()
    die_with_parent(middle)
    told = {"child": middle, "grandchild": os.getpid(), "executed": execute().pid}
    os.write(out, json.dumps(told).encode() + b"\n")
    grandchild()


def fork_family():
    (back, out), first = os.pipe(), os.getpid()
    if os.fork() == 0:
        os.close(back)
        descend(first, out)
    os.close(out)
    with os.fdopen(back, "rb") as f:
        return f.readline().decode().strip()


def listen():
    for _ in iter(sys.stdin.readline, ""):
        print("LATER", fork_family(), flush=True)

if sys.argv[1:]:
    die_with_parent(int(sys.argv[1]))
    executed()
first = fork_family()
t = threading.Thread(target=listen)
t.daemon = True
t.start()
print("READY", first, flush=True)
parent()
