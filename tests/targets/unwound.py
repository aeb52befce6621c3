# SPDX-License-Identifier: BSD-2-Clause
# Native frames of many kinds, for walks after each single instruction: Python called by C called by
# Python, libraries, generators, exceptions, callbacks from libc, the garbage collector. After READY
# it runs until it is killed.
import ctypes
import gc
import json
import re
import zlib

LIBC = ctypes.CDLL(None)
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
DATA = {"list": list(range(50)), "text": "x" * 100}


def recurse(n):
    return n if n < 2 else recurse(n - 1) + recurse(n - 2)


def generate():
    for _ in range(3):
        yield sorted(range(12), key=lambda x: -x)


def fail(n):
    try:
        return fail(n - 1) if n else 1 // 0
    except ZeroDivisionError:
        return n


def call_back():
    numbers = (ctypes.c_int * 5)(3, 1, 2, 5, 4)
    LIBC.qsort(numbers, 5, 4, COMPARE(lambda a, b: a[0] - b[0]))


def main():
    print("READY", flush=True)
    while True:
        recurse(6)
        list(generate())
        json.loads(json.dumps(DATA))
        re.search("x+y", "x" * 30)
        zlib.compress(b"abc" * 300)
        fail(4)
        call_back()
        gc.collect(0)


main()
