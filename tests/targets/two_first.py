# SPDX-License-Identifier: BSD-2-Clause
# two_first.py: the script of the first of two interpreters (two.c). It computes, as does a forked
# child, and part of the time it runs code in the second interpreter (unless NOT_BESIDE is set).
import os


def first_hot():
    return sum(range(2000))  # HOT first


def inside():
    beside("inside_second()")  # noqa: F821, made by two.c


parent = os.getpid()
alone = "NOT_BESIDE" in os.environ
child = os.fork()
if child:
    os.write(1, b"READY %d\n" % child)
while child or os.getppid() == parent:
    for _ in range(200):
        first_hot()
    if child and not alone:
        inside()
