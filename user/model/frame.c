/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/frame.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_named(const char *name, const char *pattern)
{
	const char *dot = strrchr(name, '.');

	/* Compare literally first: to fnmatch() a marker such as "[futex]" is a set of letters. */
	return !strcmp(pattern, name) || !fnmatch(pattern, name, 0) ||
	       (dot && !fnmatch(pattern, dot + 1, 0));
}

bool frame_is_named(const struct frame *f, const char *pattern)
{
	const char *colon = strrchr(pattern, ':');
	_free_ char *name = NULL;

	if (is_named(f->name, pattern))
		return true;
	if (!colon || f->first <= 0 || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	return asprintf(&name, "%s:%d", f->name, f->first) > 0 && is_named(name, pattern);
}

bool frame_is_in(const struct frame *f, const char *pattern)
{
	const char *at = f->file;

	for (; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
		if (!fnmatch(pattern, at, 0))
			return true;
	return false;
}

bool frame_is_nameless(const struct frame *f)
{
	char name[24];

	if (!f->module)
		return false;
	snprintf(name, sizeof(name), "0x%" PRIx64, f->address);
	return !strcmp(f->name, name);
}
