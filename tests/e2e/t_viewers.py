#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Folded stacks with unusual names, and deep ones, in viewers: flamegraph.pl, speedscope (its page,
in Chromium) and the Firefox Profiler (its command line) load the file unchanged and show each stack
with its names and weight. The programs are downloaded from npm and Debian into the cache."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter

import lib
import programs
import speedscope
from programs import cached, command, run

PACKAGES = ("@firefox-devtools/profiler-cli@0.10.0",)
DEBIAN = "libdevel-nytprof-perl"  # contains a flamegraph.pl
COMM = "a;b (\u6f22) 42"
TITLE = re.compile(r"(.*) \(([0-9,]+) samples, [0-9.]+%\)")
DEEP = """
def a_function_with_a_name_of_some_length(n):
    while not n:
        pass
    a_function_with_a_name_of_some_length(n - 1)

print("READY", flush=True)
a_function_with_a_name_of_some_length(100)
"""
ODD = {"<module>": r"<module> \(", "<lambda>": r"<lambda> \(", "a marker": r"\[[a-z]+\]",
       "a colon for a semicolon": r"a:b \(", "a count in a name": r"a\\nb 3 \(",
       "a parenthesis and a count in a file": r"hostile \(.*paren\) 7\.py:3\)",
       "two bytes": "f\u00f6hn ", "three bytes": "\u6f22\u5b57 ", "four bytes": "\U00012000",
       "a process name": re.escape(COMM.replace(";", ":"))}


# --- installation -------------------------------------------------------------------------------

def node_modules():
    return programs.node_modules("viewers", PACKAGES)


def from_debian(folder):
    run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", DEBIAN],
        f"apt-get download {DEBIAN}", cwd=folder)
    package, = os.listdir(folder)
    run(["dpkg-deb", "-x", package, "."], "dpkg-deb", cwd=folder)


def flamegraph_pl():
    return shutil.which("flamegraph.pl") or os.path.join(
        cached("flamegraph", from_debian), "usr/share/perl5/Devel/NYTProf/flamegraph.pl")


# --- shown stacks: {(root, ..., leaf): samples} ---------------------------------------------------

def walk(node, above, shown):
    """Adds the stacks of a node of the Firefox Profiler's call tree and its descendants."""
    for child in node.get("children", ()):
        path = (*above, child["name"])
        if child["selfSamples"]:
            shown[path] += child["selfSamples"]
        walk(child, path, shown)
    return shown


def load_in_firefox(cli, path, more):
    """Loads a file, and retries: the client waits only half a second for its daemon to start."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return command(["node", cli, "load", path, "--session", "krait"], **more)
        except RuntimeError as e:
            if "did not become ready" not in str(e) or time.monotonic() > deadline:
                raise
        subprocess.run(["node", cli, "stop", "krait"], capture_output=True, **more)
        time.sleep(1)


def in_firefox(path, where):
    cli = os.path.join(node_modules(), "@firefox-devtools/profiler-cli/dist/profiler-cli.js")
    more = {"env": dict(os.environ, PROFILER_CLI_SESSION_DIR=f"{where}/firefox")}
    load_in_firefox(cli, path, more)
    try:
        tree = json.loads(command(["node", cli, "thread", "samples-top-down", "--session", "krait",
                                   "--max-lines", "1000000", "--json"], **more))
    finally:
        command(["node", cli, "stop", "krait"], **more)
    return walk(tree["regularCallTree"], (), Counter())


def rectangles(svg):
    """(-y, x, width, name, samples) of each frame of a flamegraph.pl picture."""
    ns = "{http://www.w3.org/2000/svg}"
    for group in ElementTree.fromstring(svg).iter(ns + "g"):
        title, rect = group.find(ns + "title"), group.find(ns + "rect")
        if title is not None and rect is not None:
            said = TITLE.fullmatch(title.text)
            if not said:
                raise RuntimeError(f"not a title of a frame: {title.text!r}")
            y, x, width = (float(rect.get(a)) for a in ("y", "x", "width"))
            yield -y, x, width, said[1], int(said[2].replace(",", ""))


def flamegraph_names(wrote):
    """The stacks as drawn: older flamegraph.pl versions, as Debian's, draw <module> as (module)."""
    with open(flamegraph_pl(), encoding="utf-8") as f:
        if "tr/<>/()/" not in f.read():
            return wrote
    shown = Counter()
    for stack, weight in wrote.items():
        shown[tuple(f.replace("<", "(").replace(">", ")") for f in stack)] += weight
    return shown


