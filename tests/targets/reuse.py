# SPDX-License-Identifier: BSD-2-Clause
# reuse.py lines|same: creates, runs and frees code objects of the same structure, so that their
# addresses are reused. Each module has a number, which is part of its file name and function names
# and, with "lines", its first line; with "same" only the names differ. The number's last digit is
# that of the line here that runs it.
import sys

BODY = """def outer_{0}(n): return inner_{0}(n)
def inner_{0}(n):
    for i in range(n): pass
outer_{0}(3000)
"""


def run(k, code, space):
    digit = k % 10
    if digit == 0:
        exec(code, space)  # digit 0
    if digit == 1:
        exec(code, space)  # digit 1
    if digit == 2:
        exec(code, space)  # digit 2
    if digit == 3:
        exec(code, space)  # digit 3
    if digit == 4:
        exec(code, space)  # digit 4
    if digit == 5:
        exec(code, space)  # digit 5
    if digit == 6:
        exec(code, space)  # digit 6
    if digit == 7:
        exec(code, space)  # digit 7
    if digit == 8:
        exec(code, space)  # digit 8
    if digit == 9:
        exec(code, space)  # digit 9


def once(k, moves):
    start = k - 1 if moves else 99
    text = "\n" * start + BODY.format("%03d" % k)
    space = {}
    run(k, compile(text, "/generated/mod_%03d.py" % k, "exec"), space)
    address = id(space["inner_%03d" % k].__code__)
    space.clear()  # breaks the reference cycle with the functions
    return address


def main(moves):
    k = 100
    seen = [once(100 + i, moves) for i in range(200)]
    print("READY %.3f" % (1 - len(set(seen)) / 200), flush=True)
    while True:
        once(k, moves)
        k = 100 + (k - 99) % 900


main(sys.argv[1] == "lines")
