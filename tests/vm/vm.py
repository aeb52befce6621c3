#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots Debian kernels in QEMU, with a tree of this machine as root file system. It uses no
hardware virtualization, which is not available everywhere.

    vm.py list                 the rows of tests/vm/kernels
    vm.py KERNEL CMD [ARG...]  boots, runs CMD (an absolute path) as root, gives its output and
                               exit status

The guest sees the trees read-only, with overlays in memory for writes, and can write to /out. It is
some 20 times slower than this machine. A warning of its kernel is a failure, whatever the command's
status."""

import contextlib
import gzip
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
import interpreters  # noqa: E402
import lib  # noqa: E402

Unavailable = interpreters.Unavailable

# By Debian's name of the architecture: QEMU's program and arguments, and the console's name. The
# arm64 CPU needs atomic instructions, because code with exclusive loads cannot be single-stepped
# (step.c); "-cpu max" would be slow.
MACHINES = {"amd64": (("qemu-system-x86_64", "-machine", "q35", "-cpu", "max"), "ttyS0"),
            "arm64": (("qemu-system-aarch64", "-machine", "virt", "-cpu", "neoverse-n1"),
                      "ttyAMA0")}
PACKAGES = {"amd64": "qemu-system-x86", "arm64": "qemu-system-arm"}
# Debian's Python in trees that are the root of a guest.
PYTHONS = {"bullseye": "python3.9", "bookworm": "python3.11"}
CPUS = 2
MEMORY = 4096  # MiB: four programs for each row of the matrix
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}
# Messages of a kernel in trouble, and of crashed programs.
COMPLAINT = re.compile(r"\bWARNING: |\bBUG: |\bOops\b|Kernel panic|\bdetected stalls?\b|soft lockup|"
                       r"blocked for more than|segfault at|\btraps: |general protection|^vm: ", re.M)


@dataclass(frozen=True)
class Kernel:
    """A row of tests/vm/kernels."""
    name: str
    suite: str
    arch: str
    version: str  # its prefix
    root: str  # "host", or the suite whose tree is the guest's root
    what: str


class Failed(Exception):
    """The guest's command did not end, or its kernel warned."""


def kernels():
    with open(os.path.join(HERE, "kernels")) as f:
        rows = [line.split(None, 5) for line in f if line.strip() and line[0] != "#"]
    return [Kernel(*row[:5], row[5].strip()) for row in rows]


def fetch(kernel):
    """The cached folder with the files to boot the kernel."""
    name = "-".join((kernel.suite, kernel.arch, kernel.version.rstrip(".")))
    path = os.path.join(interpreters.CACHE, "kernels", name)
    if os.path.isdir(path):
        return path
    return interpreters.made(path, os.path.join(HERE, "kernel.sh"), kernel.suite, kernel.arch,
                             kernel.version, path)


def version(kernel):
    """The kernel's release, as of uname -r."""
    with open(os.path.join(fetch(kernel), "version")) as f:
        return f.read().strip()


def need(kernel):
    """Raises Unavailable if the kernel cannot be booted here."""
    program = MACHINES[kernel.arch][0][0]
    if not shutil.which(program):
        raise Unavailable(f"no {program} ({PACKAGES[kernel.arch]})")
    fetch(kernel)


def tree(kernel):
    """(the guest's root, folders of this machine that it needs in addition)"""
    if kernel.root == "host":
        return "/", ()
    packages = [PYTHONS[kernel.root], "coreutils"]  # chroot, for other trees in it
    path = interpreters.root_of(kernel.root, packages, kernel.arch)
    return path, (lib.REPO,)


# --- initramfs ----------------------------------------------------------------------------------

def _member(name, mode, data=b""):
    """A file in cpio's "newc" format: thirteen numbers and the name, then the data, padded to 4."""
    path = name.encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % n for n in numbers) + path
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def _initramfs(folder, command, shares):
    def content(*path):
        with open(os.path.join(*path), "rb") as f:
            return f.read()
    parts = [_member(name, stat.S_IFDIR | 0o755) for name in
             ("bin", "dev", "proc", "sys", "lower", "memory", "root", "modules")]
    parts.append(_member("bin/busybox", stat.S_IFREG | 0o755, content(folder, "busybox")))
    parts.append(_member("bin/sh", stat.S_IFLNK | 0o777, b"busybox"))
    parts.append(_member("init", stat.S_IFREG | 0o755, content(HERE, "init")))
    parts.append(_member("command", stat.S_IFREG | 0o644, command.encode()))
    parts.append(_member("shares", stat.S_IFREG | 0o644, shares.encode()))
    modules = os.path.join(folder, "modules")
    parts += [_member("modules/" + name, stat.S_IFREG | 0o644, content(modules, name))
              for name in sorted(os.listdir(modules))]
    return gzip.compress(b"".join([*parts, _member("TRAILER!!!", 0)]), 1)


