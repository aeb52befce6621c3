/* SPDX-License-Identifier: BSD-2-Clause */
/* format/table: tallies of functions, lines, callers, callees and files, and their output. */
#include "format/table/tally.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#include "base/cleanup.h"
#include "format/groups.h"

struct rig {
	struct profile *profile;
	struct stacks *stacks;
	struct frames *frames;
	struct groups groups;
	struct tally tally;
	struct format_opts opts;
	uint32_t web, job;
};

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	static const struct frame frames[] = {
		{ .name = "main", .file = "/srv/app.py", .line = 3 },
		{ .name = "App.serve", .file = "/srv/app.py", .line = 7 },
		{ .name = "App.serve", .file = "/srv/app.py", .line = 8 },
		{ .name = "parse", .file = "/srv/lib/parse.py", .line = 9 },
		{ .name = "\x1b[31mred\xe2\x80\xae", .file = "/srv/\nevil.py", .line = 1 },
	};

	*ret = frames[id];
}

static void count_in(struct rig *r, uint32_t thread, const char *path, const struct state *in,
		     uint64_t weight)
{
	uint32_t n = STACKS_ROOT;

	for (; *path; path++)
		n = stacks_push(r->stacks, n, *path - 'a');
	profile_count(r->profile, thread, n, profile_add_state(r->profile, in), weight);
}

static void count(struct rig *r, uint32_t thread, const char *path, uint64_t weight)
{
	count_in(r, thread, path, &(struct state){}, weight);
}

/* main > serve > parse > serve, and other stacks, over ten seconds. */
static void rig_init(struct rig *r)
{
	*r = (struct rig){ .profile = profile_new(), .stacks = stacks_new() };
	profile_set_resolver(r->profile, resolve, NULL);
	r->web = profile_add_thread(r->profile, profile_add_process(r->profile, 1, "web"), 1, "w");
	r->job = profile_add_thread(r->profile, profile_add_process(r->profile, 2, "job"), 2, "j");
	for (int i = 0; i < 10; i++) {
		profile_set_time(r->profile, i * 1000000000ULL);
		count(r, r->web, "abdc", 4);
		count(r, r->web, "abd", 3);
		count(r, r->job, "ac", 2);
		count(r, r->job, "a", 1);
	}
}

static void rig_done(struct rig *r)
{
	tally_done(&r->tally);
	groups_done(&r->groups);
	frames_free(r->frames);
	profile_free(r->profile);
	stacks_free(r->stacks);
}

#define _rig_ _cleanup_(rig_done) struct rig

static void rig_tally(struct rig *r, bool lines, const struct tally_opts *o)
{
	r->opts.lines = lines;
	r->frames = frames_new(r->profile, r->stacks, &r->opts);
	CHECK_EQ(groups_init(&r->groups, r->profile, frames_names(r->frames), &r->opts), 0);
	CHECK_EQ(tally_init(&r->tally, r->frames, r->profile, r->groups.rows,
			    profile_rows(r->profile), o),
		 0);
}

static const struct tally_entry *entry(const struct rig *r, const char *name, int line)
{
	for (size_t i = 0; i < r->tally.n; i++) {
		const struct tally_entry *e = &r->tally.entries[i];

		if (e->frame != TALLY_NONE && !strcmp(frames_at(r->frames, e->frame)->name, name) &&
		    frames_at(r->frames, e->frame)->line == line)
			return e;
	}
	return NULL;
}

static void expect(const struct rig *r, const char *name, int line, uint64_t self, uint64_t total)
{
	const struct tally_entry *e = entry(r, name, line);

	if (!CHECK(e))
		return;
	CHECK_EQ(e->self, self);
	CHECK_EQ(e->total, total);
	CHECK(e->total_share.low <= e->total_share.share &&
	      e->total_share.share <= e->total_share.high);
}

