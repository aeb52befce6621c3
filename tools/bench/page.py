#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""page.py [STACKS...]: measures the cost of the HTML output in a browser (`make bench-page`).

For each number of distinct stacks, a synthetic recording (see tests/targets/manystacks.c) is
written and opened in a headless Chromium of 1400 x 900 pixels. Times are milliseconds of the page's
clock until the picture is drawn. Each is the minimum of ROUNDS, as disturbances only add time.

	write   CPU time of krait's code that writes the file
	open    from the request until the page is drawn and complete
	zoom    a click on the heaviest process
	out     reset of the zoom
	search  a regular expression that matches one function in ten
	filter  selection of one process of 40
	leaf    leaf first, ungrouped: another tree of all rows
	memory  MB used by the page's scripts after all that

Compare only figures of one table: a busy machine makes all of them slower."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

import browser  # noqa: E402
import lib  # noqa: E402

ROUNDS = 5
USUAL = (1000, 10000, 100000, 300000)
# Changes of the state by the page's controls, and their reversal.
ACTIONS = {
    "zoom": ("page.change({zoom: page.tree.path(page.graph.widest())})", "page.change({zoom: []})"),
    "out": ("page.change({zoom: []})", None),
    "search": ("page.change({q: 'function_1'})", "page.change({q: ''})"),
    "filter": ("page.choose('process', new Set([3]))", "page.choose('process', new Set())"),
    "leaf": ("page.change({reversed: true, by: []})", "page.change({reversed: false, by: ['process']})"),
}
DRAWN = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"


def timed(b, action):
    return b.js(f"(async () => {{ const t = performance.now(); {action}; await {DRAWN};"
                "return performance.now() - t; })()")


def write(stacks, path):
    with open(path, "wb") as f:
        r = subprocess.run([lib.tool("manystacks"), "html", str(stacks)], stdout=f,
                           stderr=subprocess.PIPE, check=True)
    return float(r.stderr.split()[-2])


def opened(b, path):
    """Milliseconds until the page is complete, which includes its first drawing."""
    b.ask("Page.navigate", url="about:blank")
    b.ask("Page.navigate", url="file://" + path)
    b.wait("window.krait !== undefined")
    return b.js("performance.getEntriesByType('navigation')[0].domComplete")


def one_round(b, path):
    took = {"open": opened(b, path)}
    b.js(f"(async () => {{ page.graph.move(page.tree.root); await {DRAWN}; }})()")
    for name, (action, undo) in ACTIONS.items():
        took[name] = timed(b, action)
        if undo and name != "zoom":
            timed(b, undo)
    b.ask("HeapProfiler.collectGarbage")
    heap = b.ask("Runtime.getHeapUsage")
    took["memory"] = (heap["usedSize"] + heap.get("backingStorageSize", 0)) / 1e6
    return took


def row(b, where, stacks):
    path = f"{where}/{stacks}.html"
    wrote = write(stacks, path)
    rounds = [one_round(b, path) for _ in range(ROUNDS)]
    best = {key: min(r[key] for r in rounds) for key in rounds[0]}
    size = os.path.getsize(path) / 1e6
    os.unlink(path)
    return {"stacks": stacks, "MB": size, "write": wrote, **best}


def main():
    many = [int(a) for a in sys.argv[1:]] or USUAL
    with lib.scratch() as where, browser.Browser(where) as b:
        b.size(1400, 900)
        for n, stacks in enumerate(many):
            figures = row(b, where, stacks)
            if not n:
                print("  ".join(f"{key:>7}" for key in figures))
            print("  ".join(f"{v:7.1f}" if key == "MB" else f"{v:7.0f}" for key, v in figures.items()))


main()
