# SPDX-License-Identifier: BSD-2-Clause
# tasks.py KIND: asyncio tasks in known places, for a dump.
#   still     tasks that wait in many ways, in the loop of the main thread; tasks of Python's own class in the loop of
#             a second thread; a task that runs and one that has not begun in a third. Each line of input is
#             answered by a line "TRUTH" and all tasks as asyncio and the coroutines themselves have them (JSON).
#   busy      tasks that run and wait in turn, in coroutines that call each other in a fixed order
#   many N    N tasks that wait, the first for the second and so on
#   circle    two tasks that wait for each other
#   loop NAME a task in a loop of the package NAME
import asyncio
import gc
import importlib
import json
import sys
import threading
import time
import types

FOR_EVER = 1e6
KEPT = []  # so that nothing is collected
LOOPS = {}  # thread's name -> event loop
PASSES_ON = ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable")


# --- ways to wait -------------------------------------------------------------------------------

async def sleeps():
    await asyncio.sleep(FOR_EVER)


async def outer():
    x = [1]
    await middle(x)


async def middle(x):
    for _ in x:
        await sleeps()


async def deep(n):
    if n:
        await deep(n - 1)
    await asyncio.sleep(FOR_EVER)


async def gets(queue):
    return await queue.get()


async def waits(event):
    async with Entered():
        await event.wait()


class Entered:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *args):
        await asyncio.sleep(0)


class Leaving(Entered):
    async def __aexit__(self, *args):
        await asyncio.sleep(FOR_EVER)


async def leaves():
    async with Leaving():
        pass


async def produces():
    yield 1
    await asyncio.sleep(FOR_EVER)
    yield 2


async def consumes():
    async for _ in produces():
        pass


async def next_of():
    g = produces()
    await g.__anext__()
    await g.__anext__()


async def by_anext():
    g = produces()
    await anext(g, None)  # noqa: F821, since 3.10
    await anext(g, None)  # noqa: F821


async def throws():
    async def catches():
        try:
            yield 1
        except ValueError:
            await asyncio.sleep(FOR_EVER)
            yield 2
    g = catches()
    await g.__anext__()
    await g.athrow(ValueError())


@types.coroutine
def by_generator():
    yield from asyncio.sleep(FOR_EVER).__await__()


async def of_generator():
    await by_generator()


class Awaitable:
    def __await__(self):
        return sleeps().__await__()


class Yielding:
    def __await__(self):
        yield from asyncio.get_event_loop().create_future().__await__()


async def awaits(what):
    return await what


async def gathers(*tasks):
    await asyncio.gather(*tasks)


async def in_handler():
    try:
        raise ValueError
    except ValueError:
        with open("/dev/null"):
            await asyncio.sleep(FOR_EVER)


def comprehends():
    space = {"sleeps": sleeps}
    exec(compile("async def comprehends():\n    return [\n        x\n        async for x in over()]\n"
                 "async def over():\n    await sleeps()\n    yield 1\n", "/far/away.py", "exec"), space)
    return space["comprehends"]()


async def opens(event):
    async with asyncio.TaskGroup() as group:
        group.create_task(sleeps(), name="in group 1")
        group.create_task(outer(), name="in group 2")
        if event:
            await event.wait()


def create(name, coroutine):
    task = asyncio.get_event_loop().create_task(coroutine)
    if name:
        task.set_name(name)
    KEPT.append(task)
    return task


def start_all():
    event, queue, shared = asyncio.Event(), asyncio.Queue(), create("shared", sleeps())
    KEPT.extend((event, queue))
    for name, coroutine in (("sleeper", outer()), ("deep", deep(100)), ("queue", gets(queue)), ("event", waits(event)),
                            ("leaves", leaves()), ("async for", consumes()), ("asend", next_of()), ("athrow", throws()),
                            ("generator", of_generator()), ("awaitable", awaits(Awaitable())),
                            ("yielding", awaits(Yielding())), ("handler", in_handler()),
                            ("comprehension", comprehends()), ("future", awaits(asyncio.sleep(FOR_EVER))),
                            ("esc\x1b[31m\nn\u00e4me \u4e2d \U0001f40d", sleeps()), ("waiter 1", awaits(shared)),
                            ("waiter 2", awaits(shared)), (None, sleeps())):
        create(name, coroutine)
    create("parent", awaits(create("child", sleeps())))
    create("gatherer", gathers(create("gathered 1", sleeps()), create("gathered 2", outer())))
    create("shielder", awaits(asyncio.shield(create("shielded", sleeps()))))
    if sys.version_info >= (3, 10):
        create("anext", by_anext())
    if hasattr(asyncio, "TaskGroup"):
        create("group", opens(None))
        create("group body", opens(event))


EDGES = [("waiter 1", "shared"), ("waiter 2", "shared"), ("parent", "child"), ("gatherer", "gathered 1"),
         ("gatherer", "gathered 2")]
GROUP_EDGES = [(g, "in group %d" % i) for g in ("group", "group body") for i in (1, 2)]


# --- the truth ----------------------------------------------------------------------------------

def inside(awaited):
    """What an object that only passes on a coroutine stands for."""
    while type(awaited).__name__ in PASSES_ON:
        wanted = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)
        found = [x for x in gc.get_referents(awaited) if isinstance(x, wanted) or type(x).__name__ in PASSES_ON]
        awaited = found[0] if found else None
    return awaited