TEST(functions)
{
	_rig_ r;

	rig_init(&r);
	rig_tally(&r, false, &(struct tally_opts){});
	CHECK_EQ(r.tally.weight, 100);
	CHECK_EQ(r.tally.n, 3);
	expect(&r, "App.serve", 0, 60, 90);
	expect(&r, "parse", 0, 30, 70);
	expect(&r, "main", 0, 10, 100);
	CHECK_STR(frames_at(r.frames, r.tally.entries[0].frame)->name, "App.serve");
	/* All seconds are equal: as precise as independent samples, and not more precise. */
	CHECK(entry(&r, "parse", 0)->self_share.effect == 1);
	CHECK(entry(&r, "main", 0)->total_share.high == 1);
}

TEST(lines)
{
	_rig_ r;

	rig_init(&r);
	rig_tally(&r, true, &(struct tally_opts){ .by_total = true, .limit = 3 });
	CHECK_EQ(r.tally.n, 3);
	CHECK_EQ(r.tally.all, 4);
	expect(&r, "main", 3, 10, 100);
	expect(&r, "App.serve", 7, 0, 70);
	expect(&r, "parse", 9, 30, 70);
}

TEST(callers)
{
	_rig_ r;

	rig_init(&r);
	rig_tally(&r, false,
		  &(struct tally_opts){
			  .view = TALLY_CALLERS, .pattern = "serve", .by_total = true });
	CHECK_EQ(r.tally.seen, 90);
	CHECK_EQ(r.tally.n, 2);
	expect(&r, "main", 0, 0, 90);
	expect(&r, "parse", 0, 0, 40);
}

TEST(callees)
{
	_rig_ r;

	rig_init(&r);
	rig_tally(&r, false, &(struct tally_opts){ .view = TALLY_CALLEES, .pattern = "App.serve" });
	expect(&r, "parse", 0, 30, 70);
	CHECK_EQ(r.tally.n, 2);
	CHECK_EQ(r.tally.entries[1].frame, TALLY_NONE);
	CHECK_EQ(r.tally.entries[1].total, 60);
}

TEST(a_file)
{
	_rig_ r;

	rig_init(&r);
	rig_tally(&r, true, &(struct tally_opts){ .view = TALLY_FILE, .pattern = "app.py" });
	CHECK_EQ(r.tally.seen, 100);
	expect(&r, "main", 3, 10, 100);
	expect(&r, "App.serve", 7, 0, 70);
	expect(&r, "App.serve", 8, 60, 60);
	CHECK(!entry(&r, "parse", 9));
}

/* A thread's samples hit in some seconds all, in others never: they count as fewer samples. */
TEST(correlated_samples)
{
	_rig_ r;

	rig_init(&r);
	for (int i = 0; i < 100; i++) {
		profile_set_time(r.profile, i * 1000000000ULL);
		count(&r, r.web, i % 10 < 5 ? "abd" : "ab", 50);
	}
	rig_tally(&r, false, &(struct tally_opts){});
	CHECK(entry(&r, "parse", 0)->self_share.effect > 25);
	CHECK(entry(&r, "main", 0)->total_share.effect == 1);
}

/* --- the table -------------------------------------------------------------------------------- */

static char *table(const struct rig *r, const struct format_opts *o)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	struct err err = {};

	CHECK_EQ(format_table.write(r->profile, r->stacks, o, to, &err), 0);
	CHECK_STR(err.text, "");
	fclose(to);
	return text;
}

TEST(table)
{
	_rig_ r;
	_free_ char *text = NULL;

	rig_init(&r);
	text = table(&r, &(struct format_opts){ .limit = 2 });
	CHECK(strstr(text, "all: 100 samples, 100.00 % of all\n"));
	CHECK(strstr(text,
		     "  60.00  50.20..69.06     90.00  82.56..94.48   App.serve (srv/app.py)\n"));
	CHECK(strstr(text, "and 1 more; --limit 3 shows them\n"));
}

TEST(table_of_groups)
{
	const struct format_opts o = { .dims = { DIM_PROCESS }, .ndims = 1, .grouped = true };
	_rig_ r;
	_free_ char *text = NULL;

	rig_init(&r);
	text = table(&r, &o);
	CHECK(strstr(text, "web-1: 70 samples, 70.00 % (60.42..78.11) of all\n"));
	CHECK(strstr(text, "job-2: 30 samples, 30.00 % (21.89..39.58) of all\n"));
}

