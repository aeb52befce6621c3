#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The HTML output in a browser, operated as by a user: with pointer, keys and lists. What the page
shows is compared with the folded output of the same stacks; manystacks writes both."""

import json
import os
import re
import subprocess
import time
from collections import Counter

import browser
import lib
import programs

STACKS = 2000
MANY = 100000
BINS = 60
AXE = "axe-core@4.10.2"
OPEN, ZOOM = 20, 5  # limits in seconds with MANY stacks, for a busy machine; a note has the times
LINE = re.compile(r":~?\d+\)$")


def write(where, form, stacks):
    path = f"{where}/{stacks}.{form}"
    with open(path, "wb") as f:
        subprocess.run([lib.tool("manystacks"), form, str(stacks)], stdout=f,
                       stderr=subprocess.DEVNULL, check=True)
    return path


def folded(path):
    """{(process, frame, ...): samples}."""
    stacks = Counter()
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            stack, _, count = line.rstrip("\n").rpartition(" ")
            stacks[tuple(stack.split(";"))] += int(count)
    return stacks


def without_lines(stacks):
    merged = Counter()
    for stack, n in stacks.items():
        merged[tuple(LINE.sub(")", f) for f in stack)] += n
    return merged


def weight(stacks, condition):
    return sum(n for stack, n in stacks.items() if condition(stack))


def percent(part, whole):
    return f"{100 * part / whole:.2f}\u00a0%"


def shown_lines(b):
    """The page's stacks as in the folded format, where a ';' in a frame becomes ':'."""
    lines = json.loads(b.js("JSON.stringify(krait.lines())"))
    return Counter({tuple(f.replace(";", ":") for f in path): n for path, n in lines})


def difference(wanted, got):
    keys = sorted((k for k in {*wanted, *got} if wanted[k] != got[k]), key=len)
    return "\n".join(f"{';'.join(k)[-200:]}: {wanted[k]}, shown {got[k]}" for k in keys[:5])


def middle(b, *path):
    """The center of the box of that path."""
    r = b.js(f"krait.find(...{json.dumps(path)}).rectangle")
    return r["x"] + r["w"] / 2, r["y"] + r["h"] / 2


def clear(b):
    """Resets zoom, search and filters."""
    b.js("void (location.hash = '')")
    b.wait("krait.shown === krait.total && !krait.zoomed.depth && !document.querySelector('#search').value")


# --- features -----------------------------------------------------------------------------------

def check_opened(t, b, path, stacks):
    b.size(1400, 900)
    b.prefer("light")
    b.open(path)
    t.ok(not b.said(), "the page opens without errors", b.said())
    asked = {r for r in b.requested() if not r.startswith("about:")}
    t.ok(asked == {"file://" + path}, "the page loads no other file", asked)
    total = sum(stacks.values())
    t.ok(b.js("krait.total") == b.js("krait.shown") == total, "the total", total)
    merged, got = without_lines(stacks), shown_lines(b)
    t.ok(got == merged, "each function of each stack and its weight", difference(merged, got))
    b.click_on("#lines")
    got = shown_lines(b)
    t.ok(got == stacks, "Lines clicked: each line too", difference(stacks, got))
    b.click_on("#lines")


def check_hostile(t, b, stacks):
    t.ok(b.js("document.title") == "krait flame graph" and b.js("document.images.length") == 0 and
         b.js("document.scripts.length") == 2, "hostile names stay text")
    long = "n" * 10240
    t.ok(any(f.startswith(long) for stack in stacks for f in stack), "one of them has 10,240 characters")


