# SPDX-License-Identifier: BSD-2-Clause
# Two paths of the same shape to one leaf: a walker that mixes old and new frames shows y below a.


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
