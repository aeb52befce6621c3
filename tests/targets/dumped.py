# SPDX-License-Identifier: BSD-2-Clause
# dumped.py KIND: threads in known places, for a dump. READY is followed by data for the test (JSON).
#   still        threads that wait in many ways, two of them in a deadlock. Each line of input is answered
#                by a line "TRUTH" and all threads with their stacks, as Python itself sees them (JSON).
#   holds        a thread that sleeps in C code and holds the GIL, which the others wait for
#   chain        a thread that runs through functions that call each other in a fixed order, and two
#                that alternate between running and short sleeps in such functions
#   crowd N      N threads that sleep
import asyncio
import ctypes
import json
import os
import select
import sys
import threading
import time

FOR_EVER = 1e6


def native():
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    return int(os.readlink("/proc/thread-self").rpartition("/")[2])


IDS = {}  # threading.get_ident() -> what gettid() says


def start(name, function, *args):
    def run():
        IDS[threading.get_ident()] = native()
        function(*args)
    t = threading.Thread(target=run, name=name)
    t.daemon = True
    t.start()
    return t


def ready(what=None):
    print("READY", json.dumps(what), flush=True)


# --- still --------------------------------------------------------------------------------------

def in_lock(lock):
    with lock:
        raise AssertionError


def deadlock(mine, other, both):
    with mine:
        both.wait()
        with other:
            raise AssertionError


def in_event(event):
    event.wait(FOR_EVER)


def in_select(fd):
    select.select([fd], [], [])


def in_poll(fd):
    p = select.poll()
    p.register(fd, select.POLLIN)
    p.poll()


def in_epoll(fd):
    e = select.epoll()
    e.register(fd, select.EPOLLIN)
    e.poll()


def deep(n, fd):
    if n:
        return deep(n - 1, fd)
    return os.read(fd, 1)


def generator(fd):
    yield
    yield os.read(fd, 1)


def in_generator(fd):
    for _ in generator(fd):
        pass


def in_key(fd):
    return sorted([1, 2], key=lambda x: os.read(fd, 1))


def in_comprehension(fd):
    return [os.read(fd, x) for x in (1,)]


class Klass:
    def __init__(self, fd):
        os.read(fd, 1)

    def __del__(self):
        pass


def in_init(fd):
    return Klass(fd)


def in_except(fd):
    try:
        raise ValueError
    except ValueError:
        os.read(fd, 1)


async def forever():
    await asyncio.sleep(FOR_EVER)


def in_loop():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(forever())


def unlisted(fd):
    """Takes back from the kernel the address of this thread's list of robust mutexes."""
    number = {"x86_64": 273, "aarch64": 99}[os.uname().machine]
    ctypes.CDLL(None).syscall(number, None, ctypes.c_size_t(24))
    os.read(fd, 1)


def largest():
    space = {"os": os}
    lines = ["def far(fd):"] + ["    x = 1"] * 70000 + ["    os.read(fd, 1)"]
    exec(compile("\n".join(lines), "/far/away.py", "exec"), space)
    return space["far"]


def still():
    fd = os.pipe()[0]
    lock, one, two, both = threading.Lock(), threading.Lock(), threading.Lock(), threading.Event()
    lock.acquire()
    start("lock", in_lock, lock)
    first = threading.Barrier(2)
    start("dead one", deadlock, one, two, first)
    start("dead two", deadlock, two, one, first)
    start("event", in_event, both)
    start("sleep", time.sleep, FOR_EVER)
    start("select", in_select, fd)
    start("poll", in_poll, fd)
    start("epoll", in_epoll, fd)
    start("deep", deep, 300, fd)
    start("generator", in_generator, fd)
    start("key", in_key, fd)
    start("comprehension", in_comprehension, fd)
    start("init", in_init, fd)
    start("except", in_except, fd)
    start("loop", in_loop)
    start("far", largest(), fd)
    if sys.version_info >= (3, 11):
        start("unlisted", unlisted, fd)
    start("n\u00e4me \u4e2d \U0001f40d", in_lock, lock)
    start("esc\x1b[31m\nline", in_lock, lock)
    late = start("early", in_lock, lock)
    late.name = "a name that is longer than the kernel has room for"
    ready()
    listen()
    time.sleep(FOR_EVER)


def listen():
    while sys.stdin.readline() and tell():  # on one line: it is told while it answers
        pass


def frames_of(frame):
    found = []
    while frame:
        code = frame.f_code
        found.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno,
                      code.co_firstlineno])
        frame = frame.f_back
    return found


def tell():
    names = {t.ident: t.name for t in threading.enumerate()}
    me = threading.get_ident()
    told = []
    for ident, frame in sys._current_frames().items():
        frames = frames_of(frame)
        if ident == me:
            frames = frames[1:]
        told.append([IDS.get(ident, os.getpid()), names[ident], frames])
    print("TRUTH", json.dumps(told), flush=True)
    return True


# --- holds --------------------------------------------------------------------------------------

def hold():
    os.write(1, b"READY %d\n" % native())
    ctypes.PyDLL(None).sleep(1000)


def wants():
    while True:
        time.sleep(0.001)


def holds():
    for i in range(3):
        start("wants %d" % i, wants)
    start("holds", hold)
    wants()


# --- chain --------------------------------------------------------------------------------------

def links(n, last):
    """Functions f0 to fn-1; each calls the next one, the last one calls last()."""
    space = {"last": last}
    for k in range(n):
        called = "last" if k == n - 1 else "f%d" % (k + 1)
        exec("def f%d(x):\n    y = %s(x)\n    return x + 1\n" % (k, called), space)
    return space["f0"]


def through(first):
    x = 0
    while True:
        x = first(x)


def add(x):
    return x + 1


def nap(x):
    time.sleep(0.0001)
    return x + 1


def chain():
    start("runs", through, links(12, add))
    for i in range(2):
        start("naps %d" % i, through, links(12, nap))
    ready()
    time.sleep(FOR_EVER)


# --- crowd --------------------------------------------------------------------------------------

def crowd(n):
    threading.stack_size(1 << 18)
    for i in range(int(n)):
        start("one of %d" % i, time.sleep, FOR_EVER)
    ready()
    time.sleep(FOR_EVER)


globals()[sys.argv[1]](*sys.argv[2:])
