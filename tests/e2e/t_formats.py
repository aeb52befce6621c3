#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""One recording in every format, loaded by the programs that the formats are for: speedscope's
schema and page, go tool pprof, another reader of pprof's format, protoc. Each must show the stacks
of the recording with names, files, lines and weights, also for programs with unusual names."""

import dataclasses
import gzip
import json
import os
import re
import shutil
from collections import Counter

import lib
import pprof
import programs
import speedscope
from programs import command

READERS = ("ajv@8.17.1", "pprof-format@2.3.2")
SUFFIXES = ("krait", "folded", "jsonl", "pb.gz", "speedscope.json", "report", "folded.gz", "html",
            "html.gz", "pb", "JSON")
HZ = 999
COMM = "a;b <\u6f22> 42"
DECODE = """
const { Profile } = require(process.argv[1] + "/pprof-format");
const data = require("zlib").gunzipSync(require("fs").readFileSync(process.argv[2]));
const p = Profile.decode(data), text = (i) => p.stringTable.strings[Number(i)];
const functions = new Map(p.function.map((f) => [Number(f.id), f]));
const locations = new Map(p.location.map((l) => [Number(l.id), l.line[0]]));
const frame = (id) => {
  const line = locations.get(Number(id)), f = functions.get(Number(line.functionId));
  return [text(f.name), text(f.filename), Number(line.line)];
};
console.log(JSON.stringify(p.sample.map((s) => ({
  stack: s.locationId.map(frame).reverse(),
  count: Number(s.value[0]),
  ns: Number(s.value[1]),
  labels: Object.fromEntries(s.label.map((l) => [text(l.key), Number(l.num) || text(l.str)])),
}))));
"""
VALIDATE = """
const Ajv = require(process.argv[1] + "/ajv").default, read = (f) =>
  JSON.parse(require("fs").readFileSync(f, "utf8"));
