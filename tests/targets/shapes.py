# SPDX-License-Identifier: BSD-2-Clause
# The other ways in which Python code comes to be run: exceptions, context managers, decorators,
# special methods, exec, lambdas, comprehensions, class bodies.
import functools


def small(n):  # <- *
    s = 0
    for i in range(3):
        s += i * n
    return s


def raises(n):
    small(n)  # -> small
    raise ValueError(n)


def exceptions():
    try:
        raises(1)  # -> raises
    except ValueError:
        small(1)  # -> small
    finally:
        small(2)  # -> small
    try:
        try:
            raises(2)  # -> raises
        finally:
            small(3)  # -> small
    except ValueError:
        small(4)  # -> small


class Guard:
    def __enter__(self):
        return small(1)  # -> small

    def __exit__(self, *_):
        small(2)  # -> small
        return True


def contexts():
    with Guard():  # -> Guard.__enter__ Guard.__exit__{10-}
        small(3)  # -> small Guard.__exit__{-9}
    with Guard():  # -> Guard.__enter__ Guard.__exit__
        raises(4)  # -> raises Guard.__exit__{-9}


def doubled(f):
    @functools.wraps(f)  # -> *
    def wrapper(*args):  # -> *
        return f(*args) * 2  # -> decorated
    return wrapper


@doubled
def decorated(n):
    return small(n)  # -> small


def decorators():
    decorated(3)  # -> doubled.wrapper

    @doubled  # -> doubled{-7} doubled{11-}
    def local(n):  # -> doubled{8-10}
        return n
    return local


class Thing:
    def __new__(cls, n):
        return object.__new__(cls)

    def __init__(self, n):
        self.n = small(n)  # -> small

    @property
    def value(self):
        return small(self.n)  # -> small

    def __getitem__(self, i):
        return small(i)  # -> small

    def __getattr__(self, name):
        return small(1)  # -> small

    def __call__(self, n):
        return small(n)  # -> small

    def __eq__(self, other):
        return small(2) > 0  # -> small

    def __hash__(self):
        return small(5)  # -> small

    def __del__(self):
        small(6)  # -> small


class Plain:
    def __init__(self, n):
        self.n = small(n)  # -> small


def objects():
    t = Thing(3)  # -> Thing.__new__ Thing.__init__
    Plain(4)  # -> Plain.__init__
    t.value  # -> Thing.value
    t[4]  # -> Thing.__getitem__
    t.other  # -> Thing.__getattr__
    t(5)  # -> Thing.__call__
    t == 3  # -> Thing.__eq__
    {t: 1}  # -> Thing.__hash__
    del t  # -> Thing.__del__


def drops():
    t = Thing(7)  # -> Thing.__new__ Thing.__init__
    return t.n


def callees():
    drops()  # -> drops Thing.__del__
    return drops() + small(1)  # -> drops small Thing.__del__


def texts():
    exec("small(3)\nsmall(4)")  # -> *
    eval("small(5)")  # -> *


def lambdas():
    f = lambda n: small(n)  # -> small
    f(3)  # -> lambdas.<lambda>
    list(map(f, (1, 2)))  # -> lambdas.<lambda>
    sorted((3, 1, 2), key=f)  # -> lambdas.<lambda>


def comprehensions():
    [small(i) for i in (1, 2)]  # -> small comprehensions.<listcomp>{-11}
    {small(i) for i in (1, 2)}  # -> small comprehensions.<setcomp>{-11}
    {i: small(i) for i in (1, 2)}  # -> small comprehensions.<dictcomp>{-11}
    sum(small(i) for i in (1, 2))  # -> small comprehensions.<genexpr>


def bodies():
    class Body:  # -> bodies.Body
        a = small(1)  # -> small
        b = small(2)  # -> small

        def method(self):
            return small(3)  # -> small
    Body().method()  # -> bodies.Body.method


def main():
    while True:
        exceptions()  # -> exceptions
        contexts()  # -> contexts
        decorators()  # -> decorators
        objects()  # -> objects
        callees()  # -> callees
        texts()  # -> texts
        lambdas()  # -> lambdas
        comprehensions()  # -> comprehensions
        bodies()  # -> bodies


print("READY", flush=True)
main()  # -> main
