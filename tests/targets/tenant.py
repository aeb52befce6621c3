# SPDX-License-Identifier: BSD-2-Clause
# tenant.py NAME [THREADS]: a process named "tenant", like all of its kind, which only its stacks
# distinguish: all threads compute in a function own_NAME. Prints READY and its thread ids as seen
# inside once all are in it.
import os
import sys
import threading

exec("def own_%s():\n    arrive()\n    while True:\n        compute(1000)\n" % sys.argv[1])
own = globals()["own_" + sys.argv[1]]
others = int((sys.argv[2:] or [1])[0]) - 1
arrived = threading.Semaphore(0)


def arrive():
    if threading.current_thread() is not threading.main_thread():
        arrived.release()
        return
    for _ in range(others):
        arrived.acquire()
    print("READY", os.getpid(), *sorted(os.listdir("/proc/self/task"), key=int), flush=True)


def compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


with open("/proc/self/comm", "w") as f:
    f.write("tenant")
for _ in range(others):
    t = threading.Thread(target=own)
    t.daemon = True
    t.start()
own()