const valid = new Ajv({ strict: false }).compile(read(process.argv[2]));
const ok = valid(read(process.argv[3]));
console.log(ok ? "valid" : JSON.stringify(valid.errors.slice(0, 3)));
"""
ACTING = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")  # controls a terminal, or ends a line
LOCATION = re.compile(r"\s*(\d+): 0x0 (?:M=\d+ )?(.*) (\S*):(\d+):\d+ s=\d+(\(\))?\Z")


def record(where):
    link = os.path.join(where, COMM)
    os.symlink("/usr/bin/python3", link)
    odd = dataclasses.replace(lib.system(), argv=(link,))
    outputs = [x for s in SUFFIXES for x in ("-o", f"{where}/r.{s}")]
    with lib.Target(odd, "names.py") as names, lib.Target(odd, "shapes.py") as shapes:
        pids = names.pid, shapes.pid
        with lib.Krait("-p", "%d,%d" % pids, "-F", HZ, "--full-paths", *outputs) as k:
            lib.compute(1, *pids)
            k.finish()
        return pids


def samples(path):
    """The lines of type samples."""
    with open(path, encoding="utf-8", newline="\n") as f:
        return [x for x in map(json.loads, f) if x["type"] == "samples"]


def stack_of(sample):
    return tuple((f["name"], f.get("file", ""), f.get("line", 0)) for f in sample["stack"])


def ours(path):
    """{((name, file, line), ...): weight}"""
    shown = Counter()
    for s in samples(path):
        shown[stack_of(s)] += s["weight"]
    return shown


def difference(a, b):
    keys = [k for k in {*a, *b} if a[k] != b[k]]
    return "\n".join(f"{k[-2:]}: {a[k]}, {b[k]}" for k in keys[:4])


def same(t, name, shown, wanted):
    t.ok(shown == wanted, f"{name}: each stack and its weight", difference(shown, wanted))
    t.note(f"{name}: {len(shown)} stacks, {sum(shown.values())} samples")


# --- readers --------------------------------------------------------------------------------------

def folded(path):
    """{(root, text of the other frames): samples} of a folded file."""
    shown = Counter()
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f.read().splitlines():
            text, _, count = line.rpartition(" ")
            root, _, frames = text.partition(";")
            shown[root, frames.replace(":~", ":")] += int(count)
    return shown


def escaped(text, odd):
    """The text with the characters that match `odd` escaped."""
    def one(m):
        c = ord(m[0])
        return f"\\{'abtnvfr'[c - 7]}" if 7 <= c < 14 else f"\\x{c:02x}" if c < 0x80 else \
            f"\\u{c:04x}" if c < 0x10000 else f"\\U{c:08x}"
    return odd.sub(one, text)


def bare(name, file):
    """Removes the file name that formats without function ids append to ambiguous names."""
    at = name.find(" (")
    while at >= 0 and not (name.endswith(")") and file.endswith(name[at + 2:-1])):
        at = name.find(" (", at + 1)
    return name if at < 0 else name[:at]


def bared(stacks):
    shown = Counter()
    for stack, weight in stacks.items():
        shown[tuple((bare(name, file), file, line) for name, file, line in stack)] += weight
    return shown


def printed(stacks):
    """The stacks as pprof has them: with control characters escaped, because readers print them."""
    shown = Counter()
    for stack, weight in stacks.items():
        shown[tuple((escaped(name, ACTING), escaped(file, ACTING), line) for name, file, line in stack)] += weight
    return shown


def folded_text(stack):
    """A stack as folded text, in which control characters are escaped and ';' is ':'."""
    def said(f):
        name, file, line = (escaped(str(x), lib.CONTROL).replace(";", ":") for x in f)
        return f"{name} ({file}{f':{line}' if f[2] else ''})" if file else name
    return ";".join(map(said, stack))


def check_folded(t, where, wanted):
    texts, shown = Counter(), Counter()
    for stack, weight in wanted.items():
        texts[folded_text(stack)] += weight
    for (_, text), weight in folded(f"{where}/r.folded").items():
        shown[text] += weight
    same(t, "folded", shown, texts)


def check_schema(t, where):
    modules = programs.node_modules("readers", READERS)
    schema = f"{speedscope.release()}/file-format-schema.json"
    said = command(["node", "-e", VALIDATE, modules, schema, f"{where}/r.speedscope.json"])
    t.ok(said == "valid\n", "speedscope: valid by its schema", said)


def check_speedscope(t, where, wanted, pids):
    name = "speedscope's page"
    with speedscope.opened(f"{where}/r.speedscope.json") as page:
        said = page.exported()
        frames = [(f["name"], f.get("file", ""), f.get("line", 0)) for f in said["shared"]["frames"]]
        t.ok({p["unit"] for p in said["profiles"]} == {"seconds"}, f"{name}: weights are seconds")
        profiles = [speedscope.replay(p, frames, HZ) for p in said["profiles"]]
        same(t, name, bared(sum(profiles, Counter())), +Counter({k: v for k, v in wanted.items() if k}))
        menu = [(p["name"], speedscope.text_of(sum(x.values()), HZ)) for p, x in zip(said["profiles"], profiles)]
        t.ok(page.profiles() == menu and {int(n.rpartition("-")[2]) for n, _ in menu} == set(pids),
             f"{name}: a profile for each process", f"{page.profiles()} {menu}")
        for number, stacks in enumerate(profiles):
            if number:
                page.next_profile()
            speedscope.check_shown(t, f"{name}, profile {number + 1}", page, stacks, lambda f: f[0], HZ)


def check_pprof(t, where, wanted, pids):
    modules = programs.node_modules("readers", READERS)
    read = json.loads(command(["node", "-e", DECODE, modules, f"{where}/r.pb.gz"]))
    shown = Counter()
    for s in read:
        shown[tuple(map(tuple, s["stack"]))] += s["count"]
    same(t, "pprof-format", bared(shown), printed(wanted))
    t.ok({s["labels"]["pid"] for s in read} == set(pids), "pprof-format: labels have the pids")
    t.ok({s["labels"]["comm"] for s in read} == {COMM[:15].strip()} or
         all(s["labels"]["comm"] for s in read), "pprof-format: labels have the names")
    period = 1e9 / HZ
    t.ok(all(abs(s["ns"] / s["count"] - period) < 1 for s in read), "pprof-format: ns of a sample")


def check_protoc(t, where, wanted):
    """The file decoded by our own description of the format (profile.proto)."""
    name, message = "protoc", pprof.decode(f"{where}/r.pb.gz")
    unknown = set(pprof.unknown(message))
    t.ok(not unknown, f"{name}: no other fields", unknown)
    shown, texts = Counter(), Counter()
    for stack, values, labels in pprof.samples(message):
        shown[stack] += values[0]
        stack = tuple((bare(name, file), file, line) for name, file, line in stack)
        texts[f"{labels['comm'].replace(';', ':')}-{labels['pid']}", folded_text(stack)] += values[0]
    same(t, name, bared(shown), printed(wanted))
    same(t, f"{name} and folded", folded(f"{where}/r.folded"), texts)
    text = message["text"]
    kinds = [(text[pprof.one(x, "name")], text[pprof.one(x, "unit")]) for x in message["type"]]
    t.ok(kinds == [("samples", "count"), ("cpu", "nanoseconds")], f"{name}: kinds of values", kinds)
    t.ok(text[0] == "" and len(set(text)) == len(text), f"{name}: texts, each once, the empty one first")


def go_pprof():
    go = shutil.which("go")
    if not go:
        raise lib.Skip("no go")
    return [go, "tool", "pprof"]


def check_go(t, where, wanted):
    """`-raw` prints samples with locations, and locations with names, files and lines; `-top`
    prints the samples of each function."""
    text = command([*go_pprof(), "-raw", f"{where}/r.pb.gz"])
    body, _, rest = text.partition("\nLocations\n")
    total = sum(int(m[1]) for m in re.finditer(r"(?m)^ +(\d+) +\d+: [\d ]*$", body))
    t.ok(total == sum(wanted.values()), "go tool pprof: total weight",
         f"{total} {sum(wanted.values())}")
    lines = [LOCATION.match(x) for x in rest.partition("\nMappings")[0].splitlines()]
    shown = {("<module>", int(m[4])) for m in lines if m and m[2].startswith("<module>")}
    want = {(f[0], f[2]) for stack in wanted for f in stack if f[0] == "<module>" and f[1]}
    t.ok(shown >= {w for w in want if w[1]} and want, "go tool pprof: <module> and its lines",
         f"{shown} {want}")
    top = command([*go_pprof(), "-top", "-sample_index=samples", "-nodecount=10000",
                   "-nodefraction=0", f"{where}/r.pb.gz"])
    flat = {}
    for x in top.splitlines():
        m = re.match(r" *(\d+) +[\d.]+% +[\d.]+% +(\d+) +[\d.]+%  (.*)", x)
        if m:
            flat[m[3].partition(" ")[0]] = (int(m[1]), int(m[2]))
    leaf = Counter()
    for stack, weight in wanted.items():
        leaf[stack[-1][0] if stack else ""] += weight
    bad = [f for f in ("texts", "small", "bodies") if flat.get(f, (0,))[0] != leaf[f]]
    t.ok(not bad, "go tool pprof -top: the samples of functions",
         f"{[(f, flat.get(f), leaf[f]) for f in bad]}")


def check_report(t, where, wanted):
    """The table's share of a function is the recording's, and lies in the printed interval."""
    status, out, err = lib.usage("report", f"{where}/r.krait", "--limit", 0)
    t.ok(status == 0, "report: exit status", err)
    leaf, total = Counter(), sum(wanted.values())
    for stack, weight in wanted.items():
        leaf[stack[-1][:2] if stack else ""] += weight
    seen = 0
    for line in out.splitlines():
        m = re.match(r" *([\d.]+)  ([\d.]+)\.\.([\d.]+)( +[\d.]+){4}  [\d.]+\.\.[\d.]+ +texts \(", line)
        if m:
            share = 100 * leaf[next(k for k in leaf if k and k[0] == "texts")] / total
            t.ok(abs(float(m[1]) - share) < 0.006, "report: the share of a function",
                 f"{m[1]} {share}")
            t.ok(float(m[2]) <= share <= float(m[3]), "report: its interval", line)
            seen += 1
    t.ok(seen == 1, "report: a row for each function", out[:500])


def check_again(t, where, wanted):
    """`krait report` of the recording gives what `krait record` wrote. (The recording stores equal
    frames once, so a line of JSON may stand for two.)"""
    for suffix in ("folded", "jsonl"):
        status, _, err = lib.usage("report", f"{where}/r.krait", "--full-paths", "-o",
                                   f"{where}/again.{suffix}")
        t.ok(status == 0, f"report -o again.{suffix}: exit status", err)
    same(t, "again.jsonl", ours(f"{where}/again.jsonl"), wanted)
    with open(f"{where}/again.folded", "rb") as a, open(f"{where}/r.folded", "rb") as b:
        t.ok(a.read() == b.read(), "again.folded: the same bytes")


def content(path, packed=False):
    with (gzip.open if packed else open)(path, "rb") as f:
        return f.read()


def check_endings(t, where):
    """The file extension selects the format, in upper or lower case; a further .gz compresses."""
    for name, other, packed in (("folded.gz", "folded", True), ("html.gz", "html", True),
                                ("pb.gz", "pb", True), ("JSON", "speedscope.json", False)):
        shown = content(f"{where}/r.{name}", packed)
        t.ok(shown and shown == content(f"{where}/r.{other}"), f"{name}: same content as {other}")
    status, _, err = lib.usage("report", f"{where}/r.krait", "--full-paths", "-f", "folded", "-o",
                               f"{where}/again.data.gz")
    t.ok(status == 0 and content(f"{where}/again.data.gz", True) == content(f"{where}/r.folded"),
         "report -f folded: any extension, and .gz", err)


def check_clean(t, where):
    """No text has control characters other than line ends, or invisible characters."""
    for suffix in ("folded", "speedscope.json", "jsonl", "report"):
        with open(f"{where}/r.{suffix}", encoding="utf-8", newline="\n") as f:
            odd = [c for c in lib.CONTROL.findall(f.read()) if c != "\n"]
        t.ok(not odd, f"{suffix}: no control characters", odd[:5])


def main():
    lib.need_krait()
    t = lib.Tap()
    with lib.scratch() as where, t.guard("a recording in every format"):
        pids = record(where)
        wanted = ours(f"{where}/r.jsonl")
        t.ok(sum(wanted.values()) > 500, "recorded", sum(wanted.values()))
        for name, check in (("folded", lambda: check_folded(t, where, wanted)),
                            ("speedscope's schema", lambda: check_schema(t, where)),
                            ("speedscope's page", lambda: check_speedscope(t, where, wanted, pids)),
                            ("pprof-format", lambda: check_pprof(t, where, wanted, pids)),
                            ("protoc", lambda: check_protoc(t, where, wanted)),
                            ("go tool pprof", lambda: check_go(t, where, wanted)),
                            ("report", lambda: check_report(t, where, wanted)),
                            ("report again", lambda: check_again(t, where, wanted)),
                            ("endings", lambda: check_endings(t, where)),
                            ("clean", lambda: check_clean(t, where))):
            with t.guard(name):
                check()
    t.done()


main()
