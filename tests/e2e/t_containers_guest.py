#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
"""The containers that t_containers.py builds by hand, in a virtual machine with cgroup version 2 only."""

import os
import sys

import lib

sys.path.insert(0, os.path.join(lib.TESTS, "vm"))
import vm  # noqa: E402
import whole  # noqa: E402

KERNELS = ("6.1", "5.10") if lib.TRUTH else ("6.1",)  # minutes each


def check(t, kernel):
    try:
        results = whole.run(kernel, "t_containers.py", CONTAINERS="made" if lib.TRUTH else "brief")
    except vm.Unavailable as e:
        raise lib.Skip(str(e)) from None
    t.ok(len(results) > 10, f"{kernel.name}: it ran", results)
    for r in results:
        if r.skip:
            t.skip(f"{kernel.name}: {r.what}", r.skip)
        else:
            t.ok(r.good, f"{kernel.name}: {r.what}", r.details)


def main():
    lib.need_krait()
    t = lib.Tap()
    for kernel in vm.kernels():
        if kernel.name in KERNELS:
            with t.guard(f"kernel {kernel.name}"):
                check(t, kernel)
    t.done()


main()
