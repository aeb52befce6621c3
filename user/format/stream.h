/* SPDX-License-Identifier: BSD-2-Clause */
/* How formats write to streams and report errors. */
#ifndef KRAIT_FORMAT_STREAM_H
#define KRAIT_FORMAT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes out and empties @b if it has grown large, or always with @all. 0, -ENOMEM, or the error of the stream. */
int stream_put(struct buf *b, FILE *to, bool all);
/* Flushes; 0 or the error of the stream. */
int stream_flush(FILE *to);
/* Sets @err for a stream that failed with -errno @code (0 is taken for EIO); returns the code. */
int stream_failed(struct err *err, const char *format, int code);

#endif
