# SPDX-License-Identifier: BSD-2-Clause
# Two ways to one leaf, of the same shape: a walker that mixes old and new frames shows a > y.


def leaf(n):
    s = 0
    for i in range(n):
        s += i
    return s


def x(n):
    return leaf(n)  # -> leaf


def y(n):
    return leaf(n)  # -> leaf


def a(n):
    return x(n)  # -> x


def b(n):
    return y(n)  # -> y


def main():
    while True:
        a(4)  # -> a
        b(4)  # -> b


print("READY", flush=True)
main()  # -> main
