# SPDX-License-Identifier: BSD-2-Clause
"""Runs speedscope's page (the release in its npm package) in Chromium. A file is loaded as by its
command line: through a script that the page loads. The Export button tells what speedscope
understood; the table of the sandwich view, and the box of the flame graph under the mouse, tell
what it shows."""

import base64
import contextlib
import itertools
import json
import os
import re
from collections import Counter

import browser
import lib
import programs

PACKAGE = "speedscope@1.25.0"
BAR = 20  # height of a box and of a table row, in pixels
FLAMES = 20 + 5 * BAR + 1.65 * BAR  # y in the first box, below tool bar, minimap and axis
WEIGHT = re.compile(r"([0-9,.:]+[mµn]?s?) \([<>0-9.]+%\)")
BOX = re.compile(WEIGHT.pattern + r"\s*([^\n]*)")
# The center of the innermost element whose text ends so.
BUTTON = """(() => {
  const e = [...document.querySelectorAll("div")].filter((e) => e.textContent.endsWith(%s)).pop();
  const r = e.getBoundingClientRect();
  return [r.left + r.width / 2, r.top + r.height / 2];
})()"""
# The table draws only visible rows. SCROLL returns after they are drawn, with position and height.
ROWS = """(() => {
  const part = document.querySelector("div[style*=translateY]");
  return [Number(/translateY\\((\\d+)px\\)/.exec(part.style.transform)[1]),
          [...part.querySelectorAll("tr")].map((r) => [...r.cells].map((c) => c.textContent))];
})()"""
SCROLL = """(() => {
  const e = document.querySelector("div[style*=translateY]").parentElement.parentElement;
  e.scrollTop = %d;
  return new Promise((done) => requestAnimationFrame(() => setTimeout(
    () => done([e.scrollTop, e.scrollHeight, e.clientHeight]))));
})()"""
PROFILES = """[...document.querySelectorAll("tr[title]")].map((r) => [...r.cells].map((c) => c.textContent))"""


def release():
    """The folder with the page."""
    return os.path.join(programs.node_modules("speedscope", (PACKAGE,)), "speedscope/dist/release")


class Page:
    def __init__(self, where, chromium):
        self.where, self.browser = where, chromium

    def open(self, path):
        with open(path, "rb") as f:
            data = base64.b64encode(f.read()).decode()
        script = f"{self.where}/profile.js"
        with open(script, "w", encoding="utf-8") as f:
            f.write(f"speedscope.loadFileFromBase64({json.dumps(os.path.basename(path))}, {json.dumps(data)})")
        self.browser.open(f"{release()}/index.html", f"#view=left-heavy&localProfilePath={script}",
                          "window.speedscope !== undefined")
        self.browser.wait("document.title !== 'speedscope'")
        errors = [x for x in self.browser.said() if '"error"' in x or "exceptionDetails" in x]
        if errors:
            raise RuntimeError(f"speedscope: {errors[0]}")

    def press(self, button):
        self.browser.click(*self.browser.js(BUTTON % json.dumps(button)))

    def exported(self):
        """The JSON that the Export button writes."""
        path = os.path.join(self.where, "exported")
        os.mkdir(path)
        self.browser.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=path)
        self.press("Export")

        def whole():
            """The browser makes the file first, empty, and fills it later."""
            for name in os.listdir(path):
                if name.endswith(".speedscope.json"):
                    with contextlib.suppress(ValueError), open(os.path.join(path, name), encoding="utf-8") as f:
                        return json.load(f)
            return None
        return lib.until(whole, "speedscope exports")

    def hovered(self):
        """(weight, name) of the leftmost box of the first row: the heaviest root."""
        at = itertools.cycle((5, 6))  # a flame graph drawn later sees the mouse only when it moves

        def said():
            self.browser.move(next(at), FLAMES)
            return BOX.search(self.browser.js("document.body.innerText"))
        box = lib.until(said, "speedscope says what is under the mouse")
        return box[1], box[2]

    def table(self):
        """Counter of (total, self, name): all rows of the sandwich view."""
        self.press("Sandwich")
        self.browser.wait("document.querySelector('div[style*=translateY] td')")
        shown, at = {}, 0
        while True:
            top, height, seen = self.browser.js(SCROLL % at)
            first, rows = self.browser.js(ROWS)
            for i, (total, own, name) in enumerate(rows):
                shown[first // BAR + i] = (weight(total), weight(own), name)
            at = top + seen
            if at >= height:
                return Counter(shown.values())

    def profiles(self):
        """[(name, weight)]: the menu of a file with several profiles."""
        return [(name, weight) for _, name, weight in self.browser.js(PROFILES)]

    def next_profile(self):
        """Switches to the next profile, in the Left Heavy view."""
        before = self.browser.js("document.body.innerText")
        self.browser.key("n")
        self.browser.wait(f"document.body.innerText !== {json.dumps(before)}")
        self.press("Left Heavy")


def text_of(samples, hz):
    """That many samples as the page shows them: as a time, or with hz 0 as a number."""
    if not hz:
        return f"{samples:,}"
    units = ((1, "s"), (1e3, "ms"), (1e6, "\xb5s"))
    scale, unit = next(((s, u) for s, u in units if samples / hz * s >= 1), (1e9, "ns"))
    return f"{samples / hz * scale:.2f}{unit}"


def weight(cell):
    return WEIGHT.fullmatch(cell)[1]


@contextlib.contextmanager
def opened(path):
    """A Page that has loaded this file."""
    with lib.scratch() as where, browser.Browser(where) as chromium:
        chromium.size(1200, 1600)
        page = Page(where, chromium)
        page.open(path)
        yield page


def replay(profile, frames, hz=0):
    """{(root, ..., leaf): samples} of an exported profile, a list of events that open and close
    frames. Their "time" counts samples, or seconds if hz is given."""
    shown, stack, last = Counter(), [], 0
    for event in profile["events"]:
        at = round(event["at"] * hz) if hz else event["at"]
        shown[tuple(stack)] += at - last
        last = at
        if event["type"] == "O":
            stack.append(frames[event["frame"]])
        elif stack.pop() != frames[event["frame"]]:
            raise RuntimeError(f"speedscope closes another frame: {event}")
    return +shown


def rows_of(stacks, name=lambda frame: frame, hz=0):
    """The expected table of these stacks: one row for each frame; name() gives the shown name."""
    total, own = Counter(), Counter()
    for stack, samples in stacks.items():
        for frame in set(stack):
            total[frame] += samples
        if stack:
            own[stack[-1]] += samples
    return Counter((text_of(total[f], hz), text_of(own[f], hz), name(f)) for f in total)


def check_shown(t, name, page, wrote, frame_name=lambda frame: frame, hz=0):
    """Checks that the heaviest root comes first in the flame graph and that the table has each
    frame with its weights."""
    roots = Counter()
    for stack, samples in wrote.items():
        if stack:
            roots[frame_name(stack[0])] += samples
    heaviest = max(roots.values())
    hovered = page.hovered()
    t.ok(hovered[0] == text_of(heaviest, hz) and heaviest == roots[hovered[1]], f"{name}: the heaviest root is drawn first",
         f"{hovered} {roots}")
    table, wanted = page.table(), rows_of(wrote, frame_name, hz)
    t.ok(table == wanted, f"{name}: each row of the table", f"{table - wanted}\n{wanted - table}")
