/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that appears whole or not at all: written under another name beside its own, then renamed. What
 * is there and is no regular file (a FIFO, a device) is written to as it is; "-" is standard output.
 *
 * krait runs as root in directories of others: a symbolic link on the way is only followed if it belongs
 * to root, to the caller, or to the user who called sudo. To that one belongs what is written.
 */
#ifndef KRAIT_FORMAT_FILE_H
#define KRAIT_FORMAT_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "format/format.h"

struct out_owner {
	bool given; /* not the caller */
	uid_t uid;
	gid_t gid;
};

struct out_file {
	const char *name; /* as the user knows it */
	bool chosen; /* by the user; else nothing that is there is replaced, and no link followed */
	struct out_owner owner;
	bool gzip;
	char *target; /* made by out_file_check(): the name with symbolic links resolved; NULL: "-" */
};

/* Before a long recording, not after it: can it be written at all? 0 or -errno with @err. */
int out_file_check(struct out_file *f, struct err *err);
void out_file_done(struct out_file *f);

/*
 * Writes the recording as @ops says. At the end a FIFO @wait-s for its reader; a snapshot does not.
 * -ENOSPC and -EDQUOT: another try may do better, nothing is left of this one.
 */
int out_file_write(const struct out_file *f, const struct format_ops *ops, const struct profile *p,
		   const struct stacks *s, const struct format_opts *o, bool wait, struct err *err);

/* Words for a write that failed with -errno @code; returns it. */
int out_file_failed(const struct out_file *f, int code, struct err *err);
/* Gives a new file to its owner, with the usual permissions. */
void out_file_own(const struct out_file *f, int fd);
/* Is it, or will it be, a regular file? After out_file_check(). */
bool out_file_regular(const struct out_file *f);
/* "standard output" or the name. */
const char *out_file_words(const struct out_file *f);

#endif
