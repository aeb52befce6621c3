# SPDX-License-Identifier: BSD-2-Clause
"""Prints vectors.h: for each given Python, code objects whose tables use special features of its
format (negative steps, steps that need several entries, instructions without a line), and the lines
of their instructions according to this Python.

    python3 tests/lines/make_vectors.py python3.6 python3.10 ... >tests/lines/vectors.h
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dump_lines  # noqa: E402

HEAD = """\
/* SPDX-License-Identifier: BSD-2-Clause */
/* Made by make_vectors.py: line tables of real interpreters, and the lines that they mean. */
#ifndef KRAIT_LINE_VECTORS_H
#define KRAIT_LINE_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "py/linetable.h"

struct line_vector {
	const char *name;
	enum linetable_format format;
	int first;
	size_t len;
	uint8_t table[256];
	struct {
		int count; /* of instructions; 0 ends the list */
		int line;
	} runs[32];
};

static const struct line_vector line_vectors[] = {"""

CASES = (
    # a call over several lines: the lines increase, and then decrease
    ("multi_line_call", 7, "f(1,\n  g(2),\n\n  h(3)\n)\nx = 1\n"),
    # from 3.11 on: clean-up code has no line, and the end of the with has its first line
    ("with_in_loop", 1, "def f(a):\n  for i in a:\n    with i:\n      if i:\n        break\n"
                        "  else:\n    return lambda: a\n  return 2\n"),
    # line steps beyond a signed byte, in both directions
    ("far_lines", 1, "x = (a +" + "\n" * 300 + "b)\ny = c" + "\n" * 130 +
     "z = [\n" + "\n" * 200 + "d, e]\n"),
    # one line whose code is longer than a one-byte entry can cover
    ("long_line", 40, "x = [" + "a + b, " * 70 + "]\ny = 2\n"),
)
# A location entry covers at most 8 units anyway, so this case would only be large.
NOT_LOCATIONS = {"long_line"}
FORMATS = ("LINETABLE_LNOTAB", "LINETABLE_RANGES", "LINETABLE_LOCATIONS")


def code_of(source, first):
    code = compile("\n" * (first - 1) + source, "<vector>", "exec")
    inner = [c for c in code.co_consts if hasattr(c, "co_code")]
    return inner[0] if inner else code


def runs(lines):
    """[(number of instructions, line)]"""
    out = []
    for line in lines:
        if out and out[-1][1] == line:
            out[-1][0] += 1
        else:
            out.append([1, line])
    return out


def row(label, name, code):
    table = dump_lines.table_of(code)
    return '{ "%s %s", %s, %d, %d, { %s }, { %s } },' % (
        label, name, FORMATS[dump_lines.FORMAT], code.co_firstlineno, len(table),
        ", ".join("%d" % b for b in table),
        ", ".join("{ %d, %d }" % tuple(r) for r in runs(dump_lines.expected(code))))


def rows():
    label = "%d.%d" % sys.version_info[:2]
    if "no_debug_ranges" in sys._xoptions:
        label += " no columns"
    for name, first, source in CASES:
        if dump_lines.FORMAT != dump_lines.LOCATIONS or name not in NOT_LOCATIONS:
            print(row(label, name, code_of(source, first)))


def main():
    print(HEAD)
    for python in sys.argv[1:]:
        for options in ([], ["-X", "no_debug_ranges"]):
            version = subprocess.check_output([python, "-V"]).decode().split()[1].split(".")
            if not options or int(version[1]) >= 11:
                argv = [python, "-B"] + options + [os.path.abspath(__file__), "--rows"]
                sys.stdout.write(subprocess.check_output(argv).decode())
    print("};\n\n#endif")


if sys.argv[1:] == ["--rows"]:
    rows()
else:
    main()
