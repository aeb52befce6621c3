# SPDX-License-Identifier: BSD-2-Clause
# Two functions that each spend their time on a known line: one in C code, one in bytecode.
BASE, POWER, MOD = 3 ** 400, 2 ** 300 + 1, 2 ** 521 - 1


def in_c(n):
    total = 0
    for i in range(n):
        a = i + 1
        total += pow(BASE, POWER, MOD)  # HOT in_c
        b = a + 1
    return total + b


def in_bytecode(n):
    s = n
    for i in range(20000): s = (s * 3 + i) & 1023  # HOT in_bytecode
    return s


def main():
    while True:
        in_c(5)
        in_bytecode(3)


print("READY", flush=True)
main()
