#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Python that is called by C that is called by Python, in turn and in threads. CALLS has all pairs of
caller and callee, and what C function lies between them: t_native.py reads it. Runs on every Python 3."""

import functools
import queue
import re
import threading
import time
import zlib

try:
    import ctypes
except ImportError:
    ctypes = None

# (caller, callee): a part of the name of a C function between them; "": none is; None: there may be
# one (a generator function is called before its generator runs).
CALLS = {
    ("<module>", "main"): "",
    ("main", "ordered"): "",
    ("main", "folded"): "",
    ("main", "replaced"): "",
    ("main", "summed"): "",
    ("main", "nested"): "",
    ("main", "compared"): "",
    ("ordered", "key"): "sort",
    ("key", "weigh"): "",
    ("folded", "fold"): "reduce",
    ("fold", "weigh"): "",
    ("replaced", "replacement"): "sub",
    ("replacement", "weigh"): "",
    ("summed", "item"): None,
    ("item", "weigh"): "",
    ("nested", "deeper"): "sort",
    ("deeper", "nested"): "",
    ("deeper", "weigh"): "",
    ("compared", "compare"): "qsort",
    ("compare", "weigh"): "",
    ("squeeze", "weigh"): "",
    ("doze", "dozing"): "sort",
    ("block", "waiting"): "reduce",
    ("park", "get"): "",
    ("get", "wait"): "",
}
DIGITS = re.compile("[0-9]")
NEVER = threading.Lock()
NEVER.acquire()


def numbers():
    """qsort_r() of the C library with a Python function; None: there is none."""
    if not ctypes or not hasattr(ctypes.CDLL(None), "qsort_r"):
        return None
    pointer = ctypes.POINTER(ctypes.c_int)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, ctypes.c_void_p)
    array = (ctypes.c_int * 64)()
    return array, ctypes.CDLL(None).qsort_r, (array, 64, ctypes.sizeof(ctypes.c_int), kind(compare), None)


def weigh(n):
    total = 0
    for i in range(40):
        total += i * n % 7
    return total


def key(x):
    return weigh(x)


def ordered():
    return sorted(range(300), key=key)


def fold(a, b):
    return a + weigh(b)


def folded():
    return functools.reduce(fold, range(300))


def replacement(match):
    return str(weigh(int(match.group())))


def replaced():
    return DIGITS.sub(replacement, "1234567890" * 30)


def item(n):
    for i in range(n):
        yield weigh(i)


def summed():
    return sum(item(300))


def deeper(depth):
    return nested(depth - 1) if depth > 1 else weigh(depth)


def nested(depth):
    return sorted([depth] * 3, key=deeper)[0]


def compare(a, b, _):
    return a[0] - b[0] + 0 * weigh(a[0])


def compared():
    array, sort, arguments = NUMBERS
    for i in range(64):
        array[i] = i * 7919 % 64
    sort(*arguments)


def squeeze():
    data = bytes(i * i % 251 for i in range(50000))
    while True:
        zlib.compress(data)
        weigh(1)


def dozing(seconds):
    time.sleep(seconds)
    return seconds


def doze():
    """Sleeps again and again."""
    while True:
        sorted([0.02] * 3, key=dozing)


def waiting(a, b):
    return NEVER.acquire()


def block():
    """Sleeps once and for all."""
    functools.reduce(waiting, range(2))


def park():
    """Waits for work."""
    queue.Queue().get()


def main():
    for function in squeeze, doze, block, park:
        thread = threading.Thread(target=function)
        thread.daemon = True
        thread.start()
    while True:
        ordered()
        folded()
        replaced()
        summed()
        nested(5)
        if NUMBERS:
            compared()


if __name__ == "__main__":
    NUMBERS = numbers()
    print("READY", "ctypes" if NUMBERS else "", flush=True)
    main()
