# SPDX-License-Identifier: BSD-2-Clause
# Frames that are resumed and suspended: generators, coroutines driven by hand and by asyncio,
# values and exceptions sent into them. Up to 3.8, throw() runs the innermost generator without the
# outer one; 3.9 runs the outer one without its caller; and close() does the former in all versions.
import asyncio


def small(n):
    s = 0
    for i in range(3):
        s += i * n
    return s


def inner(n):
    for i in range(n):
        yield small(i)  # -> small


def middle(n):
    yield from inner(n)  # -> inner
    yield small(n)  # -> small


def generators(n):
    for v in middle(n):  # -> middle
        small(v)  # -> small


def patient():
    while True:
        try:
            yield small(1)  # -> small
        except KeyError:
            small(2)  # -> small


def delegate():  # <- root{9-9}
    yield from patient()  # -> patient


def thrower(n):
    g = delegate()  # -> delegate
    next(g)  # -> delegate
    for _ in range(n):
        g.throw(KeyError("x"))  # -> delegate patient{-8}
    g.close()  # -> delegate patient


class Pause:
    def __await__(self):
        small(3)  # -> small
        yield
        small(4)  # -> small


async def deep(n):
    small(n)  # -> small
    await Pause()  # -> Pause.__await__
    return small(n)  # -> small


async def shallow(n):
    for i in range(n):
        await deep(i)  # -> deep


def by_hand(n):
    c = shallow(n)  # -> shallow
    try:
        while True:
            c.send(None)  # -> shallow
    except StopIteration:
        pass


async def ticker(n):
    for i in range(n):
        yield small(i)  # -> small


async def consume(n):  # <- *
    async for v in ticker(n):  # -> ticker *
        small(v)  # -> small *
    await asyncio.sleep(0)  # -> *
    return small(n)  # -> small


async def together():  # <- *
    await asyncio.gather(consume(3), consume(4))  # -> consume *
    await consume(2)  # -> consume


def main(loop):
    while True:
        generators(4)  # -> generators
        thrower(3)  # -> thrower
        by_hand(3)  # -> by_hand
        loop.run_until_complete(together())  # -> together *


events = asyncio.new_event_loop()
print("READY", flush=True)
main(events)  # -> main
