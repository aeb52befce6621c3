# SPDX-License-Identifier: BSD-2-Clause
# dumped.py KIND: threads in known places, for a dump. READY is followed by data for the test (JSON).
#   still        threads that wait in many ways, two of them in a deadlock. Each line of input is answered
#                by a line "TRUTH" and all threads with their stacks, as Python itself sees them (JSON).
#   holds        a thread that sleeps in C code and holds the GIL, which the others wait for
#   chain        a thread that runs through functions that call each other in a fixed order, and two
#                that alternate between running and short sleeps in such functions
#   crowd N      N threads that sleep
#   leaderless   threads that sleep, whose first thread has ended
#   locals       a function with variables of many types, in a thread; READY has what a dump must show:
#                {name: text}. Another thread changes its variables all the time.
import asyncio
import collections
import ctypes
import enum
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


def start(name, function, *args, **more):
    def run():
        IDS[threading.get_ident()] = native()
        function(*args, **more)
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


# --- locals -------------------------------------------------------------------------------------

class Colour(enum.IntEnum):
    RED = 3


class Text(str):
    pass


class Items(list):
    pass


Point = collections.namedtuple("Point", "x y")
SHOWN = {}  # what repr() does not say
WANT = {}


def variables(self, a, b=2, *args, kw=None, **more):
    """Values that repr() shows like krait, and those in SHOWN."""
    i, zero, negative, large, larger = 7, 0, -(1 << 62), 1 << 62, 1 << 119
    most, yes, no, none = -(1 << 120) + 1, True, False, None
    half, whole, huge, tiny, nan, inf, minus = 2.5, 3.0, 1e22, 1e-5, float("nan"), float("-inf"), -0.0
    third, edge = 1 / 3, 1234567890123456.0
    text, latin, wide, wider, empty = "text", "caf\u00e9", "\u4e2d", "\U0001f40d", ""
    escapes, data = "\t\x1b[31m\x00\\", b"\x00a\xff\\"
    short, one, pair, nested, pairs, single = [1, "b"], (1,), (1, 2), [[1], {"k": 2}], {"a": 1, 2: None}, {5}
    WANT.update({k: repr(v) for k, v in locals().items()})
    WANT.update(self="<Klass at 0x%x>" % id(self), escapes="'\\t\\x1b[31m\\x00\\\\'")

    def inner(fd):
        free = b
        del free
        os.read(fd, 1)
    WANT.update(inner="<function at 0x%x>" % id(inner))
    inner(os.pipe()[0])


def shown(fd):
    """Values that are cut, nested or hostile; SHOWN says how krait writes them."""
    SHOWN.update(bits="<int of about %d bits>" % (30 * ((1000 // 30) + 1)), far="'%s'... 67108784 more" % ("x" * 80),
                 lone="'\\udc80\\u202e'", quote="'it\\'s'", itself="[1, [1, <list of 2>]]",
                 many="[0, 1, 2, 3, 4, 5, 6, 7, ... 92 more]", colour="Colour(3)", point="Point(1, 2)",
                 sub="Text('sub')", items="Items([1])", ordered="collections.OrderedDict({'a': 1})",
                 error="ValueError('bad', 1)", kind="<class 'Klass'>", dots="Ellipsis", none="set()",
                 frozen="frozenset({1})", bytes_="b'%s'... 20 more" % ("z" * 80),
                 deep="[[<list of 1>]]")
    bits, far, lone, quote, itself = 1 << 1000, "x" * (1 << 26), "\udc80\u202e", "it's", [1]
    itself.append(itself)
    many, colour, point, sub, items = list(range(100)), Colour.RED, Point(1, 2), Text("sub"), Items([1])
    ordered, error, kind = collections.OrderedDict(a=1), ValueError("bad", 1), Klass
    dots, none, frozen, bytes_, deep = ..., set(), frozenset([1]), b"z" * 100, [[[[1]]]]
    os.read(fd, 1)


def steps(fd):
    yield 1
    inside = "generator"
    yield os.read(fd, len(inside) - 8)


def in_steps(fd):
    for step in steps(fd):
        pass


def counts():
    n = 0
    word = "even"
    while True:
        n += 1
        word = "odd" if n % 2 else "even"


def locals_():
    fd = os.pipe()[0]
    body = Klass.__new__(Klass)
    start("variables", variables, body, "one", "two", b"3", 4.5, kw={"k": 1}, x=9)
    start("shown", shown, fd)
    start("steps", in_steps, fd)
    while not (WANT.get("inner") and SHOWN):
        time.sleep(0.01)
    time.sleep(0.3)  # until all wait
    start("counts", counts)
    ready([WANT, SHOWN])
    time.sleep(FOR_EVER)


# --- crowd --------------------------------------------------------------------------------------

def crowd(n):
    threading.stack_size(1 << 18)
    for i in range(int(n)):
        start("one of %d" % i, time.sleep, FOR_EVER)
    ready()
    time.sleep(FOR_EVER)


# --- leaderless ---------------------------------------------------------------------------------

def leaderless():
    for i in range(2):
        start("left %d" % i, time.sleep, FOR_EVER)
    ready()
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)  # exit() of this thread alone


{"locals": locals_}.get(sys.argv[1], globals().get(sys.argv[1]))(*sys.argv[2:])
