/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a recording is written to, and as what: files given with -o, in formats given with -f or told by names. */
#ifndef KRAIT_CMD_OUTPUTS_H
#define KRAIT_CMD_OUTPUTS_H

#include "cli/cli.h"
#include "format/file.h"
#include "format/krait/journal.h"

struct output {
	struct out_file file;
	const struct format_ops *ops;
	bool written;
	struct journal *journal; /* NULL: written at once */
};

typedef VEC(struct output) outputs;

/* What -f takes: "auto", then the names that format_find() knows. */
extern const struct cli_term cmd_formats[];
enum { CMD_FORMAT_AUTO };

/* @format is an index into cmd_formats; where it is CMD_FORMAT_AUTO and the name says nothing, it is @other. */
const struct format_ops *outputs_format(const char *name, unsigned int format,
					const struct format_ops *other);
/*
 * "krait-NAME-PID.EXTENSION", where nobody chose a name for what is recorded of @cmd. The caller frees
 * it. NULL: out of memory.
 */
char *outputs_name_after(const char *cmd, int pid, const char *extension);
/* Does each name say what is meant? 0 or -EINVAL with @err: with @format CMD_FORMAT_AUTO an ending must be known. */
int outputs_check_names(const cli_words *names, unsigned int format, struct err *err);
/* Adds a file in its outputs_format(). 0 or -errno with @err. */
int outputs_add(outputs *list, const char *name, bool chosen, unsigned int format,
		const struct format_ops *other, struct err *err);
/*
 * Adds standard output, where nobody named an output: a person at a terminal gets a table, a pipe or a file what
 * programs read. 0 or -errno with @err.
 */
int outputs_add_stdout(outputs *list, unsigned int format, struct err *err);
/* To the user who called sudo belongs what is written. 0 or -errno with @err. */
int outputs_give_to_sudo(outputs *list, struct err *err);
void outputs_set_owner(outputs *list, const struct out_owner *owner);
/* Before the work: can they be written, do they contradict each other? */
int outputs_check(outputs *list, struct err *err);
/*
 * Writes those that are not written yet; each is tried, the first failure is returned.
 */
int outputs_write(outputs *list, const struct profile *p, const struct stacks *s,
		  const struct format_opts *o, bool wait, struct err *err);
/* Opens files that grow while they are recorded; the list must stay as it is from now on. */
int outputs_open_journals(outputs *list, struct err *err);
/* Is there one? */
bool outputs_grow(const outputs *list);
/* Appends to them what is new, counted since @ms after the beginning. The first failure is returned. */
int outputs_journal(outputs *list, const struct profile *p, const struct stacks *s, uint64_t ms,
		    struct err *err);
/* Ends them; outputs_write() leaves them alone afterwards. */
int outputs_end_journals(outputs *list, struct err *err);
/* Is a regular file among those that are not written yet? */
bool outputs_regular(const outputs *list);
/* All are to be written anew. */
void outputs_again(outputs *list);
/* "krait: wrote FILE" for each file. */
void outputs_say(const outputs *list);
void outputs_done(outputs *list);

#endif
