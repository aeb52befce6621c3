/* SPDX-License-Identifier: BSD-2-Clause */
/* The outputs of a command: files given with -o, in the format given with -f or implied by their extensions. */
#ifndef KRAIT_CMD_OUTPUTS_H
#define KRAIT_CMD_OUTPUTS_H

#include "cli/cli.h"
#include "format/file.h"
#include "format/krait/journal.h"

struct output {
	struct out_file file;
	const struct format_ops *ops;
	bool written;
	struct journal *journal; /* NULL: written only at the end */
};

typedef VEC(struct output) outputs;

/* The choices of -f: "auto", then the names that format_find() knows. */
extern const struct cli_term cmd_formats[];
enum { CMD_FORMAT_AUTO };

/* @format: index into cmd_formats. CMD_FORMAT_AUTO: the format of the extension, or @other if there is none. */
const struct format_ops *outputs_format(const char *name, unsigned int format,
					const struct format_ops *other);
/*
 * The default file name for a recording of @cmd, "krait-NAME-PID.EXTENSION". The caller frees it. NULL: out
 * of memory.
 */
char *outputs_name_after(const char *cmd, int pid, const char *extension);
/* Checks the names: with CMD_FORMAT_AUTO an unknown extension is an error. 0 or -EINVAL with @err. */
int outputs_check_names(const cli_words *names, unsigned int format, struct err *err);
/* Adds a file in its outputs_format(). 0 or -errno with @err. */
int outputs_add(outputs *list, const char *name, bool chosen, unsigned int format,
		const struct format_ops *other, struct err *err);
/*
 * Adds standard output, for a command without -o. The default format is the table on a terminal, folded stacks
 * otherwise. 0 or -errno with @err.
 */
int outputs_add_stdout(outputs *list, unsigned int format, struct err *err);
/* Makes the user who called sudo the owner of the files. 0 or -errno with @err. */
int outputs_give_to_sudo(outputs *list, struct err *err);
void outputs_set_owner(outputs *list, const struct out_owner *owner);
/* Before the recording: can all be written, and are they distinct? 0 or -errno with @err. */
int outputs_check(outputs *list, struct err *err);
/*
 * Writes the outputs that are not written yet. One failure does not stop the others; returns the first one.
 */
int outputs_write(outputs *list, const struct profile *p, const struct stacks *s,
		  const struct format_opts *o, bool wait, struct err *err);
/* Opens journals for .krait files, which grow during the recording. The list must not change from now on. */
int outputs_open_journals(outputs *list, struct err *err);
/* Is there a journal? */
bool outputs_grow(const outputs *list);
/* Appends new counts to the journals; they were counted since @ms after the start. Returns the first failure. */
int outputs_journal(outputs *list, const struct profile *p, const struct stacks *s, uint64_t ms,
		    struct err *err);
/* Ends the journals and marks their outputs as written. */
int outputs_end_journals(outputs *list, struct err *err);
/* Is any regular file not written yet? */
bool outputs_regular(const outputs *list);
/* Marks all outputs as not written. */
void outputs_again(outputs *list);
/* Prints "krait: wrote FILE" for each file that was written. */
void outputs_say(const outputs *list);
void outputs_done(outputs *list);

#endif
