#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Native frames (-n): between each Python function and the one that C code called for it lies that C code,
and nothing else. The Python frames are those of a recording without native ones."""

import collections
import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile

import interpreters
import lib
import pprof

RATE = 997
SECONDS = 2  # of CPU time
SLEPT = "1s"
WAYS = (6, 11, 12)  # minor versions: by code, by _PyCFrame, by the entry frame
WRONG = 0.001  # of the samples, at most
MARKED = 0.01
# Functions of the standard library, which start threads.
THREADS = ("_bootstrap", "_bootstrap_inner", "run")


def calls():
    path = os.path.join(lib.TARGETS, "natives.py")
    spec = importlib.util.spec_from_file_location("natives", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CALLS


def record(path, target, *args):
    with lib.Krait("-p", target.pid, "-o", path, "-F", RATE, *args) as k:
        lib.compute(SECONDS, target.pid)
        return k.finish()


def samples_of(path):
    with open(path, encoding="utf-8") as f:
        return [x for x in map(json.loads, f) if x["type"] == "samples"]


def name(frame):
    return lib.FIRST.sub("", frame["name"].rpartition(".")[2])


def steps(sample):
    """(caller, callee, C functions between them) along the stack, then (leaf, None, ...)."""
    caller, between, found = None, [], []
    for f in sample["stack"]:
        if f.get("kind") == "native" or f.get("mark"):
            between.append(f["name"])
        else:
            found.append((caller, name(f), between))
            caller, between = name(f), []
    return found + [(caller, None, between)]


def is_right(known, caller, callee, between):
    if caller is None or callee is None or callee in THREADS or caller in THREADS:
        return True
    if (caller, callee) not in known:
        return False
    wanted = known[caller, callee]
    if wanted is None:
        return True
    return any(wanted in x for x in between) if wanted else not between


def marks(sample):
    return [f["name"] for f in sample["stack"] if f["name"].startswith("[native:")]


def wrong(known, sample):
    if marks(sample) or any(f.get("mark") for f in sample["stack"]):
        return []
    return [s for s in steps(sample) if not is_right(known, *s)]


def check_order(t, label, known, samples):
    total = sum(s["weight"] for s in samples)
    bad = collections.Counter()
    for s in samples:
        for caller, callee, between in wrong(known, s)[:1]:
            bad[f"{caller} -> {';'.join(between)} -> {callee}"] += s["weight"]
    t.bound(total and sum(bad.values()) <= WRONG * total, f"C functions are between their callers and callees {label}",
            f"{sum(bad.values())} of {total} samples: {bad.most_common(5)}")


def check_marks(t, label, samples):
    total = sum(s["weight"] for s in samples)
    seen = collections.Counter()
    for s in samples:
        for m in marks(s)[:1]:
            seen[m] += s["weight"]
    t.bound(sum(seen.values()) <= MARKED * total, f"native stacks are whole {label}",
            f"of {total} samples: {seen.most_common(5)}")


def python(sample):
    return tuple(name(f) for f in sample["stack"] if not f.get("kind") and not f.get("mark"))


def check_python(t, label, samples, plain, rare=0.02):
    """Each Python stack of either recording, unless it is rare, is in the other one, too."""
    sides = []
    for recording in (samples, plain):
        weights = collections.Counter()
        for s in recording:
            weights[python(s)] += s["weight"]
        sides.append((weights, sum(weights.values())))
    missing = [x for (a, total), (b, _) in (sides, sides[::-1]) for x, n in a.items()
               if n > rare * total and x not in b]
    t.bound(not missing, f"Python frames are those without -n {label}", missing[:3])


def check_seen(t, label, samples, ctypes):
    """Everything that the target does is seen, its C functions at least once."""
    seen = {(a, b) for s in samples for a, b, _ in steps(s)}
    wanted = {("ordered", "key"), ("folded", "fold"), ("summed", "item"), ("nested", "deeper")}
    if ctypes:
        wanted.add(("compared", "compare"))
    t.bound(not wanted - seen, f"all calls are seen {label}", wanted - seen)
    leaves = collections.Counter()
    for s in samples:
        caller, _, between = steps(s)[-1]
        if caller == "squeeze" and between:
            leaves[between[0]] += s["weight"]
    t.bound(leaves, f"compression shows its C functions {label}", leaves)


def run(t, interpreter, folder, known):
    label = f"[{interpreter.label}]"
    both, plain = (os.path.join(folder, f"{x}.jsonl") for x in ("both", "plain"))
    with lib.Target(interpreter, "natives.py") as target:
        record(both, target, "-n")
        record(plain, target)
        samples = samples_of(both)
        check_order(t, label, known, samples)
        check_marks(t, label, samples)
        check_python(t, label, samples, samples_of(plain))
        check_seen(t, label, samples, "ctypes" in target.ready)


def swapped(t, folder):
    """A library takes the place of another one. No stack may have C functions of the one that is gone."""
    path = os.path.join(folder, "swapped.jsonl")
    with lib.Target(lib.system(), "swapped.py", lib.helper("swapped"), lib.helper("swapped_other")) as target:
        record(path, target, "-n")
    weights = collections.Counter()
    for s in samples_of(path):
        names = {name(f) for f in s["stack"]}
        for here, there in (("one", "other"), ("other", "one")):
            if f"in_{here}" in names and "weigh" in names:
                kind = "wrong" if f"middle_{there}" in names else "marked" if marks(s) else "right" \
                    if f"middle_{here}" in names else "without"
                weights[here, kind] += s["weight"]
    total = sum(weights.values())
    right = weights["one", "right"], weights["other", "right"]
    t.bound(min(right) > 0 and sum(right) >= 0.9 * total, "both libraries are seen", weights)
    t.ok(not weights["one", "wrong"] + weights["other", "wrong"] + weights["one", "without"] +
         weights["other", "without"], "a library's frames are never another one's", weights)


FAMILY = """
import os, sys, time
def weigh(n):
    return sum(i * n % 7 for i in range(50))