# --- running ------------------------------------------------------------------------------------

def _folder(tag, path, *more):
    return ["-virtfs", ",".join((f"local,path={path.replace(',', ',,')}", f"mount_tag={tag}",
                                 "security_model=none", "multidevs=remap", *more))]


def _qemu(kernel, folder, initramfs, folders, cpus):
    machine, console = MACHINES[kernel.arch]
    # More CPUs than this machine has wait for each other for long.
    # An emulated CPU gets no time for many seconds if the host does other work: that is no stall.
    more = (" nowatchdog rcupdate.rcu_cpu_stall_suppress=1" if cpus > CPUS else
            " watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120")
    return [*machine, "-accel", "tcg,thread=multi", "-m", str(MEMORY), "-smp", str(cpus),
            "-nodefaults", "-nographic", "-no-reboot", "-net", "none", "-serial", "stdio",
            "-device", "virtio-rng-pci", *folders,
            "-kernel", os.path.join(folder, "vmlinuz"), "-initrd", initramfs,
            "-append", f"console={console} quiet loglevel=3 panic=-1 mitigations=off{more}"]


def _script(argv, environment):
    words = [f"{k}={v}" for k, v in {**ENVIRONMENT, **environment}.items()]
    return shlex.join(["exec", "env", "-i", *words, "chroot", "/root", *argv]) + "\n"


def _read(*path):
    with contextlib.suppress(OSError), open(os.path.join(*path), errors="replace") as f:
        return f.read()
    return ""


def _judge(out, console, seconds):
    """The command's exit status; raises Failed if the kernel warned or the command did not end."""
    console = re.sub(r"\x1b(\[[?0-9;]*[a-zA-Z]|c)|\r", "", console)
    log = _read(out, "dmesg") + console
    complaints = [line for line in log.splitlines() if COMPLAINT.search(line)]
    status = _read(out, "status").strip()
    if complaints:
        raise Failed("the guest's kernel complained: " + "\n".join(complaints[:10]))
    if not status:
        raise Failed(f"the guest did not end within {seconds} s, or not in order\n"
                     f"{console[-2000:]}{_read(out, 'stderr')[-2000:]}")
    return int(status)


def run(kernel, argv, out, root="/", shares=(), environment=(), seconds=300, cpus=CPUS):
    """Boots a kernel with `root` as root file system, runs argv in it, and returns its exit status.
    More `cpus` than there are here work, slowly.
    The guest sees the folders `shares` at the same paths. Afterwards the folder `out` has stdout,
    stderr, dmesg, and the files that the guest wrote to /out. Raises Failed or Unavailable."""
    need(kernel)
    folder = fetch(kernel)
    folders = [*_folder("root", root, "readonly=on"), *_folder("out", out)]
    tags = ""
    for n, path in enumerate(shares):
        folders += _folder(f"share{n}", path, "readonly=on")
        tags += f"share{n} {path}\n"
    with tempfile.NamedTemporaryFile(prefix="krait-vm-") as initramfs:
        initramfs.write(_initramfs(folder, _script(argv, dict(environment)), tags))
        initramfs.flush()
        guest = subprocess.Popen(_qemu(kernel, folder, initramfs.name, folders, cpus),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, preexec_fn=lib.die_with_test)
        try:
            console = guest.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            guest.kill()
            console = guest.communicate()[0]
        finally:
            guest.kill()
    return _judge(out, console.decode("utf-8", "replace"), seconds)


def main(argv):
    if argv == ["list"]:
        for k in kernels():
            print(f"{k.name:14} {k.suite:9} {k.arch:6} {k.version:6} {k.root:9} {k.what}")
        return 0
    found = [k for k in kernels() if argv[:1] == [k.name]]
    if not found or len(argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="krait-vm-") as out:
        try:
            kernel = found[0]
            status = run(kernel, argv[1:], out, *tree(kernel))
        except (Failed, Unavailable) as e:
            print(f"vm: {e}", file=sys.stderr)
            status = 77 if isinstance(e, Unavailable) else 125
        print(_read(out, "stdout"), end="")
        print(_read(out, "stderr"), end="", file=sys.stderr)
        return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