/* Independent samples would give 51.3 to 66.0. */
TEST(interval_of_an_intermittent_group)
{
	const struct format_opts o = { .dims = { DIM_PROCESS }, .ndims = 1, .grouped = true };
	_rig_ r;
	_free_ char *text = NULL;
	double low, high;
	const char *at;

	rig_init(&r);
	for (int i = 0; i < 10; i += 2) {
		profile_set_time(r.profile, i * 1000000000ULL);
		count(&r, r.job, "ac", 14);
	}
	text = table(&r, &o);
	at = strstr(text, "job-2: 100 samples, 58.82 % (");
	CHECK(at &&
	      sscanf(at, "job-2: 100 samples, 58.82 %% (%lf..%lf) of all\n", &low, &high) == 2);
	CHECK(at && low < 48 && high > 69);
}

TEST(share_of_a_function)
{
	const struct format_opts o = { .callers = "parse" };
	_rig_ r;
	_free_ char *text = NULL;

	rig_init(&r);
	text = table(&r, &o);
	CHECK(strstr(text, "parse is in 70.00 % (60.42..78.11) of them\n"));
}

TEST(hostile_names_in_the_table)
{
	_rig_ r;
	_free_ char *text = NULL, *source = NULL;

	rig_init(&r);
	count(&r, r.web, "e", 1000);
	text = table(&r, &(struct format_opts){ .width = 72 });
	CHECK(strstr(text, " \\x1b[31mred\\u202e (srv/\\\n"));
	CHECK(!strchr(text, '\x1b') && !strstr(text, "\xe2\x80\xae"));
	source = table(&r, &(struct format_opts){ .source = "*evil.py" });
	CHECK(!strchr(source, '\x1b'));
	CHECK(strstr(source, "source text not found"));
}

TEST(source)
{
	_rig_ r;
	_free_ char *text = NULL;

	rig_init(&r);
	text = table(&r, &(struct format_opts){ .source = "app.py" });
	CHECK(strstr(text, "/srv/app.py: 100.00 % of the samples; source text not found\n"));
	CHECK(strstr(text, "  10.00  100.00  96.30..100.00      3  \n"));
}

TEST(source_without_samples)
{
	_rig_ r;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	struct err err = {};
	const struct format_opts o = { .source = "none.py" };

	rig_init(&r);
	CHECK(format_table.write(r.profile, r.stacks, &o, to, &err) < 0);
	CHECK(strstr(err.text, "'none.py': no samples in such a file"));
	fclose(to);
	free(text);
}

/* --- waiting threads -------------------------------------------------------------------------- */

/* serve runs and sleeps, parse waits for the GIL or a CPU, main waits for a lock. */
static void rig_waits(struct rig *r, const char *mode)
{
	const struct state sleeps = { .kind = STATE_SLEEPING, .call = "epoll_wait" };
	struct profile_meta meta = { .unit = "samples" };

	*r = (struct rig){ .profile = profile_new(), .stacks = stacks_new() };
	strcpy(meta.mode, mode);
	profile_set_meta(r->profile, &meta);
	profile_set_resolver(r->profile, resolve, NULL);
	r->web = profile_add_thread(r->profile, profile_add_process(r->profile, 1, "web"), 1, "w");
	count(r, r->web, "ab", 10);
	count_in(r, r->web, "ab", &sleeps, 30);
	count_in(r, r->web, "abd", &(struct state){ .kind = STATE_GIL_WAIT }, 20);
	count_in(r, r->web, "abd", &(struct state){ .kind = STATE_RUNNABLE }, 15);
	count_in(r, r->web, "abd", &(struct state){ .kind = STATE_THROTTLED }, 5);
	count_in(r, r->web, "a", &(struct state){ .kind = STATE_FUTEX }, 20);
}

static void expect_lines(const struct rig *r, const struct format_opts *o, const char *const *lines)
{
	_free_ char *text = table(r, o);

	for (; *lines; lines++) {
		CHECK(strstr(text, *lines));
		if (!strstr(text, *lines))
			printf("# no '%s' in\n%s", *lines, text);
	}
}