def ordered():
    end = time.process_time() + 0.2
    while time.process_time() < end:
        sorted(range(300), key=weigh)
if len(sys.argv) == 1:
    children = []
    while len(children) < 3 and 0 not in children:
        children.append(os.fork())
    if 0 in children:
        ordered()
        os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    os.execv(sys.executable, [sys.executable, __file__, "again"])
ordered()
"""


def family(t, folder):
    """Children of a fork, and another program in the same process."""
    script, path = os.path.join(folder, "family.py"), os.path.join(folder, "family.jsonl")
    with open(script, "w", encoding="utf-8") as f:
        f.write(FAMILY)
    status, _, said = lib.usage("record", "-n", "-F", RATE, "-o", path, "--", *lib.system().argv, script)
    t.ok(status == 0, "a program with children is recorded", said)
    seen = collections.Counter()
    for s in samples_of(path):
        for caller, callee, between in steps(s):
            if (caller, callee) == ("ordered", "weigh"):
                seen["sort" in " ".join(between), s["pid"]] += s["weight"]
    t.bound(len({pid for good, pid in seen if good}) >= 4, "children and a program after exec have C functions", seen)
    bad = sum(n for (good, _), n in seen.items() if not good)
    t.bound(bad <= 0.05 * sum(seen.values()), "nearly each of their stacks has", seen)


CALLER = """
import ctypes, os, sys, time
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
def weigh(n):
    return sum(i * n % 7 for i in range(50))
def order(seconds):
    outer, callback = ctypes.CDLL(sys.argv[1]).outer, CALLBACK(weigh)
    for path in sys.argv[3:]:
        os.remove(path)
    end = time.process_time() + seconds
    while time.process_time() < end:
        outer(callback, 100)
