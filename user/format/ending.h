/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output format that a file name implies: "web.pb.gz" is gzipped pprof. Extensions are not case-sensitive. A
 * name without an extension (host, krait-3.12, /dev/stdout) implies nothing and fits any format.
 */
#ifndef KRAIT_FORMAT_ENDING_H
#define KRAIT_FORMAT_ENDING_H

#include <stdbool.h>

#include "base/buf.h"
#include "format/format.h"

struct ending {
	const struct format_ops *ops; /* NULL: no extension, or an unknown one */
	bool unknown;                 /* there is an extension, but no format has it */
	bool gzip;                    /* .gz follows */
	bool plain;                   /* the extension of @ops for uncompressed output */
};

struct ending ending_of(const char *path);
/* Is output in format @ops gzipped for this extension? */
bool ending_gzips(const struct ending *e, const struct format_ops *ops);
/* Does @path have this extension, with or without .gz after it? */
bool ending_is(const char *path, const char *ending);
/* Appends the usual extension of each format: ".report (table), .folded (folded), ...". */
void ending_list(struct buf *b);

#endif
