# SPDX-License-Identifier: BSD-2-Clause
# Prints STARTED, waits for a byte, and stops itself in a deep stack, right after it has printed its
# stacks: a line "READY {...}" with thread name -> [pthread_self(), [[code object, line, name,
# file], ...]], leaf first. One thread sleeps without the GIL, the other one holds it.
import _thread
import json
import os
import signal
import sys
import time

ODD = """def %s(go):
    value = next_call(go)
    return value
"""
LATIN, TWO, FOUR = "f\u00f6hn", "\u6f22\u5b57", "\U00010400\U00010428"
DEPTH = 40


def stack(frame):
    frames = []
    while frame:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        frames.append([id(code), frame.f_lineno, name, code.co_filename])
        frame = frame.f_back
    return frames


def tell(frame):
    me = _thread.get_ident()
    stacks = {"main": [me, stack(frame)]}
    for thread, top in sys._current_frames().items():
        if thread != me:
            stacks["sleeper"] = [thread, stack(top)]
    os.write(1, b"READY " + json.dumps(stacks).encode() + b"\n")


# --- the sleeper --------------------------------------------------------------------------------

def nap():
    time.sleep(3600)


def sleeper():
    nap()


def start_sleeper():
    _thread.start_new_thread(sleeper, ())  # without frames of threading.py, whose path differs
    os.write(1, b"STARTED\n")
    os.read(0, 1)  # the recorder sends it when it sees the thread sleep


# --- the deep stack -----------------------------------------------------------------------------

def stop(go):
    if go:
        tell(sys._getframe()); os.kill(os.getpid(), signal.SIGSTOP)  # noqa: E702, one line


def recurse(n, go):
    if n:
        return recurse(n - 1, go)
    return stop(go)


def generate(go):
    yield recurse(DEPTH, go)


def delegate(go):
    yield from generate(go)


class Box:
    def __init__(self, go):
        self.value = [next(delegate(go)) for _ in range(1)]

    @staticmethod
    def make(go):
        return Box(go)


async def inner(go):
    return Box.make(go)


async def outer(go):
    return await inner(go)


def run(go):
    try:
        outer(go).send(None)
    except StopIteration as end:
        return end.value


def odd(name, path, next_call):
    space = {"next_call": next_call}
    exec(compile(ODD % name, path, "exec"), space)
    return space[name]


def main():
    four = odd(FOUR, "/tmp/krait-image/\U0001f600.py", run)
    two = odd(TWO, "/tmp/krait-image/\u6587\u4ef6.py", lambda go: list(map(four, [go]))[0])
    latin = odd(LATIN, "/tmp/krait-image/na\u00efve.py", two)
    for _ in range(100):
        latin(False)  # until all instructions are specialized
    start_sleeper()
    latin(True)


main()
