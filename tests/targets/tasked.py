# SPDX-License-Identifier: BSD-2-Clause
# tasked.py: two event loops whose tasks compute, and a thread without one. The function that a task calls tells
# which task it is: work_NAME() runs only in tasks that a profiler must call TRUTH[NAME]. After READY it runs until it
# is killed. Needs 3.7.
import asyncio
import sys
import threading
import time

SPIN = 0.002
ROUNDS = 64

TRUTH = {"named": "fetch-7", "default": "default", "method": "Server.handle", "asked": "asks_its_name",
         "wide": "gr\u00f6\u00dfe \u20ac", "long": "x" * 256, "derived": "of a class", "eager": "eagerly",
         "inner": "awaits", "other": "in another loop", "outside": None, "between": None}


def worker(name):
    space = {"time": time, "SPIN": SPIN}
    exec(compile(f"def work_{name}():\n    end = time.perf_counter() + SPIN\n    while time.perf_counter() < end:\n"
                 "        pass\n", "tasked.py", "exec"), space)
    return space[f"work_{name}"]


work = {name: worker(name) for name in TRUTH}


async def again(name):
    while True:
        work[name]()
        await asyncio.sleep(0)


async def default():
    await again("default")


async def asks_its_name():
    asyncio.current_task().get_name()  # makes a str of the default name
    await again("asked")


async def inner():
    await again("inner")


async def awaits():
    await inner()


class Server:
    async def handle(self):
        await again("method")


class Derived(asyncio.Task):
    pass


def between():
    work["between"]()
    asyncio.get_running_loop().call_soon(between)


# One task after another gets the address of the one before.
numbered = {}
for k in range(ROUNDS):
    exec(f"async def number_{k}():\n    for _ in range(20000):\n        pass\n", numbered)


async def one_after_another():
    i = 0
    while True:
        i += 1
        name = f"n-{i % ROUNDS}" if i // ROUNDS % 2 else None  # else the coroutine's
        await asyncio.create_task(numbered[f"number_{i % ROUNDS}"](), name=name)


async def in_main():
    loop = asyncio.get_running_loop()
    loop.call_soon(between)
    keep = [asyncio.create_task(again("named"), name="fetch-7"), asyncio.create_task(default()),
            asyncio.create_task(Server().handle()), asyncio.create_task(asks_its_name()),
            asyncio.create_task(again("wide"), name="gr\u00f6\u00dfe \u20ac"),
            asyncio.create_task(again("long"), name="x" * 1000), asyncio.create_task(awaits()),
            Derived(again("derived"), loop=loop, name="of a class"),
            asyncio.create_task(one_after_another(), name="outer")]
    if hasattr(asyncio, "eager_task_factory"):
        keep.append(asyncio.Task(again("eager"), loop=loop, name="eagerly", eager_start=True))
    print("READY", flush=True)
    await asyncio.gather(*keep)


async def in_other():
    await asyncio.create_task(again("other"), name="in another loop")


def outside():
    while True:
        work["outside"]()
        time.sleep(SPIN)


threading.Thread(target=outside, daemon=True).start()
threading.Thread(target=lambda: asyncio.run(in_other()), daemon=True).start()
sys.setswitchinterval(0.001)
asyncio.run(in_main())
