#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""t_step.py on aarch64: stepper and interpreter run in a virtual machine; the output is judged
here. Only Debian's interpreter is stepped; with TRUTH=1 also all of foreign.py."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile

import lib
import steps

sys.path.insert(0, os.path.join(lib.TESTS, "vm"))
import foreign  # noqa: E402
import vm  # noqa: E402

ARCH, COMPILER = "arm64", "aarch64-linux-gnu-gcc"
STEPS = 20000
EACH = 240  # seconds for STEPS steps on a busy machine


def build():
    """Builds the stepper, linked statically, so that it needs no library of the guest."""
    cc = shutil.which(COMPILER)
    if not cc:
        raise lib.Skip(f"no {COMPILER}")
    sysroot = subprocess.run([f"{lib.TESTS}/sysroot.sh", ARCH], capture_output=True, text=True)
    if sysroot.returncode:
        raise lib.Skip(sysroot.stderr.strip())
    return steps.build(f"step-{ARCH}", cc, "-lz", "-static", f"--sysroot={sysroot.stdout.strip()}")


def rows(t, kernel):
    """(interpreters to step, folders that the guest needs for them)"""
    mine = [{"argv": [f"/usr/bin/{vm.PYTHONS[kernel.root]}"], "where": kernel.root}]
    if not lib.TRUTH:
        return mine, ()
    found, absent = foreign.of(ARCH)
    for what, why in absent:
        t.skip(f"every step on aarch64 [{what}]", why)
    return mine + list(map(dataclasses.asdict, found)), [x for i in found for x in i.trees]


def said_by_guest(kernel, program, wanted, folders):
    root, shares = vm.tree(kernel)
    shares = list(dict.fromkeys([*shares, os.path.dirname(program), *folders]))
    if program.startswith(lib.REPO + "/"):
        shares.remove(os.path.dirname(program))
    script = os.path.join(vm.HERE, "stepped.py")
    with tempfile.TemporaryDirectory(prefix="krait-vm-") as out:
        with open(f"{out}/order", "w") as f:
            json.dump({"program": program, "steps": STEPS, "rows": wanted}, f)
        argv = [f"/usr/bin/{vm.PYTHONS[kernel.root]}", "-B", "-c", "import runpy, sys; sys.stdin = "
                f"open('/out/order'); runpy.run_path({script!r}, run_name='__main__')"]
        status = vm.run(kernel, argv, out, root, shares, {"HOME": "/root"},
                        60 + EACH * len(wanted))
        with open(f"{out}/stdout") as f, open(f"{out}/stderr") as e:
            if status:
                raise RuntimeError(f"status {status}: {e.read()[-2000:]}")
            return json.load(f)


def check(t, label, version, path, said, problem):
    if problem:
        t.ok(False, f"every step on aarch64 [{label}]", problem)
    else:
        steps.check(t, f"{label}, aarch64", tuple(version), path, said, STEPS)


def main():
    t = lib.Tap()
    kernel = next(k for k in vm.kernels() if k.arch == ARCH)
    with t.guard("every step on aarch64"):
        try:
            program = build()
            for result in said_by_guest(kernel, program, *rows(t, kernel)):
                check(t, *result)
        except vm.Unavailable as e:
            raise lib.Skip(str(e)) from None
    t.done()


main()
