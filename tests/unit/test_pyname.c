/* SPDX-License-Identifier: BSD-2-Clause */
/* py/pyname: names of interpreters, and other names. */
#include "py/pyname.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TEST(programs)
{
	static const char *const python[] = {
		"python",       "python3",     "/usr/bin/python3.11",
		"python3.13t",  "./python2.7", "/a/python3.9d (deleted)",
		"python3.13td", "/python3.6m"
	};
	static const char *const no[] = {
		"",        "/",        "python-config",   "python3-wrapper",
		"pythonw", "ipython3", "python3.11/bash", "Python",
		"pytho",   "cpython"
	};

	for (size_t i = 0; i < COUNT(python); i++)
		CHECK(pyname_is_python(python[i]));
	for (size_t i = 0; i < COUNT(no); i++)
		CHECK(!pyname_is_python(no[i]));
}

TEST(libraries)
{
	CHECK(pyname_is_library("/usr/lib/libpython3.11.so.1.0"));
	CHECK(pyname_is_library("libpython2.7.so"));
	CHECK(!pyname_is_library("/usr/lib/libpython3.so"));
	CHECK(!pyname_is_library("libpythonvm.so"));
	CHECK(!pyname_is_library("libboost_python311.so"));
	CHECK(!pyname_is_library("/libpython3.11.so/x"));
}

TEST(others)
{
	CHECK_STR(pyname_other("/usr/bin/pypy3.9"), "PyPy");
	CHECK_STR(pyname_other("/usr/lib/libpypy3.9-c.so"), "PyPy");
	CHECK_STR(pyname_other("graalpy"), "GraalPy");
	CHECK_STR(pyname_other("/x/lib/libpythonvm.so"), "GraalPy");
	CHECK(!pyname_other("/usr/bin/python3"));
	CHECK(!pyname_other("/pypy/bash"));
	CHECK(!pyname_other(""));
}
