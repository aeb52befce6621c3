# SPDX-License-Identifier: BSD-2-Clause
# recursion.py DEPTH: DEPTH recursive frames under one of two callers. Even and odd alternate, so
# that a missing frame is detected.
import sys


def bottom(n):
    s = 0
    for i in range(n):
        s += i
    return s


def even(n):
    if n <= 0:
        return bottom(2000)  # -> bottom
    return odd(n - 1)  # -> odd


def odd(n):
    return even(n - 1)  # -> even


def first(n):
    return even(n)  # -> even


def second(n):
    return odd(n)  # -> odd


def main(n):
    while True:
        first(n)  # -> first
        second(n - 1)  # -> second


sys.setrecursionlimit(10000)
print("READY", flush=True)
main(int(sys.argv[1]))  # -> main
