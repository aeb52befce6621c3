# SPDX-License-Identifier: BSD-2-Clause
# compiled.py DIRECTORY: runs the module of ext/compiled.c, which lies there, in two threads: in one
# it is called from Python code, in the other it is the thread's function itself.
import _thread
import sys

sys.path.insert(0, sys.argv[1])
import compiled  # noqa: E402


def back():
    s = 0
    for i in range(20000):
        s += i  # HOT back


def main():
    compiled.run(back)  # HOT main


_thread.start_new_thread(compiled.run, (back,))
print("READY", flush=True)
main()
