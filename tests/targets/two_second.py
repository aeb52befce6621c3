# SPDX-License-Identifier: BSD-2-Clause
# two_second.py: the script of the second of two interpreters (two.c).


def second_hot():
    return sum(range(2000))  # HOT second


def inside_second():
    for _ in range(50):
        second_hot()


while True:
    second_hot()
