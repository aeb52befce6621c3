/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/term.h"
#include "base/utf8.h"
#include "format/ending.h"
#include "session/child.h" /* struct account */

const struct cli_term cmd_formats[] = {
	[CMD_FORMAT_AUTO] = { "auto", "from the file extension" },
	{ "table", "hottest functions with their shares, as text (.report)" },
	{ "folded", "one line per stack: frames from root to leaf separated by semicolons, a "
		    "space, the number of samples (.folded, .collapsed, .txt)" },
	{ "html", "interactive flame graph: one self-contained page for a browser (.html, .htm)" },
	{ "speedscope",
	  "for speedscope: one profile per group of --by, in seconds (.json, .speedscope)" },
	{ "pprof", "for go tool pprof and profile stores, with labels comm, pid, thread, tid and "
		   "state (.pb.gz, .pprof; plain .pb is uncompressed)" },
	{ "jsonl", "JSON, one line per thread and stack (.jsonl, .ndjson)" },
	{ "krait", "all recorded data, for krait report (.krait)" },
	{},
};

const struct format_ops *outputs_format(const char *name, unsigned int format,
					const struct format_ops *other)
{
	const struct format_ops *ops;

	ops = format == CMD_FORMAT_AUTO ? ending_of(name).ops
					: format_find(cmd_formats[format].name);
	return ops ? ops : other;
}

/* A directory, FIFO or device may have any extension. */
static bool is_special(const char *name)
{
	struct stat st;

	return !strcmp(name, "-") || (!stat(name, &st) && !S_ISREG(st.st_mode));
}

static int unknown_ending(const char *name, struct err *err)
{
	_cleanup_(buf_done) struct buf endings = {};
	bool svg = ending_is(name, "svg");

	ending_list(&endings);
	if (endings.err)
		return err_set(err, -ENOMEM, "output: out of memory");
	return err_set(err, -EINVAL,
		       "output: '%s': unknown file extension%s; use one of %s, or choose a format "
		       "with -f",
		       name,
		       svg ? " (a flame graph is .html; flamegraph.pl makes an SVG of .folded)"
			   : "",
		       endings.data);
}

static int check_name(const char *name, unsigned int format, struct err *err)
{
	const struct ending ending = ending_of(name);

	if (is_special(name))
		return 0;
	if (format == CMD_FORMAT_AUTO && ending.unknown)
		return unknown_ending(name, err);
	if (ending.gzip && outputs_format(name, format, NULL) == &format_krait)
		return err_set(err, -EINVAL,
			       "output: '%s': a .krait file cannot be written gzipped; leave out "
			       ".gz and compress it afterwards",
			       name);
	return 0;
}

int outputs_check_names(const cli_words *names, unsigned int format, struct err *err)
{
	const char *const *name;
	int code = 0;

	vec_each (names, name)
		if (!code)
			code = check_name(*name, format, err);
	return code;
}

int outputs_add(outputs *list, const char *name, bool chosen, unsigned int format,
		const struct format_ops *other, struct err *err)
{
	const struct ending ending = ending_of(name);
	struct output o = { .file = { .name = name, .chosen = chosen },
			    .ops = outputs_format(name, format, other) };

	o.file.gzip = ending_gzips(&ending, o.ops);
	return vec_push(list, o) ? err_set(err, -ENOMEM, "output: out of memory") : 0;
}

int outputs_add_stdout(outputs *list, unsigned int format, struct err *err)
{
	const struct format_ops *other = isatty(STDOUT_FILENO) ? &format_table : &format_folded;

	return outputs_add(list, "-", true, format, other, err);
}

int outputs_give_to_sudo(outputs *list, struct err *err)
{
	_cleanup_(account_done) struct account user = {};
	int code = geteuid() ? -ENOENT : account_of_sudo(&user, err);
	const struct out_owner owner = { !code && user.uid, user.uid, user.gid };

	if (code && code != -ENOENT)
		return code;
	outputs_set_owner(list, &owner);
	return 0;
}

void outputs_set_owner(outputs *list, const struct out_owner *owner)
{
	struct output *o;

	vec_each (list, o)
		o->file.owner = *owner;
}

static bool same_file(const struct output *a, const struct output *b)
{
	if (!a->file.target || !b->file.target)
		return a->file.target == b->file.target;
	return !strcmp(a->file.target, b->file.target);
}

