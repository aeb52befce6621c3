# SPDX-License-Identifier: BSD-2-Clause
"""target.py DEPTH repeated|new: spins with DEPTH Python frames on its stack, each of a different
function, including this module's. Runs in every Python from 3.6.

repeated  the leaf is an empty loop on one line, so the stack is the same except for its instruction
new       each descent takes another path: every caller has eight call sites on separate lines, and
          a random number selects one; the leaf spins for a fraction of a sampling period

The first line on standard output is "ready" and pthread_self()."""

import sys
import threading
import time

WAYS = 8
LEAF_SECONDS = 60e-6


def source(depth, new):
    """The functions f1 (outermost) to f<depth - 1> (the leaf)."""
    text = []
    for i in range(1, depth - 1):
        text.append("def f%d(way, n):" % i)
        for k in range(WAYS if new else 1):
            text.append("    if way %% %d == %d:" % (WAYS, k) if new else "    if True:")
            text.append("        return f%d(way // %d, n)" % (i + 1, WAYS))
    text.append("def f%d(way, n):" % (depth - 1))
    text.append("    for _ in range(n): pass" if new else "    while True: pass")
    return "\n".join(text)


def turns_of_leaf():
    n = 100000
    start = time.perf_counter()
    for _ in range(n):
        pass
    return max(1, int(LEAF_SECONDS * n / (time.perf_counter() - start)))


depth, kind = int(sys.argv[1]), sys.argv[2]
exec(compile(source(depth, kind == "new"), __file__, "exec"))
turns = turns_of_leaf()
print("ready", threading.get_ident(), flush=True)
way = 1
while True:
    # A generator with period 2**64. Its lowest bits are dropped, because their periods are short.
    way = (way * 6364136223846793005 + 1442695040888963407) % 2**64
    f1(way >> 24, turns)  # noqa: F821