order(float(sys.argv[2]))
"""


def call_library(t, folder, library, *args, remove=()):
    """Records CALLER with a library, which removes files. Returns {C functions between order and weigh: weight}."""
    script, path = os.path.join(folder, "caller.py"), os.path.join(folder, "caller.jsonl")
    with open(script, "w", encoding="utf-8") as f:
        f.write(CALLER)
    status, _, said = lib.usage("record", "-n", "-F", RATE, "-o", path, *args, "--", *lib.system().argv, script,
                                library, 0.5, *remove)
    t.ok(status == 0, "a program with a library is recorded", said)
    seen = collections.Counter()
    for s in samples_of(path):
        for caller, callee, between in steps(s):
            if (caller, callee) == ("order", "weigh"):
                seen[tuple(between)] += s["weight"]
    return seen


def languages(t, folder):
    """C++ and Rust names are readable; one that would take a day stays as it is, and holds nothing up."""
    seen = call_library(t, folder, lib.helper("mangled"))
    right = sum(n for names, n in seen.items() for i in range(len(names))
                if names[i:i + 3] == ("outer", "shop::Cart::order<3>", "<shop::Cart>::total") and
                names[i + 3].startswith("_Z1fIDp"))
    t.bound(right >= 0.9 * sum(seen.values()) > 0, "C++ and Rust names are readable", seen.most_common(3))


def debug_links(t, folder):
    """Functions that only the debug file beside a library knows, also of a library that is not there any more."""
    source, library, debug = (os.path.join(folder, x) for x in ("hidden.c", "hidden.so", "hidden.debug"))
    with open(source, "w", encoding="utf-8") as f:
        f.write("__attribute__((noinline)) static int hidden(int (*f)(int), int n)\n"
                "{ int sum = 0; while (n--) sum += f(n); return sum; }\n"
                "int outer(int (*f)(int), int n) { return hidden(f, n) + 1; }\n")
    subprocess.run(["cc", "-O1", "-g", "-shared", "-fPIC", "-o", library, source], check=True)
    subprocess.run(["objcopy", "--only-keep-debug", library, debug], check=True)
    subprocess.run(["strip", library], check=True)
    before = call_library(t, folder, library)
    t.bound(before and not any("hidden" in names for names in before), "a stripped function has no name", before)
    subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", library], check=True)
    for what, remove in (("beside it", ()), ("beside one that was deleted", [library])):
        seen = call_library(t, folder, library, remove=remove)
        right = sum(n for names, n in seen.items() if "hidden" in names)
        t.bound(right >= 0.9 * sum(seen.values()) > 0, f"its debug file is found {what}", seen.most_common(3))


def code_segment(path):
    """(address, size, offset) of the first segment with code, as readelf has it."""
    out = subprocess.run(["readelf", "-lW", path], check=True, capture_output=True, text=True).stdout
    words = next(x.split() for x in out.splitlines() if " LOAD " in x and " E " in x)
    return tuple(int(words[i], 16) for i in (2, 4, 1))


def build_id(path):
    out = subprocess.run(["readelf", "-n", path], check=True, capture_output=True, text=True).stdout
    return out.partition("Build ID: ")[2].split("\n")[0]


def addresses(t, folder):
    """pprof has the address and the file of each C function, so that other tools can name it again: directly, and
    from a recording."""
    library, stored, direct, later = lib.helper("mangled"), *(os.path.join(folder, "r." + x) for x in
                                                               ("krait", "pb.gz", "later.pb.gz"))
    call_library(t, folder, library, "-o", stored, "-o", direct)
    lib.usage("report", stored, "-o", later)
    messages = [pprof.decode(x) for x in (direct, later)]
    for message, how in zip(messages, ("directly", "from a recording")):
        text, mappings = message["text"], {pprof.one(m, "id"): m for m in message["mapping"]}
        names = {pprof.one(f, "id"): text[pprof.one(f, "name")] for f in message["function"]}
        found = {}
        for x in message["location"]:
            if x.get("line") and x.get("mapping"):
                found[names[pprof.one(x["line"][0], "function")]] = pprof.one(x, "address"), pprof.one(x, "mapping")
        address, mapping = found.get("shop::Cart::order<3>", (0, 0))
        out = subprocess.run(["addr2line", "-f", "-e", library, hex(address)], capture_output=True, text=True).stdout
        t.ok(out.startswith("_ZN4shop4Cart5order"), f"pprof: another tool names an address, {how}", (found, out))
        m = mappings.get(mapping, {})
        start, size, offset = code_segment(library)
        t.ok(m and text[pprof.one(m, "file")] == os.path.realpath(library) and
             text[pprof.one(m, "build_id")] == build_id(library), f"pprof: its file and build id, {how}", m)
        t.ok(m and pprof.one(m, "start") <= start and start + size <= pprof.one(m, "limit") and
             start - pprof.one(m, "start") == offset - pprof.one(m, "offset") < 4096,
             f"pprof: its mapping is the segment of the file, {how}", (m, start, size, offset))
        nameless = {pprof.one(x, "mapping") for x in message["location"] if not x.get("line")}
        wrong = [m for i, m in mappings.items() if pprof.one(m, "has_functions") != (i not in nameless)]
        t.ok(not wrong and pprof.one(m, "has_functions"),
             f"pprof: a mapping has functions if none is without a name, {how}", wrong)
    sums = [collections.Counter(), collections.Counter()]
    for message, seen in zip(messages, sums):
        for stack, values, labels in pprof.samples(message):
            seen[stack, labels["kind"]] += values[0]
    t.ok(sums[0] == sums[1] and sums[0], "pprof: the same samples directly and from a recording")
    go = shutil.which("go")
    if go:
        out = subprocess.run([go, "tool", "pprof", "-symbolize=none", "-raw", direct], capture_output=True, text=True)
        t.ok(re.search(r"0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ \S*/mangled\.so " + build_id(library) + r" \[FN\]", out.stdout),
             "go tool pprof: the mapping has its build id and functions", out.stderr or out.stdout[-600:])


# Function that blocks: C function that it blocks in.
BLOCKS = {"dozing": "sleep", "waiting": "acquire"}


def asleep(samples, function):
    """{C functions that a Python function blocks in, the innermost last: weight}"""
    found = collections.Counter()
    for s in samples:
        caller, _, between = steps(s)[-1]
        if caller == function and s["state"] in ("sleeping", "futex"):
            found[tuple(between)] += s["weight"]
    return found


def ticks(samples, function):
    return sum(s["weight"] for s in samples if any(name(f) == function for f in s["stack"]))


def check_asleep(t, label, samples, plain):
    for function, wanted in BLOCKS.items():
        found = asleep(samples, function)
        total = sum(found.values())
        good = sum(n for names, n in found.items() if any(wanted in x for x in names))
        t.bound(total and good >= 0.98 * total, f"{function} shows the C functions that it blocks in {label}",
                (good, total, found.most_common(4)))
        both = ticks(samples, function), ticks(plain, function)
        t.bound(abs(both[0] - both[1]) <= 0.1 * max(both), f"{function} is counted as often as without -n {label}", both)


def record_both(target, folder, *args):
    """The samples with and without -n of the same time."""
    paths = {x: os.path.join(folder, f"{x}.jsonl") for x in ("-n", "plain")}
    kraits = []
    with contextlib.ExitStack() as on:
        for kind, path in paths.items():
            extra = [kind] if kind == "-n" else []
            kraits.append(on.enter_context(lib.Krait("-p", target.pid, "-o", path, "-F", RATE, "-d", SLEPT, *args, *extra,
                                                     wait=False)))
        for k in kraits:
            k.result()
    return [samples_of(path) for path in paths.values()]


def run_wall(t, interpreter, folder, known):
    label = f"[wall, {interpreter.label}]"
    with lib.Target(interpreter, "natives.py") as target:
        samples, plain = record_both(target, folder, "-m", "wall", "--idle", "skip")
        check_order(t, label, known, samples)
        check_marks(t, label, samples)
        check_python(t, label, samples, plain)
        check_asleep(t, label, samples, plain)
        t.ok(not ticks(samples, "park"), f"a thread that waits for work can be left out {label}", ticks(samples, "park"))


def gil(t, folder, known):
    """Only threads that hold the GIL, which do not block."""
    with lib.Target(lib.system(), "natives.py") as target:
        samples, plain = record_both(target, folder, "-m", "gil")
    check_order(t, "[gil]", known, samples)
    check_marks(t, "[gil]", samples)
    check_python(t, "[gil]", samples, plain, 0.05)
    t.bound(samples and not any(asleep(samples, f) for f in BLOCKS), "no thread without the GIL is counted", len(samples))


SQUEEZER = """
import time, zlib
data = bytes(range(256)) * 400
def squeeze():
    zlib.compress(data, 9)