static int check_one(outputs *list, struct output *o, struct err *err)
{
	const struct output *before;
	int code = out_file_check(&o->file, err);

	if (code)
		return code;
	if (o->ops->binary && !o->file.target && isatty(STDOUT_FILENO))
		return err_set(err, -EINVAL,
			       "refusing to write binary %s to a terminal; use -o FILE",
			       o->ops->name);
	for (before = list->at; before < o; before++)
		if (same_file(before, o))
			return err_set(err, -EINVAL,
				       "output: '%s' and '%s' are the same file; name it once",
				       before->file.name, o->file.name);
	return 0;
}

int outputs_check(outputs *list, struct err *err)
{
	struct output *o;
	int code = 0;

	vec_each (list, o)
		if (!code)
			code = check_one(list, o, err);
	return code;
}

/* The width of the terminal applies only to standard output. */
static int write_one(const struct output *o, const struct profile *p, const struct stacks *s,
		     const struct format_opts *opts, bool wait, struct err *err)
{
	struct format_opts own = *opts;

	own.width = o->file.target ? 0 : term_columns(STDOUT_FILENO);
	return out_file_write(&o->file, o->ops, p, s, &own, wait, err);
}

int outputs_write(outputs *list, const struct profile *p, const struct stacks *s,
		  const struct format_opts *opts, bool wait, struct err *err)
{
	struct output *o;
	int first = 0;

	vec_each (list, o) {
		struct err other = {};
		int code = 0;

		if (!o->written)
			code = write_one(o, p, s, opts, wait, first ? &other : err);
		o->written = !code;
		first = first ? first : code;
	}
	return first;
}

int outputs_open_journals(outputs *list, struct err *err)
{
	struct output *o;

	vec_each (list, o) {
		if (o->ops != &format_krait || !out_file_regular(&o->file))
			continue;
		o->journal = journal_new(&o->file, err);
		if (!o->journal)
			return err->code;
	}
	return 0;
}

bool outputs_grow(const outputs *list)
{
	const struct output *o;

	vec_each (list, o)
		if (o->journal)
			return true;
	return false;
}

int outputs_journal(outputs *list, const struct profile *p, const struct stacks *s, uint64_t ms,
		    struct err *err)
{
	struct output *o;
	int first = 0;

	vec_each (list, o) {
		struct err other = {};
		int code = 0;

		if (o->journal)
			code = journal_add(o->journal, p, s, ms, first ? &other : err);
		first = first ? first : code;
	}
	return first;
}

int outputs_end_journals(outputs *list, struct err *err)
{
	struct output *o;
	int first = 0;

	vec_each (list, o) {
		struct err other = {};
		int code = 0;

		if (!o->journal || o->written)
			continue;
		code = journal_end(o->journal, first ? &other : err);
		o->written = !code;
		first = first ? first : code;
	}
	return first;
}

bool outputs_regular(const outputs *list)
{
	const struct output *o;

	vec_each (list, o)
		if (!o->written && out_file_regular(&o->file))
			return true;
	return false;
}

void outputs_again(outputs *list)
{
	struct output *o;

	vec_each (list, o)
		o->written = false;
}

void outputs_say(const outputs *list)
{
	const struct output *o;

	vec_each (list, o) {
		_cleanup_(buf_done) struct buf name = {};

		if (!o->written || !o->file.target)
			continue;
		utf8_show(&name, o->file.name, strlen(o->file.name));
		fprintf(stderr, "krait: wrote %s\n", name.data ? name.data : "?");
	}
}

void outputs_done(outputs *list)
{
	struct output *o;

	vec_each (list, o) {
		journal_free(o->journal);
		out_file_done(&o->file);
	}
	vec_done(list);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._+-", c));
}

char *outputs_name_after(const char *cmd, int pid, const char *extension)
{
	enum { NAME_MAX_BYTES = 64 };
	const char *slash = strrchr(cmd, '/');
	char *name, *c;

	if (slash && slash[1])
		cmd = slash + 1;
	if (asprintf(&name, "krait-%.*s-%d.%s", NAME_MAX_BYTES, cmd, pid, extension) < 0)
		return NULL;
	for (c = name; *c; c++)
		if (!is_plain(*c))
			*c = '_';
	return name;
}
