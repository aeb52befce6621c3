# SPDX-License-Identifier: BSD-2-Clause
"""doubtful.py spin|sleep: until a line arrives, the list of interpreters is invalid, as while the
dynamic loader is at work; then it is restored. Computes all the time, or sleeps from then on. 3.7
and later."""

import ctypes
import select
import sys
import time

OFFSETS = {7: 24, 8: 32, 9: 32, 10: 32, 11: 40, 12: 40}  # of the list's head in _PyRuntime


def head():
    """The pointer to the first interpreter."""
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    known = OFFSETS.get(sys.version_info[1])
    where = known or ctypes.c_uint64.from_address(runtime + 40).value  # _Py_DebugOffsets
    return ctypes.c_uint64.from_address(runtime + where)


def spin(seconds):
    end = time.time() + seconds
    n = 0
    while time.time() < end:
        n += 1
    return n


def main():
    first = head()
    right, wrong = first.value, ctypes.create_string_buffer(b"\x7f" * 65536, 65536)
    first.value = ctypes.addressof(wrong)
    print("READY")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0)[0]:
        spin(0.01)
    first.value = right
    print("RIGHT")
    sys.stdout.flush()
    while sys.argv[1] == "spin":
        spin(0.1)
    while True:
        time.sleep(0.2)


main()
