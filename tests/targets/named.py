# SPDX-License-Identifier: BSD-2-Clause
# named.py NAME [THREADS]: computes in a function of that name, in the main and THREADS other
# threads.
import sys
import threading

exec("def %s():\n    while True:\n        compute(1000)\n" % sys.argv[1])


def compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


for _ in range(int((sys.argv[2:] or [0])[0])):
    t = threading.Thread(target=globals()[sys.argv[1]])
    t.daemon = True
    t.start()
print("READY", flush=True)
globals()[sys.argv[1]]()
