# SPDX-License-Identifier: BSD-2-Clause
"""Runs under any CPython 3.6+ and dumps the line information of its standard library: for each code
object the line table, and the line of each instruction according to the interpreter. lines_check
reads the stream.

    python - EVERY TESTS SEED < dump_lines.py     (by stdin, so that it also works in a chroot)

EVERY: take only each EVERYth file. TESTS: 1 includes the library's test suites. SEED: for the
random tables that follow the library; the format allows them, but no compiler emits them.

Record, native byte order: "KLT1", u32 format, i32 first line, u32 table length, u32 instructions,
u32 name length, i32 line before the first instruction, i32 line after the last one, table, i32 line
of each instruction, name. A line of -1 means no line. "KEND" ends the stream.
"""
import array
import dis
import os
import random
import struct
import sys
import types
import warnings

LNOTAB, RANGES, LOCATIONS = 0, 1, 2
FORMAT = (LNOTAB if sys.version_info < (3, 10) else RANGES if sys.version_info < (3, 11) else
          LOCATIONS)
NO_LINE = -1
NOT_STDLIB = {"site-packages", "dist-packages", "__pycache__"}
SUITES = {"test", "tests", "idle_test"}


def interpreter_decoder():
    """The C function that the interpreter uses for tracebacks; None without ctypes, and for debug
    builds of 3.10+, which abort when asked for an offset outside of the code."""
    if FORMAT != LNOTAB and hasattr(sys, "gettotalrefcount"):
        return None
    try:
        import ctypes
        fn = ctypes.pythonapi.PyCode_Addr2Line
        fn.argtypes, fn.restype = [ctypes.py_object, ctypes.c_int], ctypes.c_int
        return fn
    except (ImportError, AttributeError, OSError):
        return None


ADDR2LINE = interpreter_decoder()


def table_of(code):
    return code.co_lnotab if FORMAT == LNOTAB else code.co_linetable


def ranges_of(code):
    """[(start, end, line or None)] in bytes; findlinestarts gives only the starts."""
    if FORMAT != LNOTAB:
        return [r for r in code.co_lines()]
    starts = list(dis.findlinestarts(code))
    ends = [start for start, _ in starts[1:]] + [len(code.co_code)]
    return [(start, end, line) for (start, line), end in zip(starts, ends)]


def expected(code):
    """The line of each instruction (2 bytes)."""
    count = len(code.co_code) // 2
    lines = array.array("i", [NO_LINE]) * count
    for start, end, line in ranges_of(code):
        start, end = (start + 1) // 2, min((end + 1) // 2, count)
        if start < end:
            lines[start:end] = array.array("i", [NO_LINE if line is None else line]) * (end - start)
    return lines


def outside(code, lines):
    """The lines before the first and after the last instruction."""
    if ADDR2LINE:
        return ADDR2LINE(code, -1), ADDR2LINE(code, len(code.co_code))
    last = lines[-1] if FORMAT == LNOTAB and lines else NO_LINE
    return code.co_firstlineno, last


def write_record(out, name, code):
    table, lines = table_of(code), expected(code)
    before, after = outside(code, lines)
    name = name.encode("utf-8", "replace")
    out.write(struct.pack("=4sIiIIIii", b"KLT1", FORMAT, code.co_firstlineno, len(table),
                          len(lines), len(name), before, after))
    out.write(table)
    out.write(lines.tobytes())
    out.write(name)


def code_objects(code):
    todo = [code]
    while todo:
        code = todo.pop()
        yield code
        todo.extend(c for c in code.co_consts if isinstance(c, types.CodeType))


def stdlib_files(tests):
    root = os.path.dirname(os.__file__)
    skip = NOT_STDLIB if tests else NOT_STDLIB | SUITES
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(d for d in folders if d not in skip)
        for name in sorted(files):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def compiled(path):
    try:
        with open(path, "rb") as f:
            return compile(f.read(), path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError, OSError):
        return None  # some files of the test suites are invalid on purpose


def dump_stdlib(out, every, tests):
    for i, path in enumerate(stdlib_files(tests)):
        code = compiled(path) if i % every == 0 else None
        for c in code_objects(code) if code else ():
            write_record(out, "%s:%s:%d" % (path, c.co_name, c.co_firstlineno), c)


# Random tables: valid in the format, but rarely emitted by compilers.

def random_delta(rng):
    return rng.choice((0, 0, 1, 1, 2, 3, -1, -2, rng.randint(-127, 127)))


def random_pairs(rng, size):
    """A table for `size` bytes of code; only the format of 3.10 can say "no line" (-128)."""
    table, covered = bytearray(), 0
    while covered < size:
        step = min(rng.choice((0, 2, 2, 4, 6, rng.randint(0, 255))), size - covered)
        delta = -128 if FORMAT == RANGES and rng.random() < 0.2 else random_delta(rng)
        table += bytes((step, delta & 0xff))
        covered += step
    return bytes(table)


def varint(value):
    out = bytearray()
    while value >= 64:
        out.append(0x40 | (value & 63))
        value >>= 6
    out.append(value)
    return bytes(out)


def svarint(value):
    return varint(-value << 1 | 1 if value < 0 else value << 1)


def random_locations(rng, size):
    table, units = bytearray(), 0
    while units < size // 2:
        length = min(rng.randint(1, 8), size // 2 - units)
        kind = rng.randint(0, 15)
        delta = random_delta(rng) * rng.choice((1, 1, 100, 5000))
        payload = (bytes((rng.randint(0, 127),)) if kind < 10 else
                   bytes((rng.randint(0, 127), rng.randint(0, 127))) if kind < 13 else
                   svarint(delta) if kind == 13 else
                   svarint(delta) + varint(rng.randint(0, 300)) + varint(rng.randint(0, 300)) +
                   varint(rng.randint(0, 300)) if kind == 14 else b"")
        table += bytes((0x80 | kind << 3 | length - 1,)) + payload
        units += length
    return bytes(table)


def with_table(code, first, table):
    if sys.version_info >= (3, 10):
        return code.replace(co_firstlineno=first, co_linetable=table)
    if sys.version_info >= (3, 8):
        return code.replace(co_firstlineno=first, co_lnotab=table)
    return types.CodeType(code.co_argcount, code.co_kwonlyargcount, code.co_nlocals,
                          code.co_stacksize, code.co_flags, code.co_code, code.co_consts,
                          code.co_names, code.co_varnames, code.co_filename, code.co_name, first,
                          table, code.co_freevars, code.co_cellvars)


def dump_random(out, seed, count):
    rng = random.Random(seed)
    make = random_locations if FORMAT == LOCATIONS else random_pairs
    for i in range(count):
        code = compile("x = a + b\n" * rng.randint(1, 200), "<random>", "exec")
        # A large first line keeps lines positive: versions differ in how they treat negative ones.
        code = with_table(code, 10**9, make(rng, len(code.co_code)))
        write_record(out, "random table %d of seed %d" % (i, seed), code)


def main():
    every, tests, seed = (int(a) for a in sys.argv[1:4])
    warnings.simplefilter("ignore")
    out = sys.stdout.buffer
    dump_stdlib(out, every, tests)
    dump_random(out, seed, 500)
    out.write(b"KEND")
    out.flush()


if __name__ == "__main__":
    main()
