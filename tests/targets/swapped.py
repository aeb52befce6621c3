#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Loads one library and calls it, unloads it, loads another one at the same address, and so on. Arguments: the
libraries (ext/swapped.c, ext/swapped_other.c)."""

import _ctypes
import ctypes
import sys
import time

CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)


def weigh(n):
    total = 0
    for i in range(200):
        total += i * n % 7
    return total


def use(path):
    library = ctypes.CDLL(path)
    callback = CALLBACK(weigh)
    end = time.time() + 0.7
    while time.time() < end:
        library.outer(callback, 100)
    _ctypes.dlclose(library._handle)


def in_one():
    use(sys.argv[1])


def in_other():
    use(sys.argv[2])


print("READY", flush=True)
while True:
    in_one()
    in_other()
