#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The unwind rows that user/native compiles from real files say the same as readelf: at the first
and the last byte of each row of each function. With TRUTH=1 also of large libraries."""

import bisect
import glob
import os
import re
import subprocess

import lib

WORD = r"(\w+)([+-]\d+)$"
SPECIAL = ("signal", "plt11", "plt10", "complex")

# DWARF's numbers, and the registers' columns in readelf's output.
X86 = {"number": {n: i for i, n in enumerate("rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 "
                                             "r14 r15".split())},
       "fp": "rbp", "sp": "rsp", "ra": "ra"}
A64 = {"number": {"sp": 31, **{f"x{i}": i for i in range(31)}}, "fp": "x29", "sp": "sp", "ra": "ra"}


# --- files --------------------------------------------------------------------------------------

def sysroot():
    r = subprocess.run([f"{lib.TESTS}/sysroot.sh", "arm64"], capture_output=True, text=True)
    if r.returncode:
        raise lib.Skip(r.stderr.strip())
    return r.stdout.strip()


def libraries(*patterns):
    found = [os.path.realpath(x) for pattern in patterns for x in sorted(glob.glob(pattern))]
    if not found:
        raise lib.Skip(f"no {' or '.join(patterns)}")
    return found[0]


def local(name):
    return libraries(f"/usr/lib/{os.uname().machine}-linux-gnu/{name}", f"/usr/lib64/{name}",
                     f"/lib/{os.uname().machine}-linux-gnu/{name}")


def files():
    """(name, function that returns its path)"""
    yield "libc", lambda: local("libc.so.6")
    yield "libz", lambda: local("libz.so.1")
    yield "python3", lambda: os.path.realpath("/usr/bin/python3")
    yield "aarch64 libc", lambda: libraries(f"{sysroot()}/usr/lib/aarch64-linux-gnu/libc.so.6")
    if lib.TRUTH:
        numpy = os.path.join(os.path.expanduser("~"), ".cache/krait/pip/*/numpy/numpy.libs")
        yield "libcrypto", lambda: local("libcrypto.so.3")
        yield "libstdc++", lambda: local("libstdc++.so.6")
        yield "OpenBLAS", lambda: libraries(f"{numpy}/lib*openblas*")
        yield "aarch64 libcrypto", lambda: libraries(f"{sysroot()}/usr/lib/aarch64-linux-gnu/"
                                                     "libcrypto.so.3")


# --- readelf ------------------------------------------------------------------------------------

def is_a64(path):
    with open(path, "rb") as f:
        return f.read(20)[18:] == b"\xb7\0"


def functions(path):
    """[(end of a function, [(first address, CFA, {register: place})])], as readelf says."""
    run = subprocess.run(["readelf", "--debug-dump=frames-interp", "-W", path],  # status 1: warnings
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found, columns, rows = [], [], None
    for line in run.stdout.splitlines():
        m = re.search(r" (FDE|CIE) (?:.*pc=\w+\.\.(\w+))?", line)
        if m:
            rows = []
            if m[2]:
                found.append((int(m[2], 16), rows))
        elif line.startswith("   LOC"):
            columns = line.split()[2:]
        elif rows is not None and re.match(r"[0-9a-f]{16} ", line):
            word = re.sub(r"\b(\w+) \(\w+\)", r"\1", line).split()  # "r9 (r9)": in a register
            rows.append((int(word[0], 16), word[1], dict(zip(columns, word[2:]))))
    return found


def place(text):
    """The place of a register in our words; None: one that is not followed."""
    if text in (None, "s", "u"):  # unspecified is the same
        return "same"
    return str(int(text[1:])) if text[0] == "c" else None


def agrees(got, cfa, registers, machine):
    """Does our rule say what readelf's row says?"""
    if got == "signal":
        return True
    if registers.get(machine["ra"]) == "u" and (machine is X86 or got == "outermost"):
        return got == "outermost"
    fp, ra = place(registers.get(machine["fp"])), place(registers.get(machine["ra"]))
    m = re.match(WORD, cfa)
    if not m or not ra or place(registers.get(machine["sp"])) != "same":
        return got in SPECIAL or got.startswith("cfa=*(")
    want = f"cfa={machine['number'].get(m[1])}{m[2]} fp={fp} ra={ra}"
    return (re.sub(r"fp=(lost|at-fp)", "fp=None", got) if fp is None else got) == want


# --- ours ---------------------------------------------------------------------------------------

def ours(path):
    """(addresses, rules)"""
    out = subprocess.run([lib.tool("unwindrows"), path], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    rows = [line.split(" ", 1) for line in out.splitlines()]
    return [int(a, 16) for a, _ in rows], [rule for _, rule in rows]


def check(t, name, path):
    addresses, rules = ours(path)
    machine = A64 if is_a64(path) else X86
    compared, odd, wrong = 0, 0, []
    for end, rows in functions(path):
        ends = [r[0] for r in rows[1:]] + [end]
        for (start, cfa, registers), stop in zip(rows, ends):
            for at in {start, stop - 1} if stop > start else ():
                got = rules[bisect.bisect_right(addresses, at) - 1]
                compared += 1
                odd += got in SPECIAL
                if not agrees(got, cfa, registers, machine):
                    wrong.append(f"{at:x}: {got}, readelf: {cfa} {registers}")
    t.ok(compared > 1000 and not wrong, f"{name}: rows equal readelf's",
         f"{len(wrong)} of {compared}\n" + "\n".join(wrong[:10]))
    t.ok(odd < compared / 100, f"{name}: nearly all are simple", f"{odd} of {compared}")
    t.note(f"{name}: {compared} compared, {odd} of them by special rules")


def main():
    t = lib.Tap()
    for name, find in files():
        with t.guard(f"{name}: rows equal readelf's"):
            check(t, name, find())
    t.done()


main()
