/* SPDX-License-Identifier: BSD-2-Clause */
/* Where formats write to, and what is said where that fails. */
#ifndef KRAIT_FORMAT_STREAM_H
#define KRAIT_FORMAT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes and empties @b where it has grown, or @all there is. 0, -ENOMEM, or what the stream failed with. */
int stream_put(struct buf *b, FILE *to, bool all);
/* Flushes; 0 or what the stream failed with. */
int stream_flush(FILE *to);
/* Words for a stream that failed with -errno @code (0 is taken for EIO); returns the code. */
int stream_failed(struct err *err, const char *format, int code);

#endif