def check_search(t, b, stacks):
    merged = without_lines(stacks)
    for q, pattern in (("module_1[0-9]\\.", r"module_1[0-9]\."), ("class3\\.", r"(?i)class3\."),
                       ("^Class0.function_0$", r"^Class0.function_0 "), ("nothing_of_that_name", "$^"),
                       ("worker-1-", "worker-1-")):
        clear(b)
        b.click_on("#search")
        b.type(q)
        wanted = weight(merged, lambda s: any(re.search(pattern, f) for f in s))
        got = b.js("krait.matched")
        t.ok(got == wanted, f"search for {q}: the share of stacks that match", f"{got}, not {wanted}")
        said = b.js("document.querySelector('#matched').textContent")
        share = percent(wanted, sum(stacks.values()))
        t.ok(share in said and f"{wanted:,} samples" in said, f"search for {q}: it is shown", said)
    b.key("Escape")
    t.ok(b.js("document.querySelector('#matched').textContent") == "", "Escape ends the search")
    b.type("(")
    t.ok(b.js("document.querySelector('#search').getAttribute('aria-invalid')") == "true" and
         b.js("document.querySelector('#matched').textContent"),
         "an invalid expression is reported")
    clear(b)


def check_zoom(t, b, stacks):
    merged = without_lines(stacks)
    process = max({s[0] for s in stacks}, key=lambda p: weight(stacks, lambda s: s[0] == p))
    path = next(s[:2] for s in merged if s[0] == process and len(s) > 2)
    b.click(*middle(b, process))
    for what, prefix in (("a process", (process,)), ("a frame", path)):
        if what == "a frame":
            b.click(*middle(b, *path))
        wanted = weight(merged, lambda s: s[:len(prefix)] == prefix)
        got = b.js("krait.zoomed")
        wide = b.js("document.querySelector('#graph').clientWidth")
        t.ok(got["weight"] == wanted and got["rectangle"]["w"] == wide, f"click zooms into {what}",
             f"{got}, not {wanted}")
    b.key("Escape")
    t.ok(b.js("krait.zoomed.depth") == 0, "Escape resets the zoom")
    b.click(*middle(b, process))
    b.click_on("#reset")
    t.ok(b.js("krait.zoomed.depth") == 0, "the button resets the zoom")
    b.js("history.back()")
    b.wait("krait.zoomed.depth === 1")
    t.ok(True, "the browser's Back button undoes that")
    clear(b)


def check_hover(t, b, stacks):
    merged = without_lines(stacks)
    process = b.js("krait.lines()[0][0][0]")
    wanted = weight(merged, lambda s: s[0] == process)
    b.move(*middle(b, process))
    b.wait("krait.selected.depth === 1")
    said = b.js("document.querySelector('#details').innerText")
    t.ok(process in said and f"{wanted:,} samples" in said and
         percent(wanted, sum(merged.values())) in said, "the pointer shows name and numbers", said)
    b.move(5, 5)


def check_keys(t, b, stacks):
    merged = without_lines(stacks)
    b.js("document.querySelector('#flames').focus()")
    b.key("Home")
    b.key("ArrowDown")
    selected = b.js("krait.selected")
    heaviest = max(weight(merged, lambda s, p=p: s[0] == p) for p in {s[0] for s in merged})
    t.ok(selected["depth"] == 1 and selected["weight"] == heaviest,
         "Down selects the heaviest child", selected)
    b.key("ArrowDown")
    b.key("ArrowUp")
    t.ok(b.js("krait.selected") == selected, "Up selects the parent")
    b.key("ArrowLeft" if selected["rectangle"]["x"] > 100 else "ArrowRight")
    beside = b.js("krait.selected")
    t.ok(beside["depth"] == 1 and beside["text"] != selected["text"],
         "Left and Right select a sibling", beside)
    b.key("Enter")
    t.ok(b.js("krait.zoomed.text") == beside["text"], "Enter zooms", b.js("krait.zoomed"))
    b.key("Backspace")
    t.ok(b.js("krait.zoomed.depth") == 0, "Backspace zooms out")
    b.key("/")
    t.ok(b.js("document.activeElement.id") == "search" and b.js("document.activeElement.value") == "",
         "/ focuses the search field")
    clear(b)


