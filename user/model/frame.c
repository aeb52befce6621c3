/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/frame.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

bool frame_is_named(const struct frame *f, const char *pattern)
{
	const char *dot = strrchr(f->name, '.');

	return !fnmatch(pattern, f->name, 0) || (dot && !fnmatch(pattern, dot + 1, 0));
}

bool frame_is_in(const struct frame *f, const char *pattern)
{
	const char *at = f->file;

	for (; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
		if (!fnmatch(pattern, at, 0))
			return true;
	return false;
}
