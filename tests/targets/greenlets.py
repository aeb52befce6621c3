# SPDX-License-Identifier: BSD-2-Clause
# greenlets.py greenlet|gevent|switch: greenlets that compute and switch; "switch" only switches.
import sys


def compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


def use_greenlet():
    import greenlet  # -> *

    def left():  # <- root
        while True:
            compute(300)  # -> compute
            other.switch()

    def deeper(n):
        if n:
            return deeper(n - 1)  # -> use_greenlet.deeper
        compute(300)  # -> compute
        one.switch()

    def right():  # <- root
        while True:
            deeper(5)  # -> use_greenlet.deeper

    one, other = greenlet.greenlet(left), greenlet.greenlet(right)
    print("READY", flush=True)
    one.switch()


def use_switch():
    import greenlet  # -> *

    def below(switch):
        switch()

    def left():  # <- root
        while True:
            list(map(below, (other.switch,)))  # -> use_switch.below

    def right():  # <- root
        while True:
            below(main.switch)  # -> use_switch.below

    main = greenlet.getcurrent()
    one, other = greenlet.greenlet(left), greenlet.greenlet(right)
    print("READY", flush=True)
    while True:
        one.switch()


def use_gevent():
    import gevent  # -> *

    def left(n):  # <- root
        while True:
            compute(n)  # -> compute
            gevent.sleep(0)  # -> *

    def right(n):  # <- root
        while True:
            compute(n)  # -> compute
            gevent.sleep(0)  # -> *

    print("READY", flush=True)
    gevent.joinall([gevent.spawn(left, 300), gevent.spawn(right, 300)])  # -> *


globals()["use_" + sys.argv[1]]()  # -> use_greenlet use_switch use_gevent