def check_filter(t, b, stacks):
    b.click_on("#filter summary")
    chosen = b.js("(() => { const f = [...document.querySelectorAll('fieldset')].find(f => "
                  "f.textContent.startsWith('Processes')); f.id = 'tested';"
                  "return [...f.querySelectorAll('li span')].slice(0, 2).map(s => s.textContent); })()")
    for n, wanted in ((1, chosen[:1]), (2, chosen)):
        b.click_on(f"#tested li:nth-child({n}) input")
        total = weight(stacks, lambda s: s[0] in wanted)
        t.ok(b.js("krait.shown") == total, f"{n} of the processes ticked", f"{b.js('krait.shown')}, not {total}")
    got = without_lines(stacks)
    got = Counter({s: n for s, n in got.items() if s[0] in chosen})
    t.ok(shown_lines(b) == got, "their stacks and no others", difference(got, shown_lines(b)))
    b.click_on("#tested .head button")
    t.ok(b.js("krait.shown === krait.total"), "All shows all again")
    sums = b.js("(() => { const f = [...document.querySelectorAll('fieldset')].find(f => "
                "f.textContent.startsWith('Thread states')); f.id = 'states'; return f.querySelectorAll('li').length; })()")
    seen = 0
    for n in range(1, sums + 1):
        b.click_on(f"#states li:nth-child({n}) input")
        seen += b.js("krait.shown")
        b.click_on("#states .head button")
    t.ok(sums == 3 and seen == b.js("krait.total"), "thread states one by one add up to all", (sums, seen))
    b.click_on("#filter summary")
    clear(b)


def kind(frame):
    """The kind of code of a frame, by the path that manystacks gives it."""
    return ("Standard library" if " (module_" in frame else
            "Site-packages" if " (web/module_" in frame else "Own code")


def check_functions(t, b, stacks):
    merged, total = without_lines(stacks), sum(stacks.values())
    b.click_on("#functions summary")
    b.wait("document.querySelector('#functions tbody tr')")
    rows = b.js("[...document.querySelectorAll('#functions tbody tr')].slice(0, 20).map(r => "
                "[...r.querySelectorAll('td')].slice(0, 2).map(c => c.textContent)"
                ".concat(r.querySelector('button').textContent))")
    for self, all_, name in rows:
        begin = name.replace(";", ":")
        begin = begin[:-1] if begin.endswith("\u2026") else begin + " ("  # a long name is cut
        wanted = [percent(weight(merged, lambda s: s[-1].startswith(begin)), total),
                  percent(weight(merged, lambda s: any(f.startswith(begin) for f in s)), total)]
        if [self, all_] != wanted and "\ufffd" not in name:
            t.ok(False, f"functions: {name[:50]}", ([self, all_], wanted))
            return
    t.ok(len(rows) == 20, "functions: self and total, also of recursive functions", rows)
    b.click_on("#functions tbody button")
    t.ok(b.js("document.querySelector('#search').value") == "^" + re.sub(r"([.()])", r"\\\1", rows[0][2]) + "$",
         "a click on a function searches for it", b.js("document.querySelector('#search').value"))
    said = b.js("document.querySelector('#legend').innerText")
    for what in ("Own code", "Standard library", "Site-packages"):
        share = percent(weight(merged, lambda s: kind(s[-1]) == what), total)
        t.ok(f"{what} {share}" in said, f"{what}: its share of the leaf frames", (share, said))
    b.click_on("#functions summary")
    clear(b)


def check_reversed(t, b, stacks):
    b.choose("#by", "")
    b.click_on("#reversed")
    leaves = Counter()
    for stack, n in without_lines(stacks).items():
        leaves[stack[-1]] += n
    got = Counter()
    for path, n in shown_lines(b).items():
        got[path[:1]] += n
    wanted = Counter({(leaf,): n for leaf, n in leaves.items()})
    t.ok(got == wanted, "leaf first: each leaf and its weight", difference(wanted, got))
    b.click_on("#search")
    b.type("^Class0.function_0$")
    matched = weight(without_lines(stacks), lambda s: any(f.startswith("Class0.function_0 ") for f in s))
    t.ok(b.js("krait.matched") == matched, "leaf first: the share that matches is the same")
    clear(b)


