# SPDX-License-Identifier: BSD-2-Clause
# mutant.py HELPER TIMES: a process whose own C thread rewrites the interpreter's structures
# (frames, code objects, strings, line tables, thread state, interpreter, runtime) TIMES times,
# while it spins. It prints READY, waits for a line, prints MUTATED and the count at intervals, and
# DONE at the end. Then it only computes, and its stacks must be right again. Each round uses new
# functions, which an observer first meets while they are broken.
import ctypes
import random
import sys

ROUND = 25  # rewrites with the same functions
SAY = 20  # rounds
MODERN = sys.version_info >= (3, 11)
DEEP = 12  # frames
HEAD = object.__basicsize__  # bytes; 16, or more without the GIL and in debug builds
MORE = (HEAD - 16) // 8
# Sizes in words, of the smallest layout; the next words belong to malloc.
STATE, CODE = (40, 22) if MODERN else (24, 18)

unlocked, locked = ctypes.CDLL(sys.argv[1]), ctypes.PyDLL(sys.argv[1])
for library in (unlocked, locked):
    library.mutate.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_uint64]
ctypes.pythonapi.PyThreadState_Get.restype = ctypes.c_void_p


def word(address):
    return ctypes.c_uint64.from_address(address).value


def words(address, n):
    return [address + 8 * i for i in range(n)]


def of_frame(frame):
    """Addresses of the words of a frame, of its code object, of its names and line table."""
    code = frame.f_code
    found = words(word(id(frame) + HEAD + 8) if MODERN else id(frame), 10 if MODERN else 18)
    found += words(id(code), CODE + MORE)
    for text in {code.co_filename, getattr(code, "co_qualname", code.co_name)}:
        found += words(id(text), 7 + MORE)
    return found + words(id(code.co_linetable if MODERN else code.co_lnotab), 5 + MORE)


def of_thread():
    """Addresses of words of the thread state, of structures that it points to, and of the runtime
    if its symbol is found."""
    state = ctypes.pythonapi.PyThreadState_Get()
    found = words(state, STATE) + words(word(state + 16), 16)
    if (3, 11) <= sys.version_info < (3, 13):
        found += words(word(state + 56), 3) * 4
    try:
        runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    except ValueError:
        return found
    return found + random.sample(words(runtime, 280), 40)


def break_it(k):
    frame, found = sys._getframe(), []
    for _ in range(DEEP):
        if frame is not None:
            found += of_frame(frame)
            frame = frame.f_back
    found += of_thread()
    array = (ctypes.c_uint64 * len(found))(*found)
    run = (unlocked if k % 2 else locked).mutate
    if run(array, len(found), ROUND, random.getrandbits(64)):
        raise RuntimeError("mutate")


SOURCE = """def leaf_%(k)d(k):
    break_it(k)

def steps_%(k)d(k):
    yield leaf_%(k)d(k)

def again_%(k)d(n, k):
    return again_%(k)d(n - 1, k) if n else list(steps_%(k)d(k))
"""


def calm():
    while True:
        sum(range(1000))


def main(times):
    random.seed(7)
    print("READY", flush=True)
    sys.stdin.readline()
    for k in range(times // ROUND):
        space = {"break_it": break_it}
        exec(compile(SOURCE % {"k": k}, "/mutant/%d.py" % k, "exec"), space)
        space["again_%d" % k](3, k)
        if (k + 1) % SAY == 0:
            print("MUTATED %d" % ((k + 1) * ROUND), flush=True)
    print("DONE %d" % (times // ROUND * ROUND), flush=True)
    calm()


main(int(sys.argv[2]))
