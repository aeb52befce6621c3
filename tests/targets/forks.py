# SPDX-License-Identifier: BSD-2-Clause
# forks.py RATE: forks RATE children per second, which exit at once; every twentieth execs this
# interpreter. A line on standard input ends it; then it prints DONE and their pids.
import os
import select
import sys
import time

RATE = float(sys.argv[1])


def child(n):
    if n % 20 == 0:
        os.execv(sys.executable, [sys.executable, "-S", "-E", "-c", "pass"])
    os._exit(0)


print("READY", flush=True)
start, made = time.monotonic(), []
while True:
    due = start + len(made) / RATE - time.monotonic()
    if select.select([sys.stdin], [], [], max(due, 0))[0]:
        break
    pid = os.fork()
    if pid == 0:
        child(len(made))
    os.waitpid(pid, 0)
    made.append(pid)
print("DONE", *made, flush=True)
