# SPDX-License-Identifier: BSD-2-Clause
# handed.py HELPER WAY: eight C threads that pass thread states to each other (ext/handed.c).
import ctypes
import hashlib
import sys
import time

DATA = b"x" * 3000000


def burn():
    end = time.perf_counter() + 0.02
    n = 0
    while time.perf_counter() < end:
        for i in range(1000):
            n += i
    return n


def sleep():
    time.sleep(0.02)


def digest():
    return hashlib.sha256(DATA).digest()


KINDS = (burn, sleep, digest)

for number in range(8):
    exec(f"def job_{number}(kind):\n    KINDS[kind]()")

way = {"acquire": 0, "swap": 1}[sys.argv[2]]
helper = ctypes.PyDLL(sys.argv[1])
if helper.handed_start(way):
    raise SystemExit("it does not start")
print("READY", flush=True)
times = (ctypes.c_uint64 * 2)()
for line in sys.stdin:
    helper.handed_times(times)
    print("TIMES", *times, flush=True)
