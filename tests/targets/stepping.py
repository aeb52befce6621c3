# SPDX-License-Identifier: BSD-2-Clause
# Every way to enter and leave a frame, once per round, with as little code as possible in between:
# for walks after each single instruction. Calls are specialized after the first rounds, except at
# call sites that call different functions. Functions are called from several callers at the same
# depth, so that new frames lie where frames with other callers were. After READY it waits for
# input.
import functools
import os
import sys


def leaf(n):
    return n


def x(n):
    return leaf(n)  # -> leaf


def y(n):
    a = b = c = d = n
    return leaf(a) or b or c or d  # -> leaf


def ways(n):
    x(n)  # -> x
    y(n)  # -> y
    for f in (leaf, x, y):
        f(n)  # -> leaf x y


def none():
    return None


def defaults(a, b=2, c=3):
    return leaf(a)  # -> leaf


def keywords(*, a, b=4):
    return leaf(b)  # -> leaf


def packed(*args, **kw):
    return leaf(args)  # -> leaf


def cells(n):
    def closure():
        return leaf(n)  # -> leaf
    return closure()  # -> cells.closure


def arguments():
    none()  # -> none
    defaults(1)  # -> defaults
    defaults(1, c=5)  # -> defaults
    keywords(b=1, a=2)  # -> keywords
    packed(1, 2, k=3)  # -> packed
    packed(*(1, 2), **{"k": 3})  # -> packed
    cells(1)  # -> cells


# Frames so large that a few of them need another chunk of the data stack. Two functions take turns,
# so that their call sites are not specialized.
def wide(n):
    for f in (leaf, wider):
        f(n - 1) if n else f  # -> leaf wider


def wider(n):
    for f in (leaf, wide):
        f(n - 1) if n else f  # -> leaf wide


if sys.version_info >= (3, 8):
    for large in (wide, wider):
        large.__code__ = large.__code__.replace(co_stacksize=600)


def inner(n):
    yield leaf(n)  # -> leaf
    yield n


def middle(n):
    yield from inner(n)  # -> inner
    return leaf(n)  # -> leaf


# The generator calls what its consumer has just called, at the same place of the data stack.
def between():
    for f in (leaf, x, none):
        yield f(*(1,)[:f is not none])  # -> leaf x none
        yield f(1) if f is not none else f()  # -> leaf x none


def generators():
    for f in (leaf, x):
        f(1)  # -> leaf x
        f(*(1,))  # -> leaf x
    for v in between():  # -> between
        pass
    list(map(leaf, between()))  # -> leaf between
    for v in middle(1):  # -> middle
        leaf(v)  # -> leaf
    sum(leaf(i) for i in (1, 2))  # -> leaf generators.<genexpr>
    left = inner(3)  # -> inner
    next(left)  # -> inner
    del left  # -> inner
    a, *b = inner(2)  # -> inner


def patient():
    while True:
        try:
            yield leaf(1)  # -> leaf
        except KeyError:
            leaf(2)  # -> leaf


def delegate():  # <- root{9-9}
    yield from patient()  # -> patient


def thrower():
    g = delegate()  # -> delegate
    next(g)  # -> delegate
    g.send(None)  # -> delegate
    g.throw(KeyError("x"))  # -> delegate patient{-8}
    g.close()  # -> delegate patient


class Pause:
    def __await__(self):
        yield leaf(3)  # -> leaf


async def deep(n):
    await Pause()  # -> Pause.__await__
    return leaf(n)  # -> leaf


async def ticker():
    yield leaf(1)  # -> leaf


async def shallow():
    await deep(1)  # -> deep
    async for v in ticker():  # -> ticker
        leaf(v)  # -> leaf
    return [v async for v in ticker()]  # -> ticker shallow.<listcomp>{-11}


def coroutines():
    c = shallow()  # -> shallow
    try:
        while True:
            c.send(None)  # -> shallow
    except StopIteration:
        leaf(4)  # -> leaf


def callbacks():
    list(map(leaf, (1, 2)))  # -> leaf
    sorted((2, 1), key=x)  # -> x
    functools.reduce(defaults, (1, 2))  # -> defaults
    functools.partial(keywords, a=1)()  # -> keywords
    [leaf(i) for i in (1, 2)]  # -> leaf callbacks.<listcomp>{-11}


def raises(n):
    leaf(n)  # -> leaf
    raise ValueError(n)


def passes(n):
    try:
        raises(n)  # -> raises
    finally:
        leaf(n)  # -> leaf


def exceptions():
    try:
        passes(1)  # -> passes
    except ValueError:
        leaf(1)  # -> leaf


class Guard:
    def __enter__(self):
        return leaf(1)  # -> leaf

    def __exit__(self, *_):
        return leaf(True)  # -> leaf


def contexts():
    with Guard():  # -> Guard.__enter__ Guard.__exit__{10-}
        leaf(3)  # -> leaf Guard.__exit__{-9}
    with Guard():  # -> Guard.__enter__ Guard.__exit__
        raises(4)  # -> raises Guard.__exit__{-9}


class Plain:
    def __init__(self, n):
        self.n = leaf(n)  # -> leaf


class Thing(Plain):
    def __init__(self, n):
        super().__init__(n)  # -> Plain.__init__

    @property
    def value(self):
        return leaf(self.n)  # -> leaf

    @classmethod
    def make(cls, n):
        return cls(n)  # -> Thing.__init__

    def method(self):
        return leaf(self.n)  # -> leaf

    def __getitem__(self, i):
        return leaf(i)  # -> leaf

    def __call__(self, n):
        return leaf(n)  # -> leaf

    def __add__(self, n):
        return leaf(n)  # -> leaf

    def __del__(self):
        leaf(6)  # -> leaf


def dies():
    t = Thing(1)  # -> Thing.__init__
    return leaf(t and 1)  # -> leaf Thing.__del__


def objects():
    Plain(4)  # -> Plain.__init__
    t = Thing.make(3)  # -> Thing.make
    t.value  # -> Thing.value
    t.method()  # -> Thing.method
    t[4]  # -> Thing.__getitem__
    t(5)  # -> Thing.__call__
    t + 3  # -> Thing.__add__
    del t  # -> Thing.__del__
    dies()  # -> dies Thing.__del__


def round():
    ways(1)  # -> ways
    arguments()  # -> arguments
    wide(5)  # -> wide
    generators()  # -> generators
    thrower()  # -> thrower
    coroutines()  # -> coroutines
    callbacks()  # -> callbacks
    exceptions()  # -> exceptions
    contexts()  # -> contexts
    objects()  # -> objects


def main():
    for _ in range(200):
        round()  # -> round
    print("READY", flush=True)
    os.read(0, 1)
    while True:
        round()  # -> round


main()  # -> main