end = time.process_time() + 0.6
while time.process_time() < end:
    squeeze()
"""


def libraries(t, folder):
    """The kind of code of a sample tells the library, in each format and as a condition."""
    script, stored = os.path.join(folder, "squeezer.py"), os.path.join(folder, "kinds.krait")
    with open(script, "w", encoding="utf-8") as f:
        f.write(SQUEEZER)
    lib.usage("record", "-n", "-F", RATE, "-o", stored, "--", *lib.system().argv, script)
    listed, wanted, told = os.path.join(folder, "kinds.jsonl"), collections.Counter(), collections.Counter()
    lib.usage("report", stored, "-o", listed)
    for s in samples_of(listed):
        if s.get("kind") == "native" and s["stack"] and s["stack"][-1].get("kind") == "native":
            module = os.path.basename(s["stack"][-1]["module"])
            wanted[f"native: {module}"] += s["weight"]
            told[s.get("module") == module] += s["weight"]
    t.ok(not told[False] and told[True], "JSON has the library of a sample", told)
    squeezed = [x for x in wanted if "libz" in x]
    t.bound(squeezed, "compression runs in its library", wanted)
    folded = os.path.join(folder, "kinds.folded")
    lib.usage("report", stored, "--by", "kind", "-o", folded)
    got = collections.Counter()
    with open(folded, encoding="utf-8") as f:
        for line in f:
            got[line.partition(";")[0]] += int(line.rpartition(" ")[2])
    t.ok({k: n for k, n in got.items() if k.startswith("native: ")} == dict(wanted), "--by kind names the library",
         (got, wanted))
    lib.usage("report", stored, "--where", "kind=native: libz*", "-o", listed)
    total = sum(s["weight"] for s in samples_of(listed))
    t.ok(total == sum(wanted[x] for x in squeezed), "--where kind='native: libz*'", (total, wanted))


def refused(t):
    status, _, said = lib.usage("record", "-n", "-m", "wall", "--visit-all", "-d", "1")
    t.ok(status and "--native" in said and "6.2" in said, "-n needs a visitor that finds threads by id", (status, said))


def main():
    lib.need_krait()
    t = lib.Tap()
    known = calls()
    refused(t)
    with tempfile.TemporaryDirectory() as folder:
        t.trial("libraries that replace each other", swapped, t, folder)
        t.trial("children", family, t, folder)
        t.trial("languages", languages, t, folder)
        t.trial("debug links", debug_links, t, folder)
        t.trial("addresses", addresses, t, folder)
        t.trial("libraries of samples", libraries, t, folder)
        t.trial("gil", gil, t, folder, known)
    for i, label in t.each_interpreter("native", here=True, chosen=interpreters.few):
        with tempfile.TemporaryDirectory() as folder:
            t.trial(label, run, t, i, folder, known)
            if lib.TRUTH or i.minor[1] in WAYS:
                t.trial(f"{label}, wall", run_wall, t, i, folder, known)
    t.done()


main()
