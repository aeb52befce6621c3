# SPDX-License-Identifier: BSD-2-Clause
# crowd.py THREADS: prints READY once so many threads wait for a line on standard input; then each goes
# down a way of its own, 800 calls deep, prints DONE when all have, and they sleep there.
import sys
import threading

DEPTH = 800
go, arrived, never = threading.Event(), threading.Semaphore(0), threading.Event()


def one(way, left):
    down(way >> 1, left - 1)


def zero(way, left):
    down(way >> 1, left - 1)


def down(way, left):
    if left:
        (one if way & 1 else zero)(way, left)
    else:
        arrived.release()
        never.wait()


def member(way):
    started.release()
    go.wait()
    down(way, DEPTH // 2)


started = threading.Semaphore(0)
threading.stack_size(1 << 18)
threads = [threading.Thread(target=member, args=(way,), daemon=True) for way in range(int(sys.argv[1]))]
for t in threads:
    t.start()
for t in threads:
    started.acquire()
print("READY", flush=True)
sys.stdin.readline()
go.set()
for t in threads:
    arrived.acquire()
print("DONE", flush=True)
never.wait()
