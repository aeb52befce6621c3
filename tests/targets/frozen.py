# SPDX-License-Identifier: BSD-2-Clause
# The main script of a frozen program: runs the script given as argument. It imports the modules
# that these scripts use, so that they are frozen, too.
import os  # noqa: F401
import sys
import sysconfig  # noqa: F401
import threading  # noqa: F401

if __name__ == "__main__":
    del sys.argv[0]
    with open(sys.argv[0]) as f:
        exec(compile(f.read(), sys.argv[0], "exec"))
