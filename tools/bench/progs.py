# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's statistics of BPF programs: number of runs and their time."""

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
    """Returns a descriptor; the kernel measures BPF programs while it is open."""
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
