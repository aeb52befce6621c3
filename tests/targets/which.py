# SPDX-License-Identifier: BSD-2-Clause
# Says which Python this is, whoever runs it. Any Python.
import sys
import sysconfig

sys.stdout.write("READY %s %s %s\n" % (
    ".".join(map(str, sys.version_info[:3])), hasattr(sys, "gettotalrefcount"),
    sysconfig.get_config_var("Py_GIL_DISABLED") == 1))
sys.stdout.flush()
