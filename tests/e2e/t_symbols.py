#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The names that user/native gives to addresses of a file are those of nm, from .symtab or .dynsym, and
from debug files: inside of the file (.gnu_debugdata), by its build id, and by its link to one (.gnu_debuglink)."""

import bisect
import glob
import lzma
import os
import shutil
import subprocess

import interpreters
import lib

SOURCE = """
__attribute__((noinline)) static int inner(int x) { __asm__ volatile(""); return x + 1; }
__attribute__((noinline)) int outer(int x) { return inner(x) * 2; }
int __outer(int) __attribute__((alias("outer")));
int main(int argc, char **argv) { return outer(argc); }
"""


def run(*argv, **more):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def nm(path, *options):
    """{address: (size, {names})} of functions; of equal addresses the smallest size"""
    found = {}
    for line in run("nm", "-S", "--defined-only", *options, path, stderr=subprocess.DEVNULL).splitlines():
        word = line.split()
        if len(word) == 4 and word[2] in "tTwWiu":
            at, size = int(word[0], 16), int(word[1], 16)
            if size and (at not in found or size < found[at][0]):
                found[at] = size, set()
            if size and size == found[at][0]:
                found[at][1].add(word[3].split("@")[0])
    return found


def ask(path, addresses, root="/nowhere", *pid):
    """{address: (name, start)}; without those that have no name"""
    asked = "".join(f"{a:x}\n" for a in addresses)
    lines = run(lib.tool("symbolize"), path, root, *pid, input=asked).splitlines()
    words = [line.split(" ") for line in lines]
    return {int(w[0], 16): (w[1], int(w[2], 16)) for w in words if len(w) == 4}


def check(t, name, path, *options):
    symbols = nm(path, *options)
    asked = sorted({a for s, (size, _) in symbols.items() for a in (s, s + size // 2, s + size - 1)})
    got, wrong = ask(path, asked), []
    starts = sorted(symbols)
    for a in asked:
        what, start = got.get(a, ("-", None))
        size, names = symbols.get(start, (0, ()))
        near = bisect.bisect_right(starts, a)
        later = [s for s in starts[max(0, near - 8):near] if a < s + symbols[s][0]]
        if what not in names or not start <= a < start + size or start != max(later, default=None):
            wrong.append(f"{a:x}: {what} {start}")
    t.ok(len(symbols) > 100 and not wrong, f"{name}: names are nm's",
         f"{len(wrong)} of {len(asked)}, {len(symbols)} symbols\n" + "\n".join(wrong[:10]))
    ends = [s + size for s, (size, _) in symbols.items()]
    bare = [a for a in ends if not any(s <= a < s + symbols[s][0] for s in symbols)][:50]
    t.ok(not ask(path, bare), f"{name}: what no symbol covers has no name", ask(path, bare))
    t.note(f"{name}: {len(asked)} addresses of {len(symbols)} functions")


def check_debug_files(t, where):
    program, bare, debug, packed = (os.path.join(where, x) for x in ("p", "bare", "p.debug", "packed"))
    with open(program + ".c", "w") as f:
        f.write(SOURCE)
    run("cc", "-O1", "-g", "-Wl,--build-id", "-o", program, program + ".c")
    inner, outer = ({n: a for a, (_, names) in nm(program).items() for n in names}[x]
                    for x in ("inner", "outer"))
    want = {inner: ("inner", inner), outer: ("outer", outer)}
    t.ok(ask(program, want) == want, "debug files: the program itself", ask(program, want))
    run("objcopy", "--only-keep-debug", program, debug)
    run("strip", "-o", bare, program)
    t.ok(not ask(bare, want), "debug files: stripped, there is no name", ask(bare, want))
    with open(debug, "rb") as f, open(packed, "wb") as to:
        to.write(lzma.compress(f.read()))
    run("objcopy", f"--add-section=.gnu_debugdata={packed}", bare, bare + "-inside")
    t.ok(ask(bare + "-inside", want) == want, "debug files: inside of the file",
         ask(bare + "-inside", want))
    with open(packed, "r+b") as f:
        f.truncate(os.path.getsize(packed) // 2)
    run("objcopy", f"--add-section=.gnu_debugdata={packed}", bare, bare + "-cut")
    t.ok(not ask(bare + "-cut", want), "debug files: a truncated one gives no name")
    note = run("readelf", "-n", program)
    build = note.split("Build ID: ")[1].split()[0]
    place = f"{where}/root/usr/lib/debug/.build-id/{build[:2]}/{build[2:]}.debug"
    os.makedirs(os.path.dirname(place))
    os.rename(debug, place)
    t.ok(ask(bare, want, f"{where}/root") == want, "debug files: by build id")
    with open(program + ".c", "a") as f:
        f.write("int more;\n")
    run("cc", "-O1", "-g", "-Wl,--build-id", "-o", program, program + ".c")
    os.replace(program, place)
    t.ok(not ask(bare, want, f"{where}/root"), "debug files: one of another build is refused")


def check_links(t, where):
    """The places of a link, below a root: what is there belongs to the file by its CRC, or by its build id."""
    bare, made, root = (os.path.join(where, x) for x in ("bare", "made/lib.debug", "root"))
    os.makedirs(os.path.dirname(made))

    def build(identity, more=""):
        """A file without symbols, and its debug file. Returns what the debug file tells."""
        source = os.path.join(where, "l.c")
        with open(source, "w") as f:
            f.write(SOURCE + more)
        run("cc", "-O1", "-g", f"-Wl,--build-id={identity}", "-o", bare, source)
        inner = {n: a for a, (_, names) in nm(bare).items() for n in names}["inner"]
        run("objcopy", "--only-keep-debug", bare, made)
        run("strip", bare)
        run("objcopy", f"--add-gnu-debuglink={made}", bare)
        return {inner: ("inner", inner)}

    def flip(path):
        """Changes a byte of a section that names do not come from: the CRC is another one, the build id is not."""
        at = [x.split() for x in run("readelf", "-SW", path, stderr=subprocess.DEVNULL).replace("[ ", "[").splitlines() if ".debug_info" in x][0]
        with open(path, "r+b") as f:
            f.seek(int(at[4], 16) + 40)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 1]))

    for identity in ("none", "sha1"):
        want = build(identity)
        for place, folder in (("its folder", where), (".debug", where + "/.debug"),
                              ("/usr/lib/debug", "/usr/lib/debug" + where)):
            path = f"{root}{folder}/lib.debug"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(made, path)
            t.ok(ask(bare, want, root) == want, f"debug link, build id {identity}: in {place}", ask(bare, want, root))
            flip(path)
            t.ok((ask(bare, want, root) == want) == (identity == "sha1"),
                 f"debug link, build id {identity}: in {place}, the CRC counts if there is no build id")
            os.remove(path)
        shutil.copy(made, where)
        t.ok(ask(bare, want, root) == want, f"debug link, build id {identity}: the root has none, the host has")
        os.remove(where + "/lib.debug")
    path = f"{root}{where}/lib.debug"
    os.symlink("/".join([".."] * 30) + made, path)
    t.ok(not ask(bare, want, root), "debug link: a symbolic link does not lead out of the root")
    os.remove(path)
    os.mkfifo(path)
    t.ok(not ask(bare, want, root), "debug link: what is no regular file is not opened")
    os.remove(path)
    build("sha1", "int more;\n")
    os.rename(made, path)
    want = build("sha1")
    t.ok(not ask(bare, want, root), "debug link: a file of another build is refused")
    run("objcopy", "--remove-section=.gnu_debuglink", bare)
    with open(made, "wb") as f:
        f.write(b"../root" + where.encode() + b"/l\0" + bytes(4))
    run("objcopy", f"--add-section=.gnu_debuglink={made}", bare)
    t.ok(not ask(bare, want, root), "debug link: a name with folders, or of a wrong length, is refused")


def check_methods(t, name, interpreter):
    """The interpreter itself says which C function is behind a built-in name."""
    want, wrong = {}, []
    with lib.Target(interpreter, "methods.py") as p:
        for line in [x for x in p.out.lines if x.startswith("METHOD ")]:
            _, a, method = line.split()
            want.setdefault(int(a, 16), set()).add(method + "()")
        path = os.path.realpath(f"/proc/{p.pid}/exe")
        got = ask(path, want, "/nowhere", str(p.pid))
    for a, names in want.items():
        what, start = got.get(a, ("-", None))
        if start != a or (what not in names and what.endswith("()")) or what == "-":
            wrong.append(f"{a:x}: {what} {start}, not {names}")
    mine = sum(what.endswith("()") for what, _ in got.values())
    t.ok(len(want) > 200 and not wrong, f"{name}: methods have their names",
         f"{len(wrong)} of {len(want)}\n" + "\n".join(wrong[:10]))
    t.ok(mine > 200, f"{name}: from the tables of the process", f"{mine} of {len(want)}")
    t.note(f"{name}: {mine} of {len(want)} functions by a method table, the others by a symbol")


def main():
    t = lib.Tap()
    with t.guard("libc: names are nm's"):
        check(t, "libc", glob.glob("/usr/lib/*-linux-gnu/libc.so.6")[0], "-D")
    with t.guard("python3: names are nm's"):
        check(t, "python3", os.path.realpath("/usr/bin/python3"), "-D")
    with t.guard("a program with .symtab: names are nm's"):
        check(t, "a program with .symtab", lib.tool("unwindrows"))
    system = interpreters.probe(["/usr/bin/python3"], "system")
    with t.guard("python3: methods have their names"):
        if not system or system.shared:
            raise lib.Skip("no static /usr/bin/python3")
        check_methods(t, "python3", system)
    with t.guard("debug files"):
        lib.in_scratch(check_debug_files, t)
    with t.guard("debug links"):
        lib.in_scratch(check_links, t)
    t.done()


main()
