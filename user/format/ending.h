/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the name of a file says of its content: "web.pb.gz" is pprof, gzipped. Endings are compared without
 * case. A name without an ending (host, krait-3.12, /dev/stdout) says nothing, and any format may go there.
 */
#ifndef KRAIT_FORMAT_ENDING_H
#define KRAIT_FORMAT_ENDING_H

#include <stdbool.h>

#include "base/buf.h"
#include "format/format.h"

struct ending {
	const struct format_ops *ops; /* NULL: no format has this ending, or there is none */
	bool unknown;                 /* there is one, and no format has it */
	bool gzip;                    /* .gz behind it */
	bool plain;                   /* the ending of what @ops writes without compression */
};

struct ending ending_of(const char *path);
/* Is what @ops writes into a file with this ending gzipped? */
bool ending_gzips(const struct ending *e, const struct format_ops *ops);
/* Is this its ending, .gz behind it or not? */
bool ending_is(const char *path, const char *ending);
/* Appends the usual ending of each format: ".report (table), .folded (folded), ...". */
void ending_list(struct buf *b);

#endif
