# SPDX-License-Identifier: BSD-2-Clause
# jit.py: a loop for the JIT to compile. READY is followed by "on" if the JIT is enabled, else
# "off".
import sys


def hot(n):
    s = 0
    for i in range(n):
        s += i * 3
        s ^= i
    return s


def main():
    while True:
        hot(100000)


for _ in range(20):
    hot(100000)
jit = getattr(sys, "_jit", None)
print("READY", "on" if jit and jit.is_enabled() else "off", flush=True)
main()
