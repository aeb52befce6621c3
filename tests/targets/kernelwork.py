#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Computes, and has the kernel read, in turn. Runs on every Python 3."""

import os


def reads(zero):
    for _ in range(20):
        os.read(zero, 1 << 20)


def computes():
    total = 0
    for i in range(20000):
        total += i
    return total


def main():
    zero = os.open("/dev/zero", os.O_RDONLY)
    print("READY", flush=True)
    while True:
        reads(zero)
        computes()


main()
