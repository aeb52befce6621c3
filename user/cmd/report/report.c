/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait report`: its option rows, and how it reads recordings and writes outputs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cmd/cmd.h"
#include "cmd/outputs.h"
#include "format/krait/recording.h"
#include "format/krait/restore.h"
#include "model/where.h"

struct report_opts {
	char **files;
	cli_words outputs;
	unsigned int format; /* index into cmd_formats */
	cli_words where;
	cli_picks by; /* enum dim */
	bool grouped; /* --by was given */
	bool no_lines;
	bool no_states;
	bool states;
	bool full_paths;
	bool lines;
	bool total;
	uint64_t limit;
	const char *callers, *callees, *source;
};

/* --- rows ------------------------------------------------------------------------------------- */

#define FIELD(kind, field) CLI_FIELD(kind, struct report_opts, field)

static const struct cli_opt rows[] = {
	{ .group = "Filters",
	  .name = "where",
	  .metavar = "KEY=VALUE",
	  .help = "keep only matching samples; repeatable (same KEY: any matches; different KEYs: "
		  "all must match). KEY: container, pod, unit, process, thread, state, kind, "
		  "version, "
		  "label:NAME (container label), function, file or time (a range such as 10s..1m)",
	  .min = 1,
	  .max = 4095,
	  FIELD(strings, where) },

	CMD_ROW_OUTPUT(struct report_opts, "Output", "-"),
	CMD_ROW_FORMAT(struct report_opts),
	CMD_ROW_BY(
		struct report_opts,
		"group by these, outermost first: sections of the table, root frames of each stack",
		"process; for the table: none"),
	CMD_ROW_NO_LINES(struct report_opts),
	CMD_ROW_NO_STATES(struct report_opts),
	CMD_ROW_FULL_PATHS(struct report_opts),

	{ .group = "Table",
	  .name = "lines",
	  .help = "one row per line instead of per function",
	  FIELD(flag, lines) },
	{ .name = "total", .help = "sort by total instead of self time", FIELD(flag, total) },
	{ .name = "limit",
	  .metavar = "N",
	  .help = "rows per group; 0: all",
	  .max = 1000000,
	  FIELD(uint, limit) },
	{ .name = "states",
	  .help = "show what threads wait for as rows such as [sleep: epoll_wait], instead of the "
		  "columns RUN, WAIT and GIL",
	  FIELD(flag, states) },
	{ .name = "callers",
	  .metavar = "FUNC",
	  .help = "show the callers of FUNC",
	  .min = 1,
	  .max = 4095,
	  FIELD(string, callers) },
	{ .name = "callees",
	  .metavar = "FUNC",
	  .help = "show what FUNC calls",
	  .min = 1,
	  .max = 4095,
	  FIELD(string, callees) },
	{ .name = "source",
	  .metavar = "FILE",
	  .help = "show FILE with the share of each line",
	  .expand = CLI_FILES,
	  .min = 1,
	  .max = 4095,
	  FIELD(string, source) },
	{},
};

static const struct report_opts defaults = { .limit = 30 };

static const char *const text[] = {
	"Reads recordings that krait record -o NAME.krait saved, and writes them in any format. It "
	"needs no privilege and nothing from the host where they were recorded.",
	"For each function (with --lines: each line), the table shows the share of samples in it "
	"(SELF), the share in it or its callees (TOTAL), and the interval that holds the true "
	"share 95 times out of 100. Consecutive samples are correlated: code running now was "
	"probably running 10 ms ago, and threads wait for each other. krait measures how much more "
	"the shares of time bins vary than those of independent samples would, reduces the number "
	"of samples accordingly, and computes Wilson's interval for that number. The interval "
	"cannot account for phases as long as the recording, and covers only chance in a recording "
	"of a few seconds.",
	"Without --by there is one table; with --by, each group has its own, and shares are "
	"relative to the group.",
	"Several recordings are merged: their samples add up, and their times are placed on one "
	"clock. They must have the same mode, event, unit and rate. An unfinished recording, "
	"NAME.krait.part, is read up to its last flush, at most about a second before it broke "
	"off; a damaged one is refused.",
	"Patterns of --where may contain * and ?. A function is matched with or without its "
	"qualifying class, a file by its path or the end of it. Losses always refer to the whole "
	"recordings: --where does not filter them.",
	NULL,
};

static const struct cli_term examples[] = {
	{ "krait report x.krait", "Hottest functions" },
	{ "krait report x.krait --by process --lines", "Hottest lines, per process" },
	{ "krait report x.krait --callers Query.run", "Callers of Query.run" },
	{ "krait report x.krait --source app/db.py", "Share of each line of one file" },
	{ "krait report x.krait --states --callers '[futex]'", "Which functions wait for locks" },
	{ "krait report x.krait --where kind=gc --by process", "Who triggers garbage collection" },
	{ "krait report x.krait -o x.pb.gz -o x.speedscope.json", "Write two formats at once" },
	{ "krait report x.krait -f folded --where process=web --where time=30s..40s",
	  "Ten seconds of the process web" },
	{ "krait report monday.krait tuesday.krait -o both.krait", "Merge two recordings" },
	{},
};

/* --- one run ---------------------------------------------------------------------------------- */

struct input {
	const char *name;
	FILE *from;
	struct timespec started;
};

struct report {
	const struct report_opts *o;
	VEC(struct input) inputs; /* earliest recording first */
	struct recording *recording;
	struct profile *chosen; /* filtered by --where; NULL: everything */
	outputs outputs;
};

static void report_done(struct report *r)
{
	struct input *i;

	vec_each (&r->inputs, i)
		close_file(&i->from);
	vec_done(&r->inputs);
	profile_free(r->chosen);
	recording_free(r->recording);
	outputs_done(&r->outputs);
}

static int open_input(struct report *r, const char *name, struct err *err)
{
	struct input i = { .name = name, .from = fopen(name, "re") };
	int code;

	if (!i.from)
		return err_set(
			err, -errno,
			"recording: '%s': %m; name a file that 'krait record -o x.krait' wrote",
			name);
	code = vec_push(&r->inputs, i);
	if (code) {
		fclose(i.from);
		return err_set(err, code, "report: out of memory");
	}
	return restore_started(i.from, name, &r->inputs.at[r->inputs.len - 1].started, err);
}

static int by_start(const void *pa, const void *pb)
{
	const struct input *a = pa, *b = pb;

	if (a->started.tv_sec != b->started.tv_sec)
		return a->started.tv_sec < b->started.tv_sec ? -1 : 1;
	return a->started.tv_nsec < b->started.tv_nsec ? -1 : 1;
}

static bool same_input(const struct input *a, const struct input *b)
{
	struct stat sa, sb;

	return !fstat(fileno(a->from), &sa) && !fstat(fileno(b->from), &sb) &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* A file given twice would count twice. (Start times do not tell: parts made with --where have the same one.) */
static int check_inputs(const struct report *r, struct err *err)
{
	const struct input *a, *b;

	vec_each (&r->inputs, a)
		for (b = r->inputs.at; b < a; b++)
			if (same_input(a, b))
				return err_set(
					err, -EINVAL,
					"recording: '%s' and '%s' are the same file; name it once",
					b->name, a->name);
	return 0;
}

static int open_inputs(struct report *r, struct err *err)
{
	int code = 0;

	for (char **name = r->o->files; !code && *name; name++)
		code = open_input(r, *name, err);
	if (!code)
		code = check_inputs(r, err);
	if (!code)
		qsort(r->inputs.at, r->inputs.len, sizeof(*r->inputs.at), by_start);
	return code;
}

static void say_cut(const char *name)
{
	_cleanup_(buf_done) struct buf shown = {};

	utf8_show(&shown, name, strlen(name));
	fprintf(stderr, "krait: '%s': unfinished recording; read up to its last flush\n",
		shown.data ? shown.data : "?");
}

static int read_inputs(struct report *r, struct err *err)
{
	struct input *i;
	bool whole;
	int code = 0;

	r->recording = recording_new();
	if (!r->recording)
		return err_set(err, -ENOMEM, "report: out of memory");
	vec_each (&r->inputs, i) {
		if (!code)
			code = restore_add(r->recording, i->from, i->name, &whole, err);
		if (!code && !whole)
			say_cut(i->name);
	}
	return code;
}

static int add_where(const struct report_opts *o, struct where *w, struct err *err)
{
	const char *const *text_at;
	int code = w ? 0 : err_set(err, -ENOMEM, "report: out of memory");

	vec_each (&o->where, text_at)
		if (!code)
			code = where_add(w, *text_at, err);
	return code;
}

static int choose(struct report *r, struct err *err)
{
	_cleanup_(where_freep) struct where *w = where_new();
	int code = add_where(r->o, w, err);

	if (code || !r->o->where.len)
		return code;
	r->chosen = where_apply(w, recording_profile(r->recording), recording_stacks(r->recording));
	return r->chosen ? 0 : err_set(err, -ENOMEM, "report: out of memory");
}

static const struct profile *chosen(const struct report *r)
{
	return r->chosen ? r->chosen : recording_profile(r->recording);
}

static int open_outputs(struct report *r, struct err *err)
{
	const char *const *name;
	int code = 0;

	vec_each (&r->o->outputs, name)
		if (!code)
			code = outputs_add(&r->outputs, *name, true, r->o->format, &format_table,
					   err);
	if (!code)
		code = outputs_give_to_sudo(&r->outputs, err);
	return code ? code : outputs_check(&r->outputs, err);
}

static int write_all(struct report *r, struct err *err)
{
	const struct report_opts *o = r->o;
	struct format_opts out = { .lines = !o->no_lines,
				   .full_paths = o->full_paths,
				   .states = !o->no_states,
				   .state_rows = o->states,
				   .grouped = o->grouped,
				   .by_line = o->lines,
				   .by_total = o->total,
				   .limit = o->limit,
				   .callers = o->callers,
				   .callees = o->callees,
				   .source = o->source };
	int code;

	for (; out.ndims < o->by.len; out.ndims++)
		out.dims[out.ndims] = o->by.at[out.ndims];
	code = outputs_write(&r->outputs, chosen(r), recording_stacks(r->recording), &out, true,
			     err);
	outputs_say(&r->outputs);
	return code;
}

static bool groups_by(const struct report_opts *o, enum dim dim)
{
	const unsigned int *it;

	vec_each (&o->by, it)
		if (*it == dim)
			return true;
	return false;
}

static void say_unmatched(const struct report *r)
{
	if (r->chosen && !profile_rows(r->chosen))
		fputs("krait: --where: no samples match\n", stderr);
	if (groups_by(r->o, DIM_TASK) && !profile_tells_tasks(chosen(r)))
		fputs("krait: --by task: the recording has no tasks; record them by 'krait record "
		      "--by task'\n",
		      stderr);
}

static int report(struct report *r, struct err *err)
{
	int code = open_inputs(r, err);

	if (!code)
		code = open_outputs(r, err);
	if (!code)
		code = read_inputs(r, err);
	if (!code)
		code = choose(r, err);
	if (!code)
		say_unmatched(r);
	return code ? code : write_all(r, err);
}

static bool writes_table(const struct report_opts *o)
{
	const char *const *name;

	vec_each (&o->outputs, name)
		if (outputs_format(*name, o->format, &format_table) == &format_table)
			return true;
	return false;
}

/* Rejects options that affect only the table if no table is written. */
static int check_table(const struct report_opts *o, struct err *err)
{
	const struct {
		const char *name;
		bool given;
	} options[] = {
		{ "--lines", o->lines },
		{ "--total", o->total },
		{ "--limit", o->limit != defaults.limit },
		{ "--states", o->states },
		{ "--callers", o->callers },
		{ "--callees", o->callees },
		{ "--source", o->source },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given && !writes_table(o))
			return err_set(err, -EINVAL,
				       "%s applies to the table, which is not written; add -o - or "
				       "-o NAME.report, without -f",
				       options[i].name);
	return 0;
}

static int report_check(void *opts, struct err *err)
{
	_cleanup_(where_freep) struct where *w = where_new();
	struct report_opts *o = opts;
	int code = add_where(o, w, err);

	if (code)
		return code;
	if (!o->files)
		return err_set(err, -EINVAL, "missing FILE; 'krait record -o x.krait' writes one");
	if (!o->outputs.len && vec_push(&o->outputs, "-"))
		return -ENOMEM;
	if (!!o->callers + !!o->callees + !!o->source > 1)
		return err_set(err, -EINVAL,
			       "--callers, --callees and --source cannot be combined; use one");
	if (o->states && o->no_states)
		return err_set(err, -EINVAL,
			       "--states cannot be combined with --no-states; use one");
	o->grouped = o->by.len;
	code = outputs_check_names(&o->outputs, o->format, err);
	if (!code)
		code = check_table(o, err);
	return code ? code : cmd_check_by(&o->by, err);
}

static int report_run(const void *opts)
{
	_cleanup_(report_done) struct report r = { .o = opts };
	struct err err = {};
	int code = report(&r, &err);

	if (code)
		fprintf(stderr, "krait: %s\n", err.text);
	return code ? CLI_FAILED : CLI_DONE;
}

const struct cli_cmd cmd_report = {
	.name = "report",
	.usage = "[OPTION...] FILE...",
	.summary = "show a saved recording, or convert it to another format",
	.text = text,
	.opts = rows,
	.opts_size = sizeof(struct report_opts),
	.defaults = &defaults,
	.words = "FILE",
	.words_bare = true,
	.words_at = offsetof(struct report_opts, files),
	.check = report_check,
	.run = report_run,
	.examples = examples,
};
