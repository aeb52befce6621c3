#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The matrix of interpreters and kernels: a cell is the accuracy tests in reduced form
(vm/cell.py), or a whole test (vm/whole.py). Prints a table in Markdown and writes it to
tests/MATRIX.md.

    KERNELS="host 6.1"   only these columns ("host" and names of tests/vm/kernels); the table is
                         incomplete, so it is written to $OUTPUT/matrix.md

The exit status is 0 if no cell FAILED."""

import contextlib
import os
import platform
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "vm"), os.path.join(HERE, "e2e")]
import column  # noqa: E402
import foreign  # noqa: E402
import interpreters  # noqa: E402
import lib  # noqa: E402
import vm  # noqa: E402
import ways  # noqa: E402
import whole  # noqa: E402


KEPT = os.path.join(HERE, "MATRIX.md")
PART = os.path.join(lib.OUTPUT, "matrix.md")
DOCUMENT = """\
# Where krait has been run

<!-- Written by `sudo make matrix`. Do not edit it. -->

Each row is an interpreter and each column a kernel. The same static binary runs on all of them: on the
kernel of the machine that made this table, and on Debian kernels that QEMU boots (`tests/vm/kernels`).

| cell | |
|---|---|
| ok | every check of the cell holds |
| FAILED | at least one check does not hold; the number leads to the reason below the table |
| skip | the cell was not run, for the reason of that number |

A cell is the accuracy tests in reduced form. It checks that no stack is one that the program cannot have,
that lines are right, that at most 1 % of the samples carry a marker, that krait itself loses nothing, that
samples equal CPU time, that filters work, and that `krait doctor` and `krait list` tell the truth. Two rows
are tests of their own and run the dynamically linked binary: `t_two` (two interpreters in a process) and
`t_modwsgi`. Replaced and stripped executables are tested on the host only (`t_replaced`, `t_stripped`).

A guest has an emulated CPU: ticks come late, or several as one, and krait counts the missing ones as not
delivered. In a guest a program therefore never has more samples than its CPU time allows, and lacks at most
as many as were not delivered. The arm64 guest also runs interpreters of other Debian suites and of other
builders, unpacked for aarch64.

{table}"""

# Rows with a test of their own.
TESTS = (("two interpreters in a process", "t_two.py"), ("mod_wsgi in Apache", "t_modwsgi.py"))


def chosen():
    kernels = [column.HOST, *vm.kernels()]
    wanted = os.environ.get("KERNELS", "").split() or [k.name for k in kernels]
    unknown = set(wanted) - {k.name for k in kernels}
    if unknown:
        raise SystemExit(f"matrix: no kernel {' '.join(sorted(unknown))} in tests/vm/kernels")
    return [k for k in kernels if k.name in wanted]


def title(kernel):
    if kernel is column.HOST:
        return f"{platform.release()} (host)"
    try:
        version = vm.version(kernel)
    except vm.Unavailable:
        version = kernel.name
    return version if kernel.root == "host" else f"{version} ({kernel.root}'s own root)"


class Table:
    """Cells and numbered reasons."""

    def __init__(self):
        self.cells, self.reasons, self.notes = {}, [], []

    def reason(self, text):
        text = " ".join(text.split())
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text) + 1

    def put(self, row, kernel, word, why=None):
        self.cells[row, kernel.name] = word if why is None else f"{word} ({self.reason(why)})"

    @contextlib.contextmanager
    def attempt(self, kernel, rows):
        """If the code inside cannot run, or breaks, all these rows are marked as skip or FAILED."""
        try:
            yield
        except vm.Unavailable as e:
            word, why = "skip", str(e)
        except (column.Broken, vm.Failed) as e:
            word, why = "FAILED", "..." + str(e)[-400:]  # the cause is at the end
        else:
            return
        for row in rows:
            self.put(row, kernel, word, why)

    def judge(self, row, kernel, wrong):
        """Marks a row as ok, or as FAILED with `wrong`: [(what, details)] of failed checks."""
        for what, details in wrong:
            print(f"{kernel.name} [{row}] {what}: {details}", file=sys.stderr)
        if wrong:
            self.put(row, kernel, "FAILED", "; ".join(what for what, _ in wrong))
        else:
            self.put(row, kernel, "ok")

    def fill(self, kernel, rows, labels):
        """Runs a column; if it cannot run at all, the rows of these labels get the reason."""
        with self.attempt(kernel, labels):
            found = column.measure(kernel, rows)
            for row, checks in found.rows.items():
                self.judge(row, kernel, column.faults(checks))
            self.notes.append(f"{title(kernel)}: {100 * found.late:.1f} % of the ticks not delivered")

    def test(self, kernel, row, script):
        """Runs a whole test; the cell is a skip only if all its checks are."""
        with self.attempt(kernel, [row]):
            results = whole.run(kernel, script)
            if all(r.skip for r in results):
                raise vm.Unavailable(results[0].skip)
            self.judge(row, kernel, [(r.what, r.details) for r in results if not r.good])

    def failed(self):
        return any(c.startswith("FAILED") for c in self.cells.values())

    def text(self, kernels, labels):
        rows = list(dict.fromkeys([*labels, *(row for row, _ in self.cells)]))
        lines = ["| CPython | " + " | ".join(map(title, kernels)) + " |",
                 "|---" * (1 + len(kernels)) + "|"]
        for row in rows:
            cells = [self.cells.get((row, k.name)) or
                     f"skip ({self.reason('not in that root')})" for k in kernels]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        lines += [""] + [f"{n}. {text}" for n, text in enumerate(self.reasons, 1)]
        return "\n".join(lines) + "\n"


def others(table, kernel):
    """The interpreters that a guest of a foreign architecture runs besides its root's."""
    if kernel.arch == "amd64":
        return ()
    found, absent = foreign.of(kernel.arch)
    for what, why in absent:
        table.put(what, kernel, "skip", why)
    return found


def keep(text):
    """Writes the document; an incomplete table does not replace tests/MATRIX.md."""
    path = PART if os.environ.get("KERNELS") else KEPT
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(DOCUMENT.format(table=text))
    print(f"matrix: written to {path}", file=sys.stderr)


def main():
    if os.geteuid() != 0:
        raise SystemExit("matrix: recording needs root")
    kernels, table = chosen(), Table()
    found = interpreters.all() + ways.all()
    labels = [i.label for i in found]
    for kernel in kernels:
        print(f"matrix: {title(kernel)}", file=sys.stderr)
        if kernel.root != "host":
            table.fill(kernel, others(table, kernel), labels)
            continue
        table.fill(kernel, found, labels)
        for row, script in TESTS:
            table.test(kernel, row, script)
    for what, why in interpreters.absent() + ways.absent():
        for kernel in kernels:
            table.put(what, kernel, "skip", why)
    text = table.text(kernels, labels)
    for note in table.notes:
        print("matrix: " + note, file=sys.stderr)
    keep(text)
    print(text, end="")
    return table.failed()


if __name__ == "__main__":
    sys.exit(main())
