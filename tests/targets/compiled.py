# SPDX-License-Identifier: BSD-2-Clause
# compiled.py DIRECTORY [last]: runs the module of ext/compiled.c, which lies there, in two threads: in
# one it is called from Python code, in the other it is the thread's function itself. last: in the first
# thread alone, when the interpreter ends: no Python code calls it then.
import _thread
import atexit
import sys

sys.path.insert(0, sys.argv[1])
import compiled  # noqa: E402


def back():
    s = 0
    for i in range(20000):
        s += i  # HOT back


def main():
    compiled.run(back)  # HOT main


if sys.argv[2:] == ["last"]:
    atexit.register(compiled.run, back)
    print("READY", flush=True)
else:
    _thread.start_new_thread(compiled.run, (back,))
    print("READY", flush=True)
    main()  # HOT module
