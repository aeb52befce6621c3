#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Takes the README's picture: the flame graph of a recording of CASE.md's shop, in a browser.

    picture.py [DIR]    writes flamegraph-light.webp and flamegraph-dark.webp to DIR (.github)

Needs root, build/krait and Chromium."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests/e2e"))
import browser  # noqa: E402
import lib  # noqa: E402

SECONDS = 10
# Runs a program below /srv, so that the picture has paths of a server instead of this checkout's.
IN_SRV = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /srv && exec "$@"')
PROGRAMS = ("shop.py",), ("shoppers.py", "600"), ("nightly.py", "600")
WIDTH, HEIGHT, SCALE = 1280, 760, 1.25
QUALITY = 75
MOST = 150000  # bytes of a picture


def record(path):
    with contextlib.ExitStack() as running:
        for program, *more in PROGRAMS:
            running.enter_context(lib.Process([*IN_SRV, lib.TARGETS, f"/srv/{program}", *more]))
        names = ",".join(program for program, *_ in PROGRAMS)
        subprocess.run([lib.KRAIT, "record", "--comm", names, "-d", str(SECONDS), "-o", path], check=True)


def middle_of(b, name):
    """The center of the first box of a function of that name."""
    stacks = json.loads(b.js("JSON.stringify(krait.lines())"))
    stack = next(s for s, _ in stacks if any(f.startswith(name) for f in s))
    end = next(n for n, f in enumerate(stack) if f.startswith(name))
    r = b.js(f"krait.find(...{json.dumps(stack[:end + 1])}).rectangle")
    return r["x"] + r["w"] / 2, r["y"] + r["h"] / 2


def take(page, where):
    with tempfile.TemporaryDirectory() as home, browser.Browser(home) as b:
        b.size(WIDTH, HEIGHT, SCALE)
        for scheme in ("light", "dark"):
            path = os.path.join(where, f"flamegraph-{scheme}.webp")
            b.prefer(scheme)
            b.open(page)
            b.move(*middle_of(b, "tax_rate "))
            b.wait("document.querySelector('#details').textContent.includes('tax_rate')")
            b.picture(path, "webp", quality=QUALITY)
            size = os.path.getsize(path)
            print(f"{path}: {size} bytes", file=sys.stderr)
            if size > MOST:
                raise SystemExit(f"picture: {path} has more than {MOST} bytes")


def main():
    where = sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, ".github")
    with tempfile.TemporaryDirectory() as scratch:
        page = os.path.join(scratch, "shop.html")
        record(page)
        os.makedirs(where, exist_ok=True)
        take(page, where)


if __name__ == "__main__":
    main()