def in_flamegraph(path, where):
    """Reconstructs the stacks from the picture: a frame's caller is the box below it, and its self
    weight is its own minus that of the boxes above. The picture is wide, because coordinates are
    rounded to a tenth of a pixel. -CSD: older versions do not decode UTF-8."""
    svg = command(["perl", "-CSD", flamegraph_pl(), "--minwidth", "0", "--width", "1000000", path])
    rows, shown = {}, Counter()
    for y, x, width, name, samples in sorted(rectangles(svg)):
        middle = x + width / 2
        below = [r for r in rows.get(max((r for r in rows if r < y), default=None), ())
                 if r[0] <= middle <= r[1]]
        above = (*below[0][2], name) if below else ()
        rows.setdefault(y, []).append((x, x + width, above))
        shown[above] += samples
        if above:
            shown[above[:-1]] -= samples
    return +shown


# --- comparison ---------------------------------------------------------------------------------

def record_odd(path, where):
    link = os.path.join(where, COMM)  # the process is named after the link
    os.symlink("/usr/bin/python3", link)
    odd = dataclasses.replace(lib.system(), argv=(link,))
    with lib.Target(odd, "names.py") as names, lib.Target(odd, "shapes.py") as shapes:
        lib.observe([names.pid, shapes.pid], 1, "-F", 1999, "--by", "comm,process", "-o", path)


def record_deep(path, where):
    """A recording with only one line, longer than the part that the Firefox Profiler reads to
    detect the format."""
    with lib.Process(["/usr/bin/python3", "-c", DEEP]) as target:
        target.out.wait_for("READY")
        lib.observe([target.pid], 1, "-F", 99, "-o", path)


def weights(path):
    """{(root, ..., leaf): samples} of a folded file."""
    wrote = Counter()
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            stack, _, count = line.rpartition(" ")
            wrote[tuple(stack.split(";"))] += int(count)
    return wrote


def check_odd(t, wrote):
    frames = {f for stack in wrote for f in stack}
    for what, pattern in ODD.items():
        t.ok(any(re.search(pattern, f) for f in frames), f"recorded: {what}")


def check_deep(t, wrote):
    t.ok(all(len(";".join(stack)) > 4096 for stack in +wrote), "recorded: deep stacks", min(wrote))


def difference(wrote, shown):
    keys = sorted((k for k in {*wrote, *shown} if wrote[k] != shown[k]), key=len)
    return "\n".join(f"{';'.join(k)[-200:]}: wrote {wrote[k]}, shown {shown[k]}" for k in keys[:5])


def compare(t, name, shown, wrote):
    total, sum_shown = sum(wrote.values()), sum(shown.values())
    t.ok(sum_shown == total, f"{name}: total weight", f"wrote {total}, shown {sum_shown}")
    t.ok(shown == wrote, f"{name}: each stack, its names and its weight", difference(wrote, shown))
    t.note(f"{name}: {len(shown)} stacks, {sum_shown} samples")


def check(t, name, show, wrote, path, names=lambda wrote: wrote):
    with t.guard(name), lib.scratch() as where:
        compare(t, name, show(path, where), names(wrote))


def check_speedscope(t, name, wrote, path):
    with t.guard(name), speedscope.opened(path) as page:
        speedscope.check_shown(t, name, page, wrote)
        said = page.exported()
        profile, = said["profiles"]
        compare(t, name, speedscope.replay(profile, [f["name"] for f in said["shared"]["frames"]]), wrote)


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, record, recorded in (("odd names", record_odd, check_odd),
                                   ("deep stacks", record_deep, check_deep)):
        with lib.scratch() as where, t.guard(f"a recording with {what}"):
            path = f"{where}/recorded.folded"
            record(path, where)
            wrote = weights(path)
            recorded(t, wrote)
            check(t, f"flamegraph.pl, {what}", in_flamegraph, wrote, path, flamegraph_names)
            check_speedscope(t, f"speedscope, {what}", wrote, path)
            check(t, f"Firefox Profiler, {what}", in_firefox, wrote, path)
    t.done()


main()