#define EXPECT_LINES(r, o, ...) expect_lines(r, o, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_without(const struct rig *r, const struct format_opts *o, const char *word)
{
	_free_ char *text = table(r, o);

	CHECK(!strstr(text, word));
	if (strstr(text, word))
		printf("# '%s' in\n%s", word, text);
}

TEST(classes_of_states)
{
	static const enum state_class wanted[STATE_KINDS] = {
		[STATE_RUNNING] = STATE_CLASS_RUN,   [STATE_RUNNABLE] = STATE_CLASS_RUN,
		[STATE_THROTTLED] = STATE_CLASS_RUN, [STATE_GIL_WAIT] = STATE_CLASS_GIL,
		[STATE_FUTEX] = STATE_CLASS_WAIT,    [STATE_SLEEPING] = STATE_CLASS_WAIT,
		[STATE_DISK] = STATE_CLASS_WAIT,     [STATE_STOPPED] = STATE_CLASS_WAIT,
		[STATE_UNKNOWN] = STATE_CLASS_WAIT,
	};

	for (int i = 0; i < STATE_KINDS; i++)
		CHECK_EQ(state_class(i), wanted[i]);
	CHECK_EQ(state_class(STATE_KINDS), STATE_CLASS_WAIT);
}

/* parse runs bytecode, C code and the kernel; serve runs what is not known. */
TEST(kinds_are_attributed_to_functions)
{
	const struct format_opts o = { .states = true }, grouped = {
		.states = true, .grouped = true, .ndims = 1, .dims = { DIM_KIND }
	};
	struct profile_meta meta = { .unit = "samples", .mode = "cpu" };
	_rig_ r = { .profile = profile_new(), .stacks = stacks_new() };

	profile_set_meta(r.profile, &meta);
	profile_set_resolver(r.profile, resolve, NULL);
	r.web = profile_add_thread(r.profile, profile_add_process(r.profile, 1, "web"), 1, "w");
	count(&r, r.web, "ab", 1);
	expect_without(&r, &o, "SYS");
	count_in(&r, r.web, "abd", &(struct state){ .leaf = LEAF_PYTHON }, 50);
	count_in(&r, r.web, "abd", &(struct state){ .leaf = LEAF_INTERPRETER }, 20);
	count_in(&r, r.web, "abd", &(struct state){ .leaf = LEAF_NATIVE }, 9);
	count_in(&r, r.web, "abd", &(struct state){ .leaf = LEAF_GC }, 5);
	count_in(&r, r.web, "abd", &(struct state){ .leaf = LEAF_KERNEL, .call = "read" }, 15);
	EXPECT_LINES(&r, &o,
		     "SELF = PY (bytecode) + C (native code) + SYS (kernel) + unknown (1 sample in "
		     "all)\n",
		     " SELF %  95 % INTERVAL      PY      C    SYS TOTAL %",
		     "  50.00  34.00  15.00", "   0.00   0.00   0.00");
	EXPECT_LINES(&r, &grouped, "python: 50 samples", "kernel: read: 15 samples",
		     "[kind unknown]: 1 samples");
	expect_without(&r, &grouped, "SYS");
}

TEST(waits_are_attributed_to_functions)
{
	static const char *const modes[] = { "wall", "gil" };
	const struct format_opts o = { .states = true };

	for (size_t i = 0; i < 2; i++) {
		_rig_ r;

		rig_waits(&r, modes[i]);
		EXPECT_LINES(&r, &o, "\nSELF = RUN (",
			     " SELF %  95 % INTERVAL     RUN   WAIT    GIL TOTAL %  95 % "
			     "INTERVAL  FUNCTION\n",
			     "  40.00  30.94..49.80    20.00   0.00  20.00   40.00  30.94..49.80   "
			     "parse (lib/parse.py)\n",
			     "  40.00  30.94..49.80    10.00  30.00   0.00   80.00  71.12..86.66   "
			     "App.serve (srv/app.py)\n",
			     "  20.00  13.34..28.88     0.00  20.00   0.00  100.00  96.30..100.00  "
			     "main (srv/app.py)\n");
		expect_without(&r, &o, "[");
	}
}

