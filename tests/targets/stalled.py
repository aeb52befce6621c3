# SPDX-License-Identifier: BSD-2-Clause
# stalled.py BACKING FILE [computes]: two threads. One sleeps (or computes) in a function whose name
# lies in a mapping of FILE, a file with the content of BACKING, and is not in memory; the other one
# sleeps in other(). Prints READY and both thread ids and the address of the mapping. For each line
# of input it maps memory.
import ctypes
import mmap
import os
import sys
import threading
import time

GETTID = {"x86_64": 186, "aarch64": 178}[os.uname().machine]
REFCOUNT = object.__basicsize__ - 2 * ctypes.sizeof(ctypes.c_void_p)
computes = len(sys.argv) > 3
tids = []
ready = threading.Barrier(2)


def announce():
    tids.append(ctypes.CDLL(None).syscall(GETTID))
    ready.wait()


def held():
    while computes:
        pass
    time.sleep(1e6)


def other():
    time.sleep(1e6)


def begin(function):
    announce()
    function()


def write_name():
    """Writes a string object to BACKING, with a reference count that prevents freeing."""
    name = ctypes.create_string_buffer(ctypes.string_at(id("held_away"), sys.getsizeof("held_away")), mmap.PAGESIZE)
    ctypes.c_ssize_t.from_address(ctypes.addressof(name) + REFCOUNT).value += 1000000
    with open(sys.argv[1], "r+b") as f:
        f.write(name.raw)


def is_resident(at):
    byte = ctypes.create_string_buffer(1)
    if ctypes.CDLL(None).mincore(ctypes.c_void_p(at), ctypes.c_size_t(mmap.PAGESIZE), byte):
        raise OSError("mincore")
    return byte.raw[0] & 1


def put_name_away():
    """Uses the string in the file as the function's name, and evicts its page: first the private
    copy that the interpreter has written to, and then the page cache."""
    with open(sys.argv[2], "rb") as f:
        m = mmap.mmap(f.fileno(), mmap.PAGESIZE, access=mmap.ACCESS_COPY)
        at = ctypes.addressof(ctypes.c_char.from_buffer(m))
        held.__code__ = held.__code__.replace(co_name=ctypes.cast(at, ctypes.py_object).value)
        while is_resident(at):  # eviction is only advice to the kernel
            m.madvise(mmap.MADV_DONTNEED)
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            time.sleep(0.001)
    return m


write_name()
kept = put_name_away()
for what in (held, other):
    threading.Thread(target=begin, args=(what,), daemon=True).start()
    ready.wait()
print("READY", *tids, ctypes.addressof(ctypes.c_char.from_buffer(kept)), flush=True)
for line in sys.stdin:
    mmap.mmap(-1, mmap.PAGESIZE)
os._exit(0)
