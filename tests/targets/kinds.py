# SPDX-License-Identifier: BSD-2-Clause
# kinds.py turns|beside|sleeps: prints READY, and runs code of known kinds:
#   turns   for ever in turn, each for some ms: bytecode() runs bytecode, sorts() the interpreter's C,
#           packs() a library's C, reads() the kernel (read), collects() the garbage collector
#   beside  collects() in the first thread, and packs() without the GIL in another one
#   sleeps  bytecode() in the first thread, rests() in another one
import gc
import os
import sys
import threading
import time
import zlib

NUMBERS = [n * 7919 % 30011 for n in range(30011)]
NOISE = os.urandom(1 << 16) * 4
KEEP = [[] for _ in range(50000)]
LIBRARY = os.path.dirname(os.__file__)
LARGEST = max((os.path.join(LIBRARY, n) for n in os.listdir(LIBRARY) if n.endswith(".py")), key=os.path.getsize)
SOURCE = open(LARGEST, "rb", buffering=0)
BUFFER = bytearray(1 << 18)


def unrolled():
    """Assignments of local variables: the interpreter's loop calls nothing for them."""
    text = "def bytecode(turns):\n    a = b = None\n    for _ in range(turns):\n"
    return text + "        a = b; b = a\n" * 500


exec(unrolled())


def sorts():
    NUMBERS.count(None)
    sorted(NUMBERS)


def packs():
    zlib.compress(NOISE)


def reads():
    for _ in range(400):
        SOURCE.seek(0)
        SOURCE.readinto(BUFFER)


def collects():
    gc.collect()


def rests():
    while True:
        time.sleep(3600)


def for_ever(run):
    while True:
        run()


def turns():
    gc.disable()
    print("READY", flush=True)
    while True:
        bytecode(2000)  # noqa: F821
        sorts()
        packs()
        reads()
        collects()


def beside():
    threading.Thread(target=for_ever, args=(packs,), daemon=True).start()
    print("READY", flush=True)
    for_ever(collects)


def sleeps():
    threading.Thread(target=rests, daemon=True).start()
    print("READY", flush=True)
    while True:
        bytecode(2000)  # noqa: F821


{"turns": turns, "beside": beside, "sleeps": sleeps}[sys.argv[1]]()
