/* SPDX-License-Identifier: BSD-2-Clause */
#include "py/pyname.h"

#include <stddef.h>
#include <string.h>

/* Matched against the start of the path's last component. */
static const struct {
	const char *start, *words;
} others[] = {
	{ "pypy", "PyPy" },
	{ "libpypy", "PyPy" },
	{ "graalpy", "GraalPy" },
	{ "libpythonvm", "GraalPy" },
	{ "micropython", "MicroPython" },
	{ "rustpython", "RustPython" },
	{ "jython", "Jython" },
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool starts(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

bool pyname_is_python(const char *path)
{
	const char *rest = last_part(path);

	if (!starts(rest, "python"))
		return false;
	rest += strlen("python");
	rest += strspn(rest, "0123456789.");
	rest += strspn(rest, "dtm");
	return !*rest || !strcmp(rest, " (deleted)"); /* as the kernel prints it */
}

bool pyname_is_library(const char *path)
{
	static const char start[] = "libpythonN."; /* then the minor version */
	const char *name = last_part(path);

	return (starts(name, "libpython2.") || starts(name, "libpython3.")) &&
	       name[sizeof(start) - 1] >= '0' && name[sizeof(start) - 1] <= '9';
}

const char *pyname_other(const char *path)
{
	const char *name = last_part(path);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (starts(name, others[i].start))
			return others[i].words;
	return NULL;
}
