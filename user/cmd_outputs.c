/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd_outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "session/child.h" /* struct account */

const struct cli_term cmd_formats[] = {
	[CMD_FORMAT_AUTO] = { "auto", "what the name of the file ends in" },
	{ "table", "functions and their shares, for a terminal (.report)" },
	{ "folded", "a line for each stack: frames from the root to the leaf with semicolons "
		    "between them, a space, the number of samples (.folded, .txt)" },
	{ "html",
	  "an interactive flame graph: one page for a browser, which needs nothing else (.html)" },
	{ "speedscope", "for speedscope, a profile for each group of --by (.speedscope.json)" },
	{ "pprof", "for go tool pprof and profile stores, with labels comm, pid, thread, tid and "
		   "state (.pb.gz)" },
	{ "jsonl", "JSON, a line for each stack of each thread (.jsonl)" },
	{ "krait", "everything, for krait report (.krait)" },
	{},
};

const struct out_ops *outputs_format(const char *name, unsigned int format,
				     const struct out_ops *other)
{
	const struct out_ops *ops;

	ops = format == CMD_FORMAT_AUTO ? out_of_name(name) : out_find(cmd_formats[format].name);
	return ops ? ops : other;
}

int outputs_add(outputs *list, const char *name, bool chosen, unsigned int format,
		const struct out_ops *other, struct err *err)
{
	struct output o = { .file = { .name = name, .chosen = chosen },
			    .ops = outputs_format(name, format, other) };

	return vec_push(list, o) ? err_set(err, -ENOMEM, "output: out of memory") : 0;
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
			       "output: %s is no text, and standard output is a terminal; name a "
			       "file with -o",
			       o->ops->name);
	for (before = list->at; before < o; before++)
		if (same_file(before, o))
			return err_set(err, -EINVAL,
				       "output: '%s' and '%s' are one file; name each once",
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

int outputs_write(outputs *list, const struct profile *p, const struct stacks *s,
		  const struct out_opts *opts, bool wait, struct err *err)
{
	struct output *o;
	int first = 0;

	vec_each (list, o) {
		struct err other = {};
		int code = 0;

		if (!o->written)
			code = out_file_write(&o->file, o->ops, p, s, opts, wait,
					      first ? &other : err);
		o->written = !code;
		first = first ? first : code;
	}
	return first;
}

int outputs_open_journals(outputs *list, struct err *err)
{
	struct output *o;

	vec_each (list, o) {
		if (o->ops != &out_krait || !out_file_regular(&o->file))
			continue;
		o->journal = journal_new(&o->file, err);
		if (!o->journal)
			return err->code;
	}
	return 0;
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

	vec_each (list, o)
		if (o->written && o->file.target)
			fprintf(stderr, "krait: wrote %s\n", o->file.name);
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
