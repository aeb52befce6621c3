#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Interpreters x kernels: each cell is the accuracy tests in reduced form (vm/cell.py), or a test as a
whole (vm/whole.py). Prints a table in Markdown and keeps it in $OUTPUT/matrix.md.

    KERNELS="host 6.1"   only these columns, "host" and names of tests/vm/kernels

ok: all of it holds. FAILED: something does not. skip: it was not run. Numbers lead to the reasons
below the table. The exit status is 0 if no cell FAILED."""

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


# What takes a test of its own.
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
    """Cells, and numbered reasons."""

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
        """What cannot be run inside, or breaks, is said of all these rows."""
        try:
            yield
        except vm.Unavailable as e:
            word, why = "skip", str(e)
        except (column.Broken, vm.Failed) as e:
            word, why = "FAILED", "..." + str(e)[-400:]  # the end says what happened
        else:
            return
        for row in rows:
            self.put(row, kernel, word, why)

    def judge(self, row, kernel, wrong):
        """wrong: [(what, details)] of what does not hold."""
        for what, details in wrong:
            print(f"{kernel.name} [{row}] {what}: {details}", file=sys.stderr)
        if wrong:
            self.put(row, kernel, "FAILED", "; ".join(what for what, _ in wrong))
        else:
            self.put(row, kernel, "ok")

    def fill(self, kernel, rows, labels):
        """Runs a column; these labels stand for it where it does not run at all."""
        with self.attempt(kernel, labels):
            found = column.measure(kernel, rows)
            for row, checks in found.rows.items():
                self.judge(row, kernel, column.faults(checks))
            self.notes.append(f"{title(kernel)}: {100 * found.late:.1f} % of the ticks not delivered")

    def test(self, kernel, row, script):
        """Runs a test as a whole; a skip is one if it is all that the test does."""
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
    """What a guest of another machine runs beside its root's own."""
    if kernel.arch == "amd64":
        return ()
    found, absent = foreign.of(kernel.arch)
    for what, why in absent:
        table.put(what, kernel, "skip", why)
    return found


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
    os.makedirs(lib.OUTPUT, exist_ok=True)
    with open(os.path.join(lib.OUTPUT, "matrix.md"), "w") as f:
        f.write(text)
    print(text, end="")
    return table.failed()


if __name__ == "__main__":
    sys.exit(main())