TEST(waits_of_callers_and_callees)
{
	const struct format_opts callers = { .states = true, .callers = "parse" };
	const struct format_opts callees = { .states = true, .callees = "App.serve" };
	_rig_ r;

	rig_waits(&r, "wall");
	EXPECT_LINES(&r, &callers, "\nTOTAL = RUN (",
		     "TOTAL %  95 % INTERVAL     RUN   WAIT    GIL CALLED BY\n",
		     "  40.00  30.94..49.80    20.00   0.00  20.00 App.serve (srv/app.py)\n");
	EXPECT_LINES(
		&r, &callees,
		" SELF %  95 % INTERVAL  TOTAL %  95 % INTERVAL     RUN   WAIT    GIL CALLS\n",
		"  40.00  30.94..49.80     40.00  30.94..49.80    20.00   0.00  20.00 parse (",
		"  40.00  30.94..49.80     40.00  30.94..49.80    10.00  30.00   0.00 (itself)");
}

TEST(waits_of_lines)
{
	const struct format_opts o = { .states = true, .source = "app.py" };
	_rig_ r;

	rig_waits(&r, "wall");
	EXPECT_LINES(&r, &o, "\nTOTAL = RUN (",
		     " SELF % TOTAL %  95 % INTERVAL     RUN   WAIT    GIL  LINE\n",
		     "  20.00  100.00  96.30..100.00   30.00  50.00  20.00     3  \n",
		     "  40.00   80.00  71.12..86.66    30.00  30.00  20.00     7  \n");
}

TEST(states_as_rows)
{
	const struct format_opts rows = { .states = true, .state_rows = true };
	const struct format_opts callers = { .states = true,
					     .state_rows = true,
					     .callers = "[futex]" };
	_rig_ r;

	rig_waits(&r, "wall");
	EXPECT_LINES(&r, &rows,
		     "  30.00  21.89..39.58     30.00  21.89..39.58   [sleep: epoll_wait]\n",
		     "[gil wait]\n", "[throttled]\n",
		     "  10.00  5.52..17.44      80.00  71.12..86.66   App.serve (srv/app.py)\n");
	expect_without(&r, &rows, "RUN");
	EXPECT_LINES(&r, &callers, "  20.00  13.34..28.88   main (srv/app.py)\n");
}

TEST(useless_columns_are_omitted)
{
	const struct format_opts states = { .states = true }, none = {};
	const struct format_opts groups = {
		.dims = { DIM_PROCESS, DIM_STATE }, .ndims = 2, .grouped = true, .states = true
	};
	_rig_ cpu, wall;

	rig_waits(&cpu, "cpu");
	expect_without(&cpu, &states, "RUN");
	rig_waits(&wall, "wall");
	expect_without(&wall, &none, "RUN");
	EXPECT_LINES(&wall, &none, "  40.00  30.94..49.80     80.00  71.12..86.66   App.serve (");
	expect_without(&wall, &groups, "RUN");
	EXPECT_LINES(&wall, &groups, "web-1 gil wait: 20 samples, 20.00 %",
		     " 100.00  83.89..100.00   100.00  83.89..100.00  parse (lib/parse.py)\n");
}

/* A narrow terminal drops columns to have space for names. */
TEST(a_narrow_terminal)
{
	const struct format_opts narrow = { .states = true, .width = 80 };
	const struct format_opts wide = { .states = true, .width = 100 };
	_rig_ r;

	rig_waits(&r, "wall");
	EXPECT_LINES(
		&r, &narrow, " SELF %  95 % INTERVAL     RUN   WAIT    GIL TOTAL % FUNCTION\n",
		"  40.00  30.94..49.80    10.00  30.00   0.00   80.00 App.serve (srv/app.py)\n");
	EXPECT_LINES(&r, &wide, "   80.00  71.12..86.66   App.serve (srv/app.py)\n");
}

TEST(table_of_a_live_recording)
{
	const struct format_opts o = { .limit = 1, .live = true };
	_rig_ r;

	rig_init(&r);
	EXPECT_LINES(&r, &o,
		     "and 2 more; to see them, record with -o NAME.krait and run krait report "
		     "--limit 3\n");
}
