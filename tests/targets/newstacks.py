# SPDX-License-Identifier: BSD-2-Clause
# newstacks.py: sixty-four functions that call each other at random, up to thirty deep, so that
# nearly every tick finds a new stack.
import random

FUNCTION = """
def f{0}(n):
    if n:
        return functions[choose(64)](n - 1)
    return sum(range(50))
"""
functions, choose = [], random.randrange
space = {"functions": functions, "choose": choose}
exec("".join(FUNCTION.format(i) for i in range(64)), space)
functions += [space["f%d" % i] for i in range(64)]
print("READY", flush=True)
while True:
    functions[choose(64)](choose(30))
