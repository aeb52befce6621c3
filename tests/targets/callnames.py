# SPDX-License-Identifier: BSD-2-Clause
# Threads with names of all kinds; each runs a function of its own. READY, then the names by function (JSON).
import ctypes
import json
import sys
import threading
import time

try:
    import _thread
except ImportError:
    import thread as _thread

KERNEL = "job-7"
names = {"main": None}


def burn():
    end = time.time() + 0.01
    while time.time() < end:
        sum(range(500))


def rename_in_kernel():
    ctypes.CDLL(None).prctl(15, KERNEL.encode(), 0, 0, 0)  # PR_SET_NAME


def work(setup):
    setup()
    while True:
        burn()


def begin(function, shown, name=None, setup=lambda: None):
    """A thread below a function of that name that should be shown as `shown`."""
    text = "def %s(setup):\n    work(setup)\n" % function
    scope = {"work": work}
    exec(text, scope)
    t = threading.Thread(target=scope[function], args=(setup,), name=name)
    t.daemon = True
    t.start()
    names[function] = shown if shown else t.name
    return t


begin("plain", "metrics", "metrics")
begin("long_name", "ingest-from-kafka-partition-7", "ingest-from-kafka-partition-7")
begin("longest", "x" * 55, "x" * 100)
begin("wide", u"\u00e9" * 27, u"\u00e9" * 40)  # 55 bytes would end inside a character
begin("unnamed", None)
begin("in_kernel", KERNEL, "worker", rename_in_kernel)
begin("renamed", "after", "before").name = "after"
begin("odd", "a;b\\u202ec\\nd", u"a;b\u202ec\nd")


def bare(setup=None):
    work(lambda: None)


_thread.start_new_thread(bare, ())
names["bare"] = ""  # as the kernel has it
print("READY " + json.dumps(names))
sys.stdout.flush()
work(lambda: None)
