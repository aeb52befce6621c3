# SPDX-License-Identifier: BSD-2-Clause
# Prints version and build of the Python that runs it. Runs in any Python.
import sys
import sysconfig

sys.stdout.write("READY %s %s %s\n" % (
    ".".join(map(str, sys.version_info[:3])), hasattr(sys, "gettotalrefcount"),
    sysconfig.get_config_var("Py_GIL_DISABLED") == 1))
sys.stdout.flush()
