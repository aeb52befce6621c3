/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message per failure, cut where it does not fit: a shortened reason beats none. Messages quote paths,
 * arguments and names of programs; whatever these hold, a message is one line and does nothing to a terminal.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* @from as it is shown, as many whole characters as there is room for. */
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
