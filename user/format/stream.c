/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/stream.h"

#include <errno.h>
#include <string.h>

int stream_put(struct buf *b, FILE *to, bool all)
{
	enum { GROWN = 65536 };
	int err = b->err;

	if (!err && (all || b->len >= GROWN)) {
		errno = 0;
		if (b->len && fwrite(b->data, 1, b->len, to) != b->len)
			err = errno ? -errno : -EIO;
		buf_clear(b);
	}
	return err;
}

int stream_flush(FILE *to)
{
	errno = 0;
	if (fflush(to) || ferror(to))
		return errno ? -errno : -EIO;
	return 0;
}

static const struct advice {
	int code;
	const char *text;
} advices[] = {
	{ -ENOSPC, "free some space, or write elsewhere" },
	{ -EDQUOT, "free some of the quota, or write elsewhere" },
	{ -EPIPE, "the reader closed it early" },
	{ -ENOMEM, "record a shorter time or fewer processes" },
};

int stream_failed(struct err *err, const char *format, int code)
{
	const char *text = "the output is incomplete";

	if (!code)
		code = -EIO;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].code == code)
			text = advices[i].text;
	return err_set(err, code, "%s: 'output': %s; %s", format, strerror(-code), text);
}
