# SPDX-License-Identifier: BSD-2-Clause
# What is frozen into one program: it runs the script that it is given. The modules that scripts of the
# tests use must be in it, too.
import os  # noqa: F401
import sys
import sysconfig  # noqa: F401
import threading  # noqa: F401

if __name__ == "__main__":
    del sys.argv[0]
    with open(sys.argv[0]) as f:
        exec(compile(f.read(), sys.argv[0], "exec"))
