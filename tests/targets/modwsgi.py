# SPDX-License-Identifier: BSD-2-Clause
# A mod_wsgi application that computes for each request, alternately through x() and y().
import itertools

count = itertools.count()


def compute(n):
    s = n
    for i in range(20000): s = (s * 3 + i) & 1023  # HOT compute
    return s


def x(n):
    return compute(n)


def y(n):
    return compute(n)


def application(environ, start_response):
    n = next(count)
    answer = b"%d" % (x(n) if n % 2 else y(n))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer]
