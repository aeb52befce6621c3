# SPDX-License-Identifier: BSD-2-Clause
# Threads that compute, with and without the GIL, each in a function of its own. Uses no extension
# modules, so that it runs in any Python, embedded or not; ends when its input ends.
import os
import sys
import threading


def start(function):
    t = threading.Thread(target=function)
    t.daemon = True
    t.start()


def compute_1(n):
    s = 1
    for i in range(n): s = (s * 3 + i) & 1023  # HOT compute_1
    return s


def compute_2(n):
    s = 2
    for i in range(n): s = (s * 3 + i) & 1023  # HOT compute_2
    return s


def loop_1():
    while True:
        compute_1(10000)


def loop_2():
    while True:
        compute_2(10000)


# os.urandom() releases the GIL while the kernel generates the bytes.
def fetch_1():
    while True:
        os.urandom(1 << 22)  # HOT fetch_1


def fetch_2():
    while True:
        os.urandom(1 << 22)  # HOT fetch_2


def main():
    for f in (loop_1, loop_2, fetch_1, fetch_2):
        start(f)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    os.read(0, 1)
    os._exit(0)


main()