def check_looks(t, b):
    b.prefer("dark")
    b.wait("document.documentElement.dataset.theme === 'dark'")
    dark = b.js("getComputedStyle(document.body).backgroundColor")
    b.choose("#theme", "light")
    light = b.js("getComputedStyle(document.body).backgroundColor")
    t.ok(dark != light and b.js("document.documentElement.dataset.theme") == "light",
         "dark by the system's setting, light by the page's", (dark, light))
    b.prefer("light")
    b.click_on("#flame")
    process = b.js("krait.lines()[0][0][0]")
    root, child = b.js("krait.find().rectangle.y"), b.js(f"krait.find({json.dumps(process)}).rectangle.y")
    t.ok(root > child, "the root at the bottom", (root, child))
    height = b.js("innerHeight - document.querySelector('#details').offsetHeight")
    t.ok(0 < root < height, "and the root is visible", (root, height))
    for way, legend in (("state", "running"), ("kind", "Standard library"), ("name", "")):
        b.choose("#colour", way)
        said = b.js("document.querySelector('#legend').innerText")
        t.ok(legend in said and bool(legend) == bool(said), f"colours by {way}", said)
    clear(b)


def check_link(t, b, path):
    process = b.js("krait.lines()[0][0][0]")
    b.click(*middle(b, process))
    b.click_on("#search")
    b.type("module_7")
    b.click_on("#flame")
    wanted = [b.js(f"krait.{x}") for x in ("shown", "matched", "zoomed.text", "zoomed.weight")]
    b.open(path, b.js("location.hash"))
    got = [b.js(f"krait.{x}") for x in ("shown", "matched", "zoomed.text", "zoomed.weight")]
    t.ok(got == wanted and wanted[2] == process and b.js("document.querySelector('#flame').checked"),
         "the URL opens the same view", (got, wanted))
    b.open(path, "#zoom=999999.9&q=(&by=nobody&time=5-1&in.process=nobody&theme=pink&colour=1")
    t.ok(b.js("krait.shown === krait.total") and b.js("krait.zoomed.depth") == 0,
         "invalid parts of the URL are ignored")


def with_data(path, changed, change):
    """Writes the same page with changed data."""
    with open(path, encoding="utf-8") as f:
        page = f.read()
    head, data, tail = re.fullmatch(r'(.*id="profile">\n)(.*?)(\n</script>.*)', page, re.S).groups()
    data = json.loads(data)
    result = change(data)
    with open(changed, "w", encoding="utf-8") as f:
        f.write(head + json.dumps(data).replace("<", "\\u003c") + tail)
    return result


