# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel says of its BPF programs: how often each ran, and how long that took."""

import ctypes
import json
import os
import platform
import shutil
import subprocess

BPFTOOL = shutil.which("bpftool", path=os.environ["PATH"] + ":/usr/sbin")
SYS_BPF = {"x86_64": 321, "aarch64": 280}
BPF_ENABLE_STATS = 32


def keep_statistics():
    """The kernel times BPF programs while this descriptor is open."""
    attr = ctypes.create_string_buffer(128)  # BPF_STATS_RUN_TIME
    fd = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF[platform.machine()], BPF_ENABLE_STATS,
                                                   attr, len(attr))
    if fd < 0:
        raise SystemExit("BPF_ENABLE_STATS: " + os.strerror(ctypes.get_errno()))
    return fd


def bpftool(*args):
    if not BPFTOOL:
        raise SystemExit("no bpftool here")
    return json.loads(subprocess.check_output([BPFTOOL, "-j", *map(str, args)]))
