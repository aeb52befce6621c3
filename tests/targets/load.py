# SPDX-License-Identifier: BSD-2-Clause
# load.py busy|half|threads|sleep: known patterns of CPU use. "half" sleeps as long as it computes;
# "threads" has three threads, two of which compute without the GIL.
import hashlib
import sys
import threading
import time


def compute(seconds):
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for i in range(200):
            n += i
    return n


def busy():
    while True:
        compute(1)


def half():
    while True:
        start = time.monotonic()
        compute(0.004)
        time.sleep(time.monotonic() - start)


def hash_forever(data):
    while True:
        hashlib.sha256(data).digest()


def threads():
    for _ in range(2):
        t = threading.Thread(target=hash_forever, args=(b"x" * (1 << 20),))
        t.daemon = True
        t.start()
    half()


def sleep():
    while True:
        time.sleep(0.05)


print("READY", flush=True)
{"busy": busy, "half": half, "threads": threads, "sleep": sleep}[sys.argv[1]]()
