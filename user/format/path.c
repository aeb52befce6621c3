/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	/usr/lib/python3.13/json/decoder.py                       json/decoder.py        PATH_STDLIB
 *	/srv/venv/lib/python3.13/site-packages/flask/app.py       flask/app.py           PATH_SITE
 *	/srv/shop/orders/views.py                                 orders/views.py        PATH_OWN
 */
#include "format/path.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool component_is(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(s, name, len);
}

/* "python3.13", "python3.13t" and "python3.13d" in lib, lib64...; "python313.zip" anywhere. */
static bool is_stdlib(const char *s, size_t len, bool in_lib)
{
	size_t i = strlen("python3");

	if (len <= i || memcmp(s, "python3", i))
		return false;
	if (s[i] != '.') {
		while (i < len && isdigit((unsigned char)s[i]))
			i++;
		return component_is(s + i, len - i, ".zip");
	}
	for (i++; i < len && isdigit((unsigned char)s[i]); i++)
		;
	return in_lib && i > strlen("python3.") && (i == len || strchr("td", s[i]));
}

/* The origin of modules in a directory; PATH_OWN: it is not a module directory. */
static enum path_origin module_dir(const char *s, size_t len, bool in_lib)
{
	if (component_is(s, len, "site-packages") || component_is(s, len, "dist-packages"))
		return PATH_SITE;
	return is_stdlib(s, len, in_lib) ? PATH_STDLIB : PATH_OWN;
}

/* The part after the last module directory (standard library, site-packages, ...), NULL if there is none. */
static const char *in_module_dir(const char *path, enum path_origin *origin)
{
	const char *slash = strchr(path, '/'), *next, *ret = NULL;
	bool in_lib = false;

	*origin = PATH_OWN;
	for (; slash && (next = strchr(slash + 1, '/')); slash = next) {
		const char *s = slash + 1;
		size_t len = next - s;
		enum path_origin here = module_dir(s, len, in_lib);

		if (next[1] && here != PATH_OWN) {
			*origin = here;
			ret = next + 1;
		}
		in_lib = len >= 3 && !memcmp(s, "lib", 3);
	}
	return ret;
}

static const char *last_two(const char *path)
{
	const char *s = strrchr(path, '/');

	if (!s)
		return path;
	if (s == path)
		return s + 1;
	while (s > path && s[-1] == '/')
		s--;
	while (s > path && s[-1] != '/')
		s--;
	return s;
}

const char *path_short(const char *path)
{
	enum path_origin origin;
	const char *ret;

	if (path[0] == '<')
		return path;
	ret = in_module_dir(path, &origin);
	return ret ? ret : last_two(path);
}

enum path_origin path_origin(const char *path)
{
	enum path_origin ret;

	if (path[0] == '<')
		return !strncmp(path, "<frozen ", 8) ? PATH_STDLIB : PATH_OWN;
	in_module_dir(path, &ret);
	return ret;
}
