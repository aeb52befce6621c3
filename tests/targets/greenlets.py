# SPDX-License-Identifier: BSD-2-Clause
# greenlets.py greenlet|gevent: libraries that switch stacks.
import sys


def compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


def use_greenlet():
    import greenlet

    def left():
        while True:
            compute(300)
            other.switch()

    def deeper(n):
        if n:
            return deeper(n - 1)
        compute(300)
        one.switch()

    def right():
        while True:
            deeper(5)

    one, other = greenlet.greenlet(left), greenlet.greenlet(right)
    print("READY", flush=True)
    one.switch()


def use_gevent():
    import gevent

    def left(n):
        while True:
            compute(n)
            gevent.sleep(0)

    def right(n):
        while True:
            compute(n)
            gevent.sleep(0)

    print("READY", flush=True)
    gevent.joinall([gevent.spawn(left, 300), gevent.spawn(right, 300)])


globals()["use_" + sys.argv[1]]()
