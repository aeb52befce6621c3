#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""wheel.py TAG MACHINE LIBRARY DIR: make DIR/bin/pythonX.Y, CPython as manylinux builds it.

No distribution has builds of 3.14t and 3.15t, but the wheels of an application freezer do: each
contains the launcher of frozen applications, which includes a complete release build of CPython,
and the extension modules. Two things distinguish it from the python command: its main() looks for a
frozen application, and the library's Python modules are missing. So its _start is patched to call
Py_BytesMain instead of main, and LIBRARY, a lib/pythonX.Y of that minor version, is copied beside
it.

TAG is a wheel's ABI tag (cp314t), MACHINE is x86_64 or aarch64. DIR appears only when it is
complete. Exit status 77: not available here."""

import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "freeze-core==0.8.1"
LEFT_OUT = shutil.ignore_patterns("lib-dynload", "__pycache__", "config-*", "test")


class Unavailable(Exception):
    pass


def download(tag, machine, where):
    """Downloads the wheel; returns its path."""
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
            "--disable-pip-version-check", "--implementation", "cp", "--abi", tag,
            "--python-version", re.sub(r"cp(\d)(\d+)t?", r"\1.\2", tag),
            "--platform", f"manylinux2014_{machine}", "-d", where, PACKAGE]
    r = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if r.returncode:
        raise Unavailable((r.stderr.strip().splitlines() or ["pip failed"])[-1])
    return glob.glob(f"{where}/*.whl")[0]


def entry(elf):
    """The file offset of the program's entry point, _start."""
    address, headers = struct.unpack_from("<QQ", elf, 24)
    for i in range(struct.unpack_from("<H", elf, 56)[0]):
        kind, _, offset, start, _, size = struct.unpack_from("<IIQQQQ", elf, headers + 56 * i)
        if kind == 1 and start <= address < start + size:  # PT_LOAD
            return offset + address - start
    raise ValueError("no segment has the entry")


def address_of_main(elf, machine):
    """(file offset, size) of main's address, which _start passes to libc as the first argument."""
    at = entry(elf)
    if machine == "x86_64":
        return elf.index(b"\x48\xc7\xc7", at, at + 64) + 3, 4  # mov $main,%rdi
    for here in range(at, at + 64, 4):
        word = struct.unpack_from("<I", elf, here)[0]
        if word & 0xff00001f == 0x58000000:  # ldr x0, <location of main's address>
            return here + (word >> 5 & 0x7ffff) * 4, 8
    raise ValueError("_start has another form")


def command(program, machine):
    """The program patched to start Py_BytesMain, as the python command does."""
    symbols = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=True)
    main = int(re.search(r"^(\w+) T Py_BytesMain$", symbols.stdout, re.M)[1], 16)
    with open(program, "rb") as f:
        elf = bytearray(f.read())
    at, width = address_of_main(elf, machine)
    elf[at:at + width] = main.to_bytes(width, "little")
    return elf


def make(tag, machine, library, where):
    name = re.sub(r"cp(\d)(\d+)", r"python\1.\2", tag)
    with tempfile.TemporaryDirectory(dir=where) as work:
        with zipfile.ZipFile(download(tag, machine, work)) as z:
            z.extractall(work)
        os.makedirs(f"{where}/bin")
        shutil.copytree(library, f"{where}/lib/{name}", ignore=LEFT_OUT,
                        ignore_dangling_symlinks=True)
        os.rename(f"{work}/freeze_core/lib", f"{where}/lib/{name}/lib-dynload")
        os.rename(f"{work}/freeze_core.libs", f"{where}/lib/freeze_core.libs")
        program = glob.glob(f"{work}/freeze_core/bases/console-*-{machine}-linux-gnu")[0]
        with open(f"{where}/bin/{name}", "wb") as f:
            f.write(command(program, machine))
    os.chmod(f"{where}/bin/{name}", 0o755)
    flavour = "t" if tag.endswith("t") else ""
    # LIBRARY has this file only for its own build, which may be of another architecture.
    with open(f"{where}/lib/{name}/_sysconfigdata_{flavour}_linux_{machine}-linux-gnu.py", "w") as f:
        f.write('build_time_vars = {"Py_GIL_DISABLED": %d}\n' % (flavour == "t"))


def main(tag, machine, library, where):
    fresh = f"{where}.{os.getpid()}"
    os.makedirs(fresh)
    try:
        make(tag, machine, library, fresh)
        os.rename(fresh, where)
    except Unavailable as e:
        print(e, file=sys.stderr)
        return 77
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
