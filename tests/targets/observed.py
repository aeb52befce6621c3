# SPDX-License-Identifier: BSD-2-Clause
# observed.py trace|profile|monitor|evaluate LIBRARY|resume: a program under the hooks of debuggers,
# coverage tools and other profilers, or one that only resumes generators. After READY it waits for
# input.
import os
import sys


def leaf(n):
    s = 0
    for i in range(n):
        s += i
    return s


def middle(n):
    return leaf(  # -> leaf
        n)  # -> leaf


def producer(n):
    while True:
        middle(n)  # -> middle
        yield n


def calls():
    source = producer(5)  # -> producer
    for _ in range(20):
        next(source)  # -> producer
        list(map(middle, (1, 2)))  # -> middle
        sum(leaf(i) for i in (1, 2))  # -> leaf calls.<genexpr>


def count(n):
    for i in range(n):
        yield i


def delegate(n):
    if n:
        yield from delegate(n - 1)  # -> delegate
    else:
        yield from count(20)  # -> count


class Pause:
    def __await__(self):
        yield


async def wait(n):
    if n:
        await wait(n - 1)  # -> wait
    else:
        for _ in range(20):
            await Pause()  # -> Pause.__await__


async def ticks():
    for i in range(20):
        yield i


async def consume():
    async for _ in ticks():  # -> ticks
        pass


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)  # -> wait consume
    except StopIteration:
        pass


def resumes():
    for _ in count(20):  # -> count
        pass
    for _ in delegate(2):  # -> delegate
        pass
    source = count(20)  # -> count
    for _ in range(20):
        next(source)  # -> count
    list(i for i in range(20))  # -> resumes.<genexpr>
    sum(map(abs, count(20)))  # -> count
    drive(wait(2))  # -> drive wait
    drive(consume())  # -> drive consume


def tracer(frame, event, arg):  # <- any
    return tracer


def profiler(frame, event, arg):  # <- any
    return None


def monitor(*args):  # <- any
    return None


def use_monitoring():
    m = sys.monitoring
    m.use_tool_id(2, "observed")
    for event in (m.events.LINE, m.events.PY_START, m.events.PY_RESUME, m.events.PY_YIELD):
        m.register_callback(2, event, monitor)
    m.set_events(2, m.events.LINE | m.events.PY_START | m.events.PY_RESUME | m.events.PY_YIELD)


def use_evaluator(path):
    import ctypes  # here, as some interpreters lack it
    current = ctypes.pythonapi.PyInterpreterState_Get
    current.restype = ctypes.c_void_p
    use = ctypes.pythonapi._PyInterpreterState_SetEvalFrameFunc
    use.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    evaluate = ctypes.PyDLL(path).evaluate
    use(current(), ctypes.cast(evaluate, ctypes.c_void_p).value)


# Abandoned generators are closed after their function has returned, so work() may call them, too.
def main():
    work = resumes if sys.argv[1] == "resume" else calls
    for _ in range(20):
        work()  # -> resumes calls producer count
    if sys.argv[1] == "monitor":
        use_monitoring()
    elif sys.argv[1] == "evaluate":
        use_evaluator(sys.argv[2])
    print("READY", flush=True)
    os.read(0, 1)
    if sys.argv[1] == "trace":
        sys.settrace(tracer)
    elif sys.argv[1] == "profile":
        sys.setprofile(profiler)
    while True:
        work()  # -> resumes calls producer count


main()  # -> main
