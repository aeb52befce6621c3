# SPDX-License-Identifier: BSD-2-Clause
"""many.py WORKERS IDLE: a typical server of a large host: imports common modules and forks its
workers, which all do the same: nothing (IDLE 0), or a little every IDLE seconds. Each prints
"ready"; they end when their standard input ends."""

import asyncio  # noqa: F401
import decimal  # noqa: F401
import json  # noqa: F401
import os
import select
import sqlite3  # noqa: F401
import ssl  # noqa: F401
import sys


def handle(depth):
    """Computes for about a millisecond in few different stacks, which a sampler soon knows."""
    if depth:
        return handle(depth - 1)
    return sum(range(60000))


def serve(idle):
    os.write(1, b"ready\n")
    while not select.select([0], [], [], idle or None)[0]:
        handle(10)


def main():
    workers, idle = int(sys.argv[1]), float(sys.argv[2])
    for _ in range(workers):
        if not os.fork():
            break
    serve(idle)
    os._exit(0)


main()
