/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message per failure, truncated if it is too long. Messages quote paths, arguments and program
 * names, which may hold any bytes; they are escaped, so that a message is always one line without
 * control characters.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Copies @from, escaped for display, up to the last whole character that fits. */
static void show(char *to, size_t size, const char *from)
{
	size_t len = strlen(from), at = 0, n;
	char text[UTF8_ESCAPE];

	for (size_t i = 0; i < len; at += n) {
		i += utf8_show_next(text, from + i, len - i);
		n = strlen(text);
		if (at + n >= size)
			break;
		memcpy(to + at, text, n);
	}
	to[at] = '\0';
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	show(err->text, sizeof(err->text), text);
	return code;
}
