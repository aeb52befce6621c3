# SPDX-License-Identifier: BSD-2-Clause
# elsewhere.py: computes and sleeps, in the thread that runs it.
import time


def elsewhere():
    end = time.time() + 0.01
    while time.time() < end:
        pass
    time.sleep(0.005)


print("READY", flush=True)
while True:
    elsewhere()
