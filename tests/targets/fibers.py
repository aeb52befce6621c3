# SPDX-License-Identifier: BSD-2-Clause
# fibers.py HELPER: the main thread and another one take turns to switch to other C stacks
# (ext/fibers.c), from functions that are named after the location of that stack.
import ctypes
import sys
import threading
import time

lib = ctypes.PyDLL(sys.argv[1])
CALLBACK = ctypes.PYFUNCTYPE(None)


def burn_python():
    end = time.perf_counter() + 0.02
    n = 0
    while time.perf_counter() < end:
        for i in range(1000):
            n += i


none = CALLBACK()
# From 3.14 on, Python checks the bounds of its thread's stack and refuses to run on another one.
python = CALLBACK(burn_python) if sys.version_info < (3, 14) else none


def in_mapped():
    return lib.fibers_burn(0, none) or lib.fibers_burn(0, python)


def in_heap():
    return lib.fibers_burn(1, none)


def in_static():
    return lib.fibers_burn(2, none) or lib.fibers_burn(2, python)


def in_signal():
    return lib.fibers_burn(3, none) or lib.fibers_burn(3, python)


def work(mine, other):
    while True:
        mine.acquire()
        for function in (in_mapped, in_heap, in_static, in_signal):
            if function():
                raise SystemExit("a stack cannot be left")
        other.release()


first, second = threading.Semaphore(1), threading.Semaphore(0)
thread = threading.Thread(target=work, args=(second, first), daemon=True)
thread.start()
print("READY", flush=True)
work(first, second)
