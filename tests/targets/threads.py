# SPDX-License-Identifier: BSD-2-Clause
# threads.py KIND [HELPER]: threads with and without a Python thread state, the GIL, or Python code.
# READY is followed by data for the test (JSON).
import ctypes
import hashlib
import json
import os
import sys
import threading
import time
import zlib


def load_helper():
    lib = ctypes.CDLL(sys.argv[2])
    lib.spin.argtypes = lib.uring_burn.argtypes = [ctypes.c_double]
    return lib


def ready(what=None):
    print("READY", json.dumps(what), flush=True)


def compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


def start(function, *args):
    t = threading.Thread(target=function, args=args)
    t.daemon = True
    t.start()


def thread_id():
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    return int(os.readlink("/proc/thread-self").rpartition("/")[2])


# Threads that compute without the GIL, in C code with different callers.

def hash_it(data):
    return hashlib.sha256(data).digest()


def hash_loop(data):
    while True:
        hash_it(data)


def zip_it(data):
    return zlib.compress(data, 9)


def zip_loop(data):
    while True:
        zip_it(data)


def spin_it(helper):
    helper.spin(0.2)


def spin_loop(helper):
    while True:
        spin_it(helper)


def nogil():
    start(hash_loop, os.urandom(1 << 20))
    start(zip_loop, os.urandom(1 << 20))
    start(spin_loop, load_helper())
    ready()
    while True:
        time.sleep(1)


# No thread holds the GIL for a long time.

def spin_long(helper):
    helper.spin(1000)


def apart():
    helper = load_helper()
    for _ in range(2):
        start(spin_long, helper)
    ready()
    while True:
        time.sleep(1000)


# A C thread unknown to Python, beside a computing Python thread.

def stateless():
    load_helper().start_spinner()
    ready()
    while True:
        compute(1000)


# A C thread that calls Python code, with a new thread state for each call. In free-threaded builds,
# creating it takes a hundred times as long, so the callback computes for longer, too.

WORK = 20000 if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled() else 200


def called(n):
    return compute(n)


def callback(i):
    return called(WORK + i % 7) & 1


def callbacks():
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(callback)
    helper = load_helper()
    helper.start_caller(kind, 1 << 30)
    ready()
    while True:
        own_work(1000)


def own_work(n):
    s = 0
    for i in range(n):
        s += i
    return s


# fork() without Python's knowledge: the child's thread state still names the parent's thread.

def child_hot():
    while True:
        compute(1000)


def parent_hot():
    while True:
        own_work(1000)


def libc_fork():
    pid = ctypes.PyDLL(None).fork()
    if pid == 0:
        ctypes.PyDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
        child_hot()
    ready(pid)
    parent_hot()


# An io_uring worker is a thread of the process, with the thread pointer of the thread that waits.

def uring():
    helper = load_helper()
    status = helper.uring_burn(0.01)
    ready(status)
    while status == 0:
        helper.uring_burn(1.0)


# 310 threads, of which eight compute and the others wait.

def make_hot(k):
    space = {"compute": compute}
    exec("def hot_%d():\n    while True: compute(500)\n" % k, space)
    return space["hot_%d" % k]


def turn(k, table, go):
    hot = make_hot(k)
    table[thread_id()] = k
    go.wait()
    hot()


def wait(event, started):
    started.append(1)
    event.wait()


def many():
    event, go, started, table = threading.Event(), threading.Event(), [], {}
    for _ in range(151):
        start(wait, event, started)
    for k in range(8):
        start(turn, k, table, go)
    for _ in range(151):
        start(wait, event, started)
    while len(started) < 302 or len(table) < 8:
        time.sleep(0.01)
    # A waiting thread requests the GIL this often; at 5 ms that is a sixth of the CPU time of a busy machine.
    sys.setswitchinterval(0.02)
    ready(table)
    go.set()
    event.wait()


sys.setswitchinterval(0.002)
threading.stack_size(256 * 1024)
{"nogil": nogil, "apart": apart, "stateless": stateless, "callbacks": callbacks,
 "libc_fork": libc_fork, "uring": uring, "many": many}[sys.argv[1]]()