def add_time(data):
    """Adds a time axis: two thirds of each row are in one bin, the rest in another."""
    bins = Counter()
    columns = {"bins": [], "bin": [], "binWeight": []}
    for i, n in enumerate(data["rows"]["weight"]):
        columns["bins"].append(2)
        for bin_, part in ((i % BINS, n - n // 3), (i * 7 % BINS, n // 3)):
            columns["bin"].append(bin_)
            columns["binWeight"].append(part)
            bins[bin_] += part
    data["rows"].update(columns)
    data["bins"] = {"ns": 500000000, "count": BINS}
    return bins


def make_native(data):
    """Makes C functions of a fourth of the functions. Returns {their texts: their file as shown}."""
    funcs, files, libraries = data["funcs"], data["files"], {}
    for i, file in enumerate(funcs["file"]):
        if file and files["path"][file - 1].startswith("/srv/shop/api/"):
            funcs["kind"][i] = 5
            short = files["short"][file - 1]
            libraries[f"{funcs['name'][i]} ({short})"] = short
    mark = funcs["kind"].index(3) if 3 in funcs["kind"] else funcs["name"].index("a;b")
    funcs["name"][mark], funcs["kind"][mark], funcs["file"][mark] = "[native: no unwind information]", 3, 0
    return libraries


def check_native(t, b, path, where):
    t.ok(b.js("document.querySelector('#fold').parentElement.hidden"), "without native frames there is nothing to fold")
    changed = f"{where}/native.html"
    libraries = with_data(path, changed, make_native)
    b.open(changed)
    before, ended = shown_lines(b), Counter()
    for stack, n in before.items():
        marker = stack[-1].startswith("[native:") or stack[-1] in ("", "all")
        ended["[unknown]" if marker else libraries.get(stack[-1], "Python")] += n
    b.click_on("#fold")
    b.wait("location.hash === '#fold=1'")
    wanted = Counter()
    for stack, n in before.items():
        wanted[tuple(f for f in stack if f not in libraries and not f.startswith("[native:"))] += n
    t.ok(wanted != before and shown_lines(b) == wanted, "folded, a C function counts for its caller",
         difference(wanted, shown_lines(b)))
    t.ok("Native code" not in b.js("document.querySelector('#legend').innerText"), "and has no colour of its own")
    b.click_on("#fold")
    b.wait("location.hash === ''")
    t.ok(shown_lines(b) == before, "unfolded, all is as before")
    said, share = b.js("document.querySelector('#legend').innerText"), sum(n for l, n in ended.items() if "/" in l)
    t.ok(f"Native code {percent(share, sum(ended.values()))}" in said, "native code has its share and colour", said)
    b.open(changed, "#by=library")
    got = {x: b.js(f"krait.find({json.dumps(x)})?.weight") for x in ended}
    t.ok(got == dict(ended) and len(ended) > 50, "grouped by library, by the last function",
         [(x, n, got[x]) for x, n in ended.items() if got[x] != n][:5])
    t.ok(b.js("[...document.querySelector('#by').options].some(o => o.value === 'library')"), "the menu has it")
    b.open(changed, "#fold=1&by=library")
    t.ok(b.js(f"krait.find('Python').weight") == ended["Python"], "folding does not change the library")
    b.open(changed, "#in.library=Python")
    t.ok(b.js("krait.shown") == ended["Python"], "a library can be chosen")


def drop_rows(data):
    for column in data["rows"].values():
        column.clear()


def strip_at(b, bin_):
    r = b.js("(() => { const r = document.querySelector('#strip').getBoundingClientRect();"
             "return [r.left, r.width, r.top + r.height / 2]; })()")
    return r[0] + r[1] * (bin_ + 0.5) / BINS, r[2]


def check_time(t, b, path, where):
    bins = with_data(path, f"{where}/timed.html", add_time)
    b.open(f"{where}/timed.html")
    total = b.js("krait.total")
    t.ok(sum(bins.values()) == total == b.js("krait.shown"),
         "a page with a time axis: all samples are shown")
    b.press(*strip_at(b, 10))
    b.move(*strip_at(b, 15))
    b.release(*strip_at(b, 19))
    wanted = sum(bins[i] for i in range(10, 20))
    t.ok(b.js("krait.shown") == wanted, "dragging selects a time range",
         f"{b.js('krait.shown')}, not {wanted}")
    said = b.js("document.querySelector('#activity').innerText")
    t.ok("5.0 s" in said and "10.0 s" in said, "the selected range is shown", said)
    b.open(f"{where}/timed.html", b.js("location.hash"))
    t.ok(b.js("krait.shown") == wanted, "the URL contains the range")
    b.js("document.querySelector('#from').focus()")
    b.key("ArrowRight")
    wanted -= bins[10]
    t.ok(b.js("krait.shown") == wanted, "a key moves the start of the range",
         f"{b.js('krait.shown')}, not {wanted}")
    b.click_on("#alltime")
    t.ok(b.js("krait.shown") == total, "the button shows all samples again")
    folder = f"{lib.OUTPUT}/test-logs"
    b.press(*strip_at(b, 10))
    b.release(*strip_at(b, 30))
    b.picture(f"{folder}/html-time.png")


def check_empty(t, b, path, where):
    with_data(path, f"{where}/empty.html", drop_rows)
    b.open(f"{where}/empty.html", "#q=x&reversed=1")
    b.choose("#by", "thread")
    t.ok(b.js("krait.total === 0 && krait.matched === 0 && krait.lines().length === 0") and
         b.js("document.querySelector('#empty').offsetHeight > 0"), "a page without samples says so")


def check_touch(t, b, path):
    b.open(path)
    process = b.js("krait.lines()[0][0][0]")
    for taps, depth in ((1, 0), (2, 1)):
        x, y = middle(b, process)
        b.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        b.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        b.wait(f"krait.selected.text === {json.dumps(process)} && krait.zoomed.depth === {depth}")
        t.ok(True, f"tap {taps}: {'zooms' if depth else 'selects'}")
    clear(b)


def check_narrow(t, b, path, where):
    b.size(400, 850)
    b.open(path)
    wide = b.js("document.documentElement.scrollWidth")
    t.ok(wide == 400, "400 pixels: no horizontal scrolling", wide)
    names = b.js("[...document.querySelectorAll('input, select, button, canvas')].filter(e => e.offsetParent)"
                 ".filter(e => !(e.labels && e.labels[0]) && !e.getAttribute('aria-label') && !e.textContent.trim()"
                 " && !e.closest('[aria-hidden]')).map(e => e.outerHTML)")
    t.ok(not names, "each control has a name", names)


def axe():
    """The source of axe-core, which checks the accessibility of pages."""
    folder = programs.node_modules("axe-core", (AXE,))
    with open(f"{folder}/axe-core/axe.min.js", encoding="utf-8") as f:
        return f.read()


def check_accessible(t, b, path):
    rules = axe()
    for theme in ("light", "dark"):
        b.prefer(theme)
        b.open(path, "#q=function_1")
        b.js("document.querySelectorAll('main > details').forEach(d => { d.open = true; })")
        b.wait("document.querySelector('#functions tbody tr')")
        b.js(rules + "; 0")
        broken = b.js("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))")
        t.ok(not broken, f"axe-core finds nothing, {theme}", "\n".join(broken))
    b.prefer("light")


def check_noscript(t, b, path, stacks):
    b.ask("Emulation.setScriptExecutionDisabled", value=True)
    b.open(path, ready="true")
    b.wait("document.querySelector('noscript td')")
    text = b.js("document.body.innerText")
    b.ask("Emulation.setScriptExecutionDisabled", value=False)
    self = Counter()
    for stack, n in without_lines(stacks).items():
        self[stack[-1]] += n
    leaf, most = self.most_common(1)[0]
    rows = [r.split("\t") for r in text.splitlines() if r.count("\t") == 4][1:]
    t.ok(rows and rows[0][2] == str(most) and self[rows[0][4]] == most, "without scripts: the functions",
         (rows[:2], leaf, most))


def pictures(t, b, path, name):
    """Screenshots for review, always of the same sizes and themes."""
    folder = f"{lib.OUTPUT}/test-logs"
    os.makedirs(folder, exist_ok=True)
    for width, height in ((1400, 900), (400, 850)):
        for theme in ("light", "dark"):
            b.size(width, height)
            b.prefer(theme)
            b.open(path)
            b.picture(f"{folder}/html-{name}-{width}-{theme}.png")
    t.note(f"pictures: {folder}/html-{name}-*.png")


# --- real and large recordings --------------------------------------------------------------------

def report(recording, form, *more):
    status, said, why = lib.usage("report", recording, "-f", form, *more)
    if status:
        raise RuntimeError(f"krait report: {why}")
    return said


def check_real_time(t, b, recording):
    """Time ranges selected in the page have the samples that krait report has for them."""
    for from_, to in ((0, 1), (1, 3), (2, 4)):
        b.js(f"void (location.hash = 'time={from_}-{to - 1}')")
        b.wait(f"document.querySelector('#from').value === '{from_}'")
        said = sum(int(line.rpartition(" ")[2]) for line in
                   report(recording, "folded", "--where", f"time={from_}s..{to}s").splitlines())
        t.ok(b.js("krait.shown") == said, f"a recording: seconds {from_} to {to}", (b.js("krait.shown"), said))
        t.bound(said > 0, f"a recording: there are samples in seconds {from_} to {to}", said)
    clear(b)


def check_recording(t, where):
    """A recording of targets with hostile names, compared with its folded output."""
    path, recording = f"{where}/real.html", f"{where}/real.krait"
    with lib.Target(lib.system(), "names.py") as names, lib.Target(lib.system(), "shapes.py") as shapes:
        with lib.Krait("-p", f"{names.pid},{shapes.pid}", "-d", 5, "-F", 499, "-o", path, "-o", f"{where}/real.folded",
                       "-o", recording) as k:
            k.result()
            said = k.err.text()
        label = lib.label(names.pid)
    stacks = folded(f"{where}/real.folded")
    samples = int(re.search(r"krait: ([0-9]+) samples in", said)[1])
    with browser.Browser(where) as b:
        b.size(1400, 900)
        b.open(path)
        t.ok(b.js("krait.total") == samples and not b.said(), "a recording: its samples", (samples, b.said()))
        t.ok(b.js(f"krait.find({json.dumps(label)}) !== null"), "a recording: its processes", label)
        b.click_on("#lines")
        got = shown_lines(b)
        t.ok(got == stacks, "a recording: each stack, line and weight", difference(stacks, got))
        b.click_on("#lines")
        check_real_time(t, b, recording)
        found = {f for p, _ in b.js("krait.lines()") for f in p}
        for odd in ("f\u00f6hn", "\u6f22\u5b57", "\U00012000\U00012001", "a;b", "a\\nb 3"):
            t.ok(any(f.startswith(odd) for f in found), f"a recording: {odd}", sorted(found)[:5])
        pictures(t, b, path, "recording")


def check_wall(t, where):
    """A recording of a sleeping process by the wall clock."""
    path = f"{where}/wall.html"
    with lib.Target(lib.system(), "load.py", "sleep") as target:
        with lib.Krait("-p", target.pid, "-d", 1, "--mode", "wall", "-f", "html", "-o", path) as k:
            k.result()
    with browser.Browser(where) as b:
        b.open(path)
        asleep = b.js("krait.lines().filter(([path]) => path.at(-1).startsWith('[sleep')).length")
        said = b.js("document.querySelector('#legend').innerText")
        t.bound(asleep and "Waiting" in said, "a sleeping process is shown as waiting", said)
        b.open(path, "#in.state=sleeping")
        t.ok(0 < b.js("krait.shown") <= b.js("krait.total"), "and its state can be chosen", b.js("krait.shown"))


def check_many(t, where):
    path = write(where, "html", MANY)
    with browser.Browser(where) as b:
        b.size(1400, 900)
        began = time.monotonic()
        b.open(path)
        opened = time.monotonic() - began
        x, y = middle(b, "worker-0-1000")
        began = time.monotonic()
        b.click(x, y)
        b.wait("krait.zoomed.depth === 1")
        zoomed = time.monotonic() - began
        t.bound(opened < OPEN, f"{MANY:,} stacks open in time", f"{opened:.1f} s")
        t.bound(zoomed < ZOOM, f"{MANY:,} stacks zoom in time", f"{zoomed:.1f} s")
        t.note(f"{MANY:,} stacks, {os.path.getsize(path) / 1e6:.1f} MB: opened in {opened:.2f} s, "
               f"zoomed in {zoomed:.2f} s")


CHECKS = ((check_hostile, "hostile names"), (check_search, "search"), (check_zoom, "zoom"),
          (check_hover, "hover"), (check_keys, "keys"), (check_filter, "filter"),
          (check_functions, "functions"), (check_reversed, "leaf first"))


def main():
    lib.need_krait()
    t = lib.Tap()
    with lib.scratch() as where, t.guard("the page"):
        browser.program()
        path, stacks = write(where, "html", STACKS), folded(write(where, "folded", STACKS))
        with browser.Browser(where) as b:
            check_opened(t, b, path, stacks)
            for check, name in CHECKS:
                with t.guard(name):
                    check(t, b, stacks)
            with t.guard("looks"):
                check_looks(t, b)
            with t.guard("link"):
                check_link(t, b, path)
            with t.guard("time"):
                check_time(t, b, path, where)
            with t.guard("native frames"):
                b.open(path)
                check_native(t, b, path, where)
            with t.guard("no samples"):
                check_empty(t, b, path, where)
            with t.guard("touch"):
                check_touch(t, b, path)
            with t.guard("400 pixels"):
                check_narrow(t, b, path, where)
            with t.guard("accessible"):
                check_accessible(t, b, path)
            with t.guard("without scripts"):
                check_noscript(t, b, path, stacks)
            t.ok(not b.said(), "no errors in all of this", b.said())
        t.trial("a recording", lib.in_scratch, check_recording, t)
        t.trial("waiting", lib.in_scratch, check_wall, t)
        t.trial("many stacks", lib.in_scratch, check_many, t)
    t.done()


main()
