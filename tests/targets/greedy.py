# SPDX-License-Identifier: BSD-2-Clause
# greedy.py: keeps creating functions, each of which runs for some milliseconds. All share one line
# table of 15 MB, so the program itself needs little memory.
import time
import types

TABLE = b"\x80" + bytes(15 << 20)


def compute(end, clock):
    while clock() < end:
        pass


def main():
    print("READY", flush=True)
    code = compute.__code__
    table = "co_linetable" if hasattr(code, "co_linetable") else "co_lnotab"
    name = "co_qualname" if hasattr(code, "co_qualname") else "co_name"
    for k in range(1 << 30):
        fresh = code.replace(co_firstlineno=k + 1, **{table: TABLE, name: "greedy_%d" % k})
        types.FunctionType(fresh, {})(time.monotonic() + 0.004, time.monotonic)


main()
