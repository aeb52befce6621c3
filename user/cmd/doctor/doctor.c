/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait doctor`: prints the findings, one aligned line for each check, then the verdict. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonwrite.h"
#include "base/utf8.h"
#include "cmd/cmd.h"
#include "session/doctor.h"

struct doctor_opts {
	bool json;
	bool verbose;
};

static const struct cli_opt rows[] = {
	{ .name = "json",
	  .help = "print one JSON document instead of lines",
	  CLI_FIELD(flag, struct doctor_opts, json) },
	{ .name = "verbose",
	  .letter = 'v',
	  .help = "also say what passed checks are needed for",
	  CLI_FIELD(flag, struct doctor_opts, verbose) },
	{},
};

static const char *const text[] = {
	"Checks the kernel, the caller's privileges, settings and limits, and tries everything "
	"that a recording of the whole host does up to its first sample. It changes nothing and "
	"runs unprivileged; it also reports what root would find.",
	"Each line starts with ok, limited (something works only in part), missing (recording does "
	"not work) or unknown (the check was not possible, and why). Below a limited or missing "
	"line follow the consequences for record (stacks), names (recognising and naming the "
	"processes of every user), lifecycle (following processes that start and end) and wall "
	"clock, and then fix: the command that helps.",
	"The exit status is for scripts: 0 if recording the whole host works and no line is "
	"limited; 1 if it works and at least one line is limited, or if the report cannot be "
	"written; 2 for a usage error; 3 if it does not work. Lines that are unknown do not count.",
	"With --json the output is one object: \"checks\" is an array of objects with \"name\", "
	"\"status\", \"found\", \"lost\" (null, or the consequences for each mode) and \"fix\" "
	"(null if there is none); \"modes\" has the status of each mode; \"root\" is null if the "
	"caller holds every capability that root could have, else the names of the checks that "
	"would fail for root, too; \"status\" is the verdict: ok, limited or missing.",
	NULL,
};

static const struct cli_term examples[] = {
	{ "krait doctor", "Check whether the caller can record here" },
	{ "krait doctor >/dev/null || test $? -eq 1",
	  "In a script: check whether recording works at all" },
	{},
};

static const char *const status_names[] = {
	[CHECK_OK] = "ok",
	[CHECK_UNKNOWN] = "unknown",
	[CHECK_LIMITED] = "limited",
	[CHECK_MISSING] = "missing",
};

static const char *const mode_names[CHECK_MODES] = {
	[CHECK_RECORD] = "record",
	[CHECK_NAMES] = "names",
	[CHECK_LIFECYCLE] = "lifecycle",
	[CHECK_WALL] = "wall clock",
};

/* Does the finding restrict recording? An unknown one does not count. */
static bool is_bad(const struct finding *f)
{
	return f->status == CHECK_LIMITED || f->status == CHECK_MISSING;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void line(const char *status, const char *name, const char *words)
{
	_cleanup_(buf_done) struct buf shown = {};

	utf8_show(&shown, words, strlen(words));
	if (shown.len)
		printf("%-8s %-26s %s\n", status, name, shown.data);
	else
		printf("%-8s %s\n", status, name);
}

static void print_finding(const struct check *c, const struct finding *f, const char *self,
			  bool verbose)
{
	bool lost = is_bad(f);
	_cleanup_(buf_done) struct buf fix = {};

	line(status_names[f->status], c->name, f->found);
	for (int m = 0; m < CHECK_MODES && (lost || verbose); m++)
		if (c->means[m])
			printf("         %s%s: %s\n", lost ? "" : "if not, ", mode_names[m],
			       c->means[m]);
	if (check_fix(c, f, self, &fix))
		printf("         fix: %s\n", fix.data);
}

/* Appends the names of the checks that restrict @mode (-1: any mode), "kernel, btf". */
static void list_bad(const struct findings *f, int mode, struct buf *ret)
{
	size_t n;
	const struct check *c = checks(&n);

	for (size_t i = 0; i < n; i++)
		if (is_bad(&f->at[i]) && (mode < 0 || c[i].means[mode]))
			buf_printf(ret, "%s%s", ret->len ? ", " : "", c[i].name);
}

static void print_modes(const struct findings *f)
{
	for (int m = 0; m < CHECK_MODES; m++) {
		_cleanup_(buf_done) struct buf bad = {};

		list_bad(f, m, &bad);
		if (f->mode[m] > CHECK_UNKNOWN && !bad.len)
			buf_str(&bad, "nothing is recorded");
		line(status_names[f->mode[m]], mode_names[m], bad.len ? bad.data : "");
	}
}

static void print_root(const struct doctor *d)
{
	_cleanup_(buf_done) struct buf bad = {};

	if (d->privileged)
		return;
	list_bad(&d->root, -1, &bad);
	printf("as root: %s%s\n", bad.len ? "still failing: " : "no obstacles",
	       bad.len ? bad.data : ", as far as can be told without trying");
}

static const struct {
	enum cli_exit exit;
	const char *words;
} verdicts[] = {
	[CHECK_OK] = { CLI_DONE, "works" },
	[CHECK_LIMITED] = { CLI_FAILED, "works, with limits" },
	[CHECK_MISSING] = { CLI_UNABLE, "does not work" },
};

static void print_report(const struct doctor *d, bool verbose)
{
	size_t n;
	const struct check *c = checks(&n);

	for (size_t i = 0; i < n; i++)
		print_finding(&c[i], &d->found.at[i], d->self, verbose);
	putchar('\n');
	print_modes(&d->found);
	putchar('\n');
	print_root(d);
	printf("recording the whole host: %s\n", verdicts[d->found.all].words);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_lost(struct jsonwrite *j, const struct check *c, const struct finding *f)
{
	if (!is_bad(f)) {
		jsonwrite_null(j, "lost");
		return;
	}
	jsonwrite_object(j, "lost");
	for (int m = 0; m < CHECK_MODES; m++)
		if (c->means[m])
			jsonwrite_str(j, mode_names[m], c->means[m]);
	jsonwrite_object_end(j);
}

static void json_check(struct jsonwrite *j, const struct check *c, const struct finding *f,
		       const char *self)
{
	_cleanup_(buf_done) struct buf fix = {};
	bool has_fix = check_fix(c, f, self, &fix);

	jsonwrite_object(j, NULL);
	jsonwrite_str(j, "name", c->name);
	jsonwrite_str(j, "status", status_names[f->status]);
	jsonwrite_str(j, "found", f->found);
	json_lost(j, c, f);
	jsonwrite_str(j, "fix", has_fix ? fix.data : NULL);
	jsonwrite_object_end(j);
}

static void json_root(struct jsonwrite *j, const struct doctor *d)
{
	size_t n;
	const struct check *c = checks(&n);

	if (d->privileged) {
		jsonwrite_null(j, "root");
		return;
	}
	jsonwrite_array(j, "root");
	for (size_t i = 0; i < n; i++)
		if (is_bad(&d->root.at[i]))
			jsonwrite_str(j, NULL, c[i].name);
	jsonwrite_array_end(j);
}

static int print_json(const struct doctor *d)
{
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };
	size_t n;
	const struct check *c = checks(&n);

	jsonwrite_object(&j, NULL);
	jsonwrite_array(&j, "checks");
	for (size_t i = 0; i < n; i++)
		json_check(&j, &c[i], &d->found.at[i], d->self);
	jsonwrite_array_end(&j);
	jsonwrite_object(&j, "modes");
	for (int m = 0; m < CHECK_MODES; m++)
		jsonwrite_str(&j, mode_names[m], status_names[d->found.mode[m]]);
	jsonwrite_object_end(&j);
	json_root(&j, d);
	jsonwrite_str(&j, "status", status_names[d->found.all]);
	jsonwrite_object_end(&j);
	if (out.err)
		fputs("krait doctor: out of memory\n", stderr);
	else
		puts(out.data);
	return out.err;
}

/* --- one run ---------------------------------------------------------------------------------- */

static int doctor_run(const void *opts)
{
	const struct doctor_opts *o = opts;
	struct doctor d;

	doctor_examine(&d);
	if (!o->json)
		print_report(&d, o->verbose);
	else if (print_json(&d))
		return CLI_FAILED;
	if (!fflush(stdout) && !ferror(stdout))
		return verdicts[d.found.all].exit;
	fprintf(stderr, "krait doctor: standard output: %s\n", strerror(errno));
	return CLI_FAILED;
}

const struct cli_cmd cmd_doctor = {
	.name = "doctor",
	.usage = "[OPTION...]",
	.summary = "check whether krait can record here, and show how to fix what prevents it",
	.text = text,
	.opts = rows,
	.opts_size = sizeof(struct doctor_opts),
	.defaults = &(const struct doctor_opts){},
	.run = doctor_run,
	.examples = examples,
};
