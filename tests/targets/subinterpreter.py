# SPDX-License-Identifier: BSD-2-Clause
# subinterpreter.py KIND: a thread runs code in a sub-interpreter, which (except for _testcapi) runs
# code in a third one, while the main thread computes in its own. Prints READY absent if there is no
# module KIND. Both threads sleep between computations: some versions request the GIL only from
# threads of the same interpreter, and with sleep(0) a thread gets the GIL back before the other one
# is awake.
import importlib
import sys
import threading
import time

KIND = sys.argv[1]  # _interpreters, _xxsubinterpreters, _testcapi
INSIDE = """
import time

def sub_compute(n):
    s = 0
    for i in range(n):
        s += i
    return s

def sub_hot():
    while True:
        sub_compute(50000)
        time.sleep(0.001)

print("READY", flush=True)
sub_hot()
"""
BETWEEN = """
def between():
    import {0}
    {0}.run_string({0}.create(), {1!r})

between()
"""


def run_inside():
    module = importlib.import_module(KIND)
    if KIND == "_testcapi":
        module.run_in_subinterp(INSIDE)
    else:
        module.run_string(module.create(), BETWEEN.format(KIND, INSIDE))


def main_compute(n):
    s = 0
    for i in range(n):
        s += i
    return s


def main_hot():
    while True:
        main_compute(50000)
        time.sleep(0.001)


try:
    importlib.import_module(KIND)
except ImportError:
    print("READY absent", flush=True)
    sys.exit()
t = threading.Thread(target=run_inside)
t.daemon = True
t.start()
main_hot()
