# SPDX-License-Identifier: BSD-2-Clause
# Calls of every form into frames of very different sizes, so that each new frame overlaps remains
# of several old ones.


def tail(n):
    return n + 1


def none():
    return tail(0)  # -> tail


def defaults(a, b=2, c=3):
    return tail(a + b + c)  # -> tail


def keywords(*, a, b, c=7):
    return tail(a + b + c)  # -> tail


def packed(*args, **kw):
    return tail(len(args) + len(kw))  # -> tail


def mixed(a, b=1, *args, k=2, **kw):
    c = a + b
    d = c + k
    return tail(d + len(args) + len(kw))  # -> tail


def large(a, b, c, d, e, f):
    g = h = i = j = k = m = n = o = p = q = r = s = t = u = v = w = a + b
    x = [g, h, i, j, k, m, n, o, p, q, r, s, t, u, v, w, c, d, e, f]
    return tail(x[0]) + tail(x[1])  # -> tail


def cells(a):
    def closure(b):
        return tail(a + b)  # -> tail
    return closure(a) + closure(1)  # -> cells.closure


def forward(*args, **kw):
    return mixed(*args, **kw)  # -> mixed


def one():
    none()  # -> none
    defaults(1)  # -> defaults
    defaults(1, c=5)  # -> defaults
    keywords(b=1, a=2)  # -> keywords
    packed(1, 2, 3, x=1)  # -> packed
    large(1, 2, 3, 4, 5, 6)  # -> large
    cells(3)  # -> cells


def two():
    args, kw = (1, 2, 3), {"k": 4, "z": 5}
    large(*args, *args)  # -> large
    defaults(*args)  # -> defaults
    forward(*args, **kw)  # -> forward
    cells(*args[:1])  # -> cells
    mixed(1)  # -> mixed
    packed(*range(30))  # -> packed
    keywords(**{"a": 1, "b": 2})  # -> keywords


def main():
    while True:
        one()  # -> one
        two()  # -> two


print("READY", flush=True)
main()  # -> main