def chain(coroutine):
    found = []
    while True:
        coroutine = inside(coroutine)
        kind = [k for k in ("cr", "gi", "ag") if hasattr(coroutine, k + "_frame")]
        if not kind:
            return found[::-1]
        frame = getattr(coroutine, kind[0] + "_frame")
        if not frame:
            return found[::-1]
        code = frame.f_code
        found.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno,
                      code.co_firstlineno])
        coroutine = getattr(coroutine, kind[0] + ("_yieldfrom" if kind[0] == "gi" else "_await"))


def running(task, frame):
    """The frames of the thread above the coroutine."""
    found = []
    while frame:
        code = frame.f_code
        found.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno,
                      code.co_firstlineno])
        if frame is task.get_coro().cr_frame:
            break
        frame = frame.f_back
    return found


def about(thread, task):
    coroutine = task.get_coro()
    current = getattr(coroutine, "cr_running", False)
    waiter = task._fut_waiter
    by = getattr(task, "_asyncio_awaited_by", None)
    return {"name": task.get_name(), "thread": thread, "id": hex(id(task)),
            "state": "running" if current else "waiting" if waiter is not None else "ready",
            "frames": running(task, frame_of(thread)) if current else chain(coroutine),
            "waits_for": None if waiter is None else [type(waiter).__name__, hex(id(waiter))],
            "awaited_by": sorted(hex(id(x)) for x in by or ())}


def tasks_of(loop):
    """From 3.14 on all_tasks() does not know those of Python's own class."""
    own = [t for t in KEPT if isinstance(t, asyncio.tasks._PyTask) and not t.done() and t.get_loop() is loop]
    return asyncio.all_tasks(loop) | set(own)


def frame_of(thread):
    return sys._current_frames()[{t.name: t.ident for t in threading.enumerate()}[thread]]


def tell():
    sys.stdin.readline()
    found = [about(thread, task) for thread, loop in LOOPS.items() for task in tasks_of(loop)]
    edges = EDGES + (GROUP_EDGES if hasattr(asyncio, "TaskGroup") else [])
    print("TRUTH", json.dumps([found, edges]), flush=True)


# --- still --------------------------------------------------------------------------------------

def in_thread(name, function):
    """Runs function(loop) in the loop of a new thread, and waits until it has begun to wait."""
    begun = threading.Event()

    def run():
        loop = LOOPS[name] = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        function(loop, begun)
        loop.run_forever()
    threading.Thread(target=run, name=name, daemon=True).start()
    begun.wait()


def python_tasks(loop, begun):
    loop.set_task_factory(lambda loop, coro, **more: asyncio.tasks._PyTask(coro, loop=loop, **more))
    create("py parent", awaits(create("py child", outer())))
    create("py gatherer", gathers(create("py gathered", sleeps())))
    create(None, sleeps())
    if hasattr(asyncio, "TaskGroup"):
        create("py group", opens(None))
    loop.call_later(0.2, begun.set)


def eager_tasks(loop, begun):
    if hasattr(asyncio, "eager_task_factory"):
        loop.set_task_factory(asyncio.eager_task_factory)

    async def starts():
        create("eager", outer())
        await sleeps()
    create("starts", starts())
    loop.call_later(0.2, begun.set)


def blocked(loop, begun):
    async def blocks():
        create("unborn", outer())
        begun.set()
        await called(FOR_EVER)

    async def called(seconds):
        time.sleep(seconds)
    create("blocks", blocks())


def still():
    in_thread("second", python_tasks)
    in_thread("eager", eager_tasks)
    in_thread("blocked", blocked)
    loop = LOOPS["MainThread"] = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    start_all()
    KEPT.append(loop.create_task(asyncio.sleep(0)))  # soon done
    loop.add_reader(sys.stdin, tell)
    loop.call_later(0.2, print, "READY")
    loop.call_later(0.21, sys.stdout.flush)
    loop.run_forever()


# --- busy, many, circle, loop -------------------------------------------------------------------

def links(n, last):
    """Coroutines f0 to fn-1; each awaits the next one, the last one awaits last()."""
    space = {"last": last}
    for k in range(n):
        called = "last" if k == n - 1 else "f%d" % (k + 1)
        exec("async def f%d():\n    await %s()\n    return 1\n" % (k, called), space)
    return space["f0"]


async def nap():
    await asyncio.sleep(0)


async def repeats(first):
    while True:
        await first()


def busy():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for i in range(40):
        create("busy %d" % i, repeats(links(12, nap)))
    loop.call_later(0.2, print, "READY")
    loop.call_later(0.21, sys.stdout.flush)
    loop.run_forever()


def many(n):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    last = create("last", sleeps())
    for i in range(int(n) - 1):
        last = create("link %d" % i, awaits(last))
    loop.call_later(0.2, print, "READY")
    loop.call_later(0.21, sys.stdout.flush)
    loop.run_forever()


def circle():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    both = []

    async def other(i):
        await asyncio.sleep(0)
        await both[1 - i]
    both.extend(create("circle %d" % i, other(i)) for i in range(2))
    loop.call_later(0.2, print, "READY")
    loop.call_later(0.21, sys.stdout.flush)
    loop.run_forever()


def loop(name):
    made = importlib.import_module(name).new_event_loop()
    asyncio.set_event_loop(made)
    create("parent", awaits(create("child", outer())))
    made.call_later(0.2, print, "READY")
    made.call_later(0.21, sys.stdout.flush)
    made.run_forever()


globals()[sys.argv[1]](*sys.argv[2:])
