/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic output files: written under a temporary name in the same directory, then renamed. An existing FIFO or
 * device is written to directly; "-" is standard output.
 *
 * krait runs as root in directories of other users. A symbolic link in the path is followed only if it belongs
 * to root, the caller, or the user who called sudo. The latter becomes the owner of the file.
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
	const char *name; /* as the user gave it */
	bool chosen; /* name given by the user; else no file is replaced and no link followed */
	struct out_owner owner;
	bool gzip;
	char *target; /* set by out_file_check(): the name with symbolic links resolved; NULL: "-" */
};

/* Can the file be written? To be called before a long recording. 0 or -errno with @err. */
int out_file_check(struct out_file *f, struct err *err);
void out_file_done(struct out_file *f);

/*
 * Writes the recording in format @ops. @wait: wait for the reader of a FIFO (not for a snapshot). After -ENOSPC
 * and -EDQUOT nothing is left of the file, and trying again may succeed.
 */
int out_file_write(const struct out_file *f, const struct format_ops *ops, const struct profile *p,
		   const struct stacks *s, const struct format_opts *o, bool wait, struct err *err);

/* Sets @err for a write that failed with -errno @code; returns @code. */
int out_file_failed(const struct out_file *f, int code, struct err *err);
/* Gives a new file the usual permissions and its owner. */
void out_file_own(const struct out_file *f, int fd);
/* Is it a regular file, or will it be one? To be called after out_file_check(). */
bool out_file_regular(const struct out_file *f);
/* "standard output", or the name of the file. */
const char *out_file_words(const struct out_file *f);

#endif
