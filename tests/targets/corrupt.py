# SPDX-License-Identifier: BSD-2-Clause
# corrupt.py CASE HELPER: repeatedly corrupts its own interpreter's memory for a tenth of a second,
# while it spins in C code, and repairs it. It waits for a line before it begins, so that the
# corrupted objects are new to an observer.
import ctypes
import sys

helper = ctypes.CDLL(sys.argv[2])
helper.spin_with.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_double]
MODERN = sys.version_info >= (3, 11)
HEAD = object.__basicsize__  # 16, or more without the GIL and in debug builds
LENGTH = HEAD  # of a str or bytes object, after the object's head
BACK, CODE = HEAD + 8, HEAD + 16
if MODERN:
    BACK, CODE = (48, 32) if sys.version_info < (3, 12) else (8, 0)


def record_of(frame):
    """The address of the structure with this frame's link to its caller."""
    if MODERN:
        return ctypes.c_uint64.from_address(id(frame) + HEAD + 8).value
    return id(frame)


def name_of(code):
    return id(code.co_qualname if hasattr(code, "co_qualname") else code.co_name)


def line_table(code):
    return id(code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab)


def place(case, frame):
    """(address, value) of a corruption, for the frame that spins."""
    mine, caller = record_of(frame), record_of(frame.f_back)
    huge = 1 << 62
    return {
        "self": (mine + BACK, mine),
        "cycle": (caller + BACK, mine),
        "unmapped": (mine + BACK, 0xdeadbeef000),
        "unaligned": (mine + BACK, mine + 3),
        "noncanonical": (mine + BACK, 0x4141414141414141),
        "kernel": (mine + BACK, 0xffff888000001000),
        "text": (mine + BACK, ctypes.cast(helper.spin, ctypes.c_void_p).value & ~15),
        "heap": (mine + BACK, id(huge) & ~15),
        "code": (mine + CODE, 0xdeadbeef000),
        "codetype": (mine + CODE, id(case)),
        "name": (name_of(frame.f_code) + LENGTH, huge),
        "negative": (name_of(frame.f_code) + LENGTH, (1 << 64) - 8),
        "kind": (name_of(frame.f_code) + HEAD + 16, 0xffffffff),
        "file": (id(frame.f_code.co_filename) + LENGTH, huge),
        "lines": (line_table(frame.f_code) + LENGTH, huge),
        "size": (id(frame.f_code) + LENGTH, huge),
    }[case]


SOURCE = """def broken_%d(case):
    at, value = place(case, sys._getframe())
    spin_with(at, value, 0.1)
"""


def main(case):
    space = {"sys": sys, "place": place, "spin_with": helper.spin_with}
    print("READY", flush=True)
    sys.stdin.readline()
    for k in range(1 << 30):
        exec(compile(SOURCE % k, "/broken/%d.py" % k, "exec"), space)
        space["broken_%d" % k](case)


main(sys.argv[1])
