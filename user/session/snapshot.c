/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	look ─► interpreters ─► GIL ─► each thread: idents ─► names ─► stack ─► GIL again ─► tasks ─► code objects
 *
 * Everything that reads memory of the process runs in the reader's helper process, because it may hang. A thread
 * of a process with several interpreters is read once for each of them.
 */
#include "session/snapshot.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "proc/procfs.h"
#include "py/locals.h"
#include "session/frames.h"
#include "session/reader.h"
#include "sym/sym.h"
#include "sym/syscall.h"

/* What is known of a thread besides its row. */
struct detail {
	uint64_t self; /* pthread_self(), 0: unknown */
	bool doubtful;
	uint64_t started;          /* CLOCK_BOOTTIME ns */
	uint64_t state;            /* its PyThreadState */
	uint32_t markers;          /* before its frames, at the leaf */
	size_t locals, locals_len; /* its variables in snapshots.locals */
};

struct snapshots {
	struct snapshots_opts opts;
	struct reader *reader;
	struct codes *codes;
	struct sym *sym;

	/* The last snapshot. */
	struct snapshot snapshot;
	pid_t leader; /* the first thread of the process */
	pid_t pid; /* the same, or another thread, if the first one has ended: that one has no memory */
	struct proc_key key;
	struct strpool *texts;
	VEC(struct python) pythons;
	VEC(struct snapshot_thread) threads;
	VEC(struct detail) details; /* of each thread */
	VEC(uint32_t) frames;       /* for sym_resolve() */
	VEC(uint64_t) places;       /* of each frame: its address; 0: a marker */
	struct buf locals;          /* struct local of all threads */
	VEC(struct snapshot_gil) gils;
	struct tasks *tasks;
	struct hmap *sources; /* struct source_key -> struct source; NULL: none was asked for */
};

/* A line of a file. */
struct source_key {
	uint32_t file; /* a number in texts */
	int32_t line;
};

struct source {
	const char *text; /* NULL: none */
	bool newer;
};

struct snapshots *snapshots_new(const struct snapshots_opts *o)
{
	struct snapshots *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->opts = *o;
	s->reader = reader_new();
	s->codes = codes_new();
	s->sym = s->codes ? sym_new(s->codes) : NULL;
	s->tasks = tasks_new();
	if (!s->reader || !s->sym || !s->tasks) {
		snapshots_free(s);
		return NULL;
	}
	reader_complete(s->reader, s->codes);
	return s;
}

void snapshots_free(struct snapshots *s)
{
	if (!s)
		return;
	reader_free(s->reader);
	sym_free(s->sym);
	codes_free(s->codes);
	strpool_free(s->texts);
	hmap_free(s->sources);
	tasks_free(s->tasks);
	vec_done(&s->pythons);
	vec_done(&s->threads);
	vec_done(&s->details);
	vec_done(&s->frames);
	vec_done(&s->places);
	vec_done(&s->gils);
	buf_done(&s->locals);
	free(s);
}

/* --- the process ------------------------------------------------------------------------------ */

static int clear(struct snapshots *s, pid_t pid)
{
	s->pid = s->leader = pid;
	s->pythons.len = s->threads.len = s->details.len = s->frames.len = s->gils.len = 0;
	s->places.len = 0;
	tasks_clear(s->tasks);
	s->snapshot = (struct snapshot){};
	buf_clear(&s->locals);
	hmap_free(s->sources);
	s->sources = NULL;
	strpool_free(s->texts);
	s->texts = strpool_new();
	return s->texts ? 0 : -ENOMEM;
}

static uint64_t ns_of_ticks(unsigned long long ticks)
{
	return ticks * (1000000000ULL / sysconf(_SC_CLK_TCK));
}

static int look(struct snapshots *s, struct err *err)
{
	struct python py = {}, other;
	struct err why = {};
	int kind = reader_look(s->reader, s->pid, 0, &py, err), code;

	if (kind == -ETIMEDOUT)
		return err_set(err, kind, "its memory or files do not answer");
	if (kind < 0)
		return err_set(err, kind, "%s", strerror(-kind));
	if (kind != DETECT_PYTHON && py.count < 2)
		return err->code ? err->code : err_set(err, -ENOTSUP, "no Python was found in it");
	code = kind == DETECT_PYTHON ? vec_push(&s->pythons, py) : 0;
	for (uint32_t i = 0; i < py.count && s->pythons.len < WIRE_MAX_INTERPS && !code; i++)
		if (i != py.index &&
		    reader_interpreter(s->reader, s->pid, i, &other, &why) == DETECT_PYTHON)
			code = vec_push(&s->pythons, other);
	if (!code && !s->pythons.len)
		return err->code ? err->code : err_set(err, -ENOTSUP, "no Python was found in it");
	return code;
}

/* --- threads and their names ------------------------------------------------------------------ */

static int keep(struct snapshots *s, const char *text, const char **ret)
{
	uint32_t id = strpool_add(s->texts, text, strlen(text));

	if (id == UINT32_MAX)
		return -ENOMEM;
	*ret = strpool_str(s->texts, id);
	return 0;
}

static int add_thread(struct snapshots *s, const struct ident *ident)
{
	struct snapshot_thread t = { .tid = ident->tid, .ns_tid = ident->tid, .shown = true };
	struct detail d = { .self = ident->self, .doubtful = ident->doubtful };
	struct proc_stat stat;
	int err;

	if (procfs_thread_stat(s->pid, ident->tid, &stat))
		return 0; /* it has ended */
	d.started = ns_of_ticks(stat.start_ticks);
	err = keep(s, stat.comm, &t.name);
	if (!err)
		err = vec_push(&s->threads, t);
	return err ? err : vec_push(&s->details, d);
}

static int list_threads(struct snapshots *s)
{
	const struct python *py = &s->pythons.at[0];
	const struct idents_wanted w = { s->pid, py->info.interps, py->layout };
	_cleanup_(buf_done) struct buf answer = {};
	const struct ident *idents;
	int err = reader_idents(s->reader, &w, &answer);

	idents = (const struct ident *)answer.data;
	for (size_t i = 0; i < answer.len / sizeof(*idents) && !err; i++)
		err = add_thread(s, &idents[i]);
	return err;
}

static void take_name(void *ctx, uint32_t thread, const char *name)
{
	struct snapshots *s = ctx;
	struct snapshot_thread *t = &s->threads.at[thread];

	if (name && !keep(s, name, &t->name))
		t->named = true;
}

static bool is_wanted(const struct snapshots *s, const char *name)
{
	for (size_t i = 0; i < s->opts.nnames; i++)
		if (!strcmp(s->opts.names[i], name) || !fnmatch(s->opts.names[i], name, 0))
			return true;
	return !s->opts.nnames;
}

static int name_threads(struct snapshots *s)
{
	const struct python *py = &s->pythons.at[0];
	struct threadname_wanted w = { .pid = s->pid,
				       .interps = py->info.interps,
				       .layout = py->layout };
	int err = 0;

	for (size_t i = 0; i < s->threads.len && !err; i++) {
		w.tid = s->threads.at[i].tid;
		w.started = s->details.at[i].started;
		w.thread_pointer = s->details.at[i].self;
		if (w.thread_pointer)
			err = reader_thread_name(s->reader, &w, i, take_name, s);
	}
	reader_settle(s->reader);
	for (size_t i = 0; i < s->threads.len; i++)
		s->threads.at[i].shown = is_wanted(s, s->threads.at[i].name);
	return err;
}

/* --- stacks ----------------------------------------------------------------------------------- */

static enum state_kind kind_of(const struct stack_found *f)
{
	if (f->task.state == 'T' || f->task.state == 't' || f->task.frozen)
		return STATE_STOPPED;
	if (f->task.state == 'Z' || f->task.state == 'X')
		return STATE_UNKNOWN;
	if (f->task.state == 'R' || f->proof != STACK_RESTED)
		return STATE_RUNNING;
	if (f->task.call == __NR_futex)
		return f->in_gil ? STATE_GIL_WAIT : STATE_FUTEX;
	if (f->task.state == 'D')
		return STATE_DISK;
	return f->task.state == 'S' ? STATE_SLEEPING : STATE_UNKNOWN;
}

/* Does a marker say that frames are missing that could be there? */
static bool is_unread(enum walk_end end, enum stack_proof proof)
{
	switch (end) {
	case WALK_COMPLETE:
	case WALK_TRUNCATED:
	case WALK_NO_STATE:
	case WALK_NO_FRAME:
	case WALK_EXITING:
		return proof == STACK_MOVED;
	default:
		return true;
	}
}

static int add_frame(struct snapshots *s, const struct wire_frame *f, uint64_t at,
		     const struct python *py)
{
	const struct frames fs = { s->codes, s->sym, s->key };
	uint32_t id = frames_add(&fs, f, py);
	int err = id == SYM_NONE ? -ENOMEM : vec_push(&s->frames, id);

	return err ? err : vec_push(&s->places, at);
}

static int add_marker(struct snapshots *s, enum walk_end end)
{
	int err = vec_push(&s->frames, sym_marker(end));

	return err ? err : vec_push(&s->places, 0);
}

/* Bytes of the head and of what follows for each frame. */
static uint64_t stack_len(const struct stack_found *f)
{
	return sizeof(*f) + f->count * (uint64_t)(sizeof(struct wire_frame) + sizeof(uint64_t));
}

static bool is_cut(const struct stack_found *f)
{
	return f->end == WALK_TRUNCATED || f->end == WALK_ENDLESS;
}

/* Leaf first; a marker stands where frames are missing. */
static int add_frames(struct snapshots *s, const struct stack_found *f, const struct python *py)
{
	const struct wire_frame *frames = (const struct wire_frame *)(f + 1);
	const uint64_t *at = (const uint64_t *)(frames + f->count);
	int err = is_cut(f) ? add_marker(s, f->end) : 0;

	for (uint32_t i = 0; i < f->count && !err; i++)
		err = add_frame(s, &frames[i], at[i], py);
	if (!err && f->end != WALK_COMPLETE && f->end != WALK_TRUNCATED)
		err = add_marker(s, f->end);
	return err;
}

/* @len: bytes of @f with the frames and variables behind it. */
static int fill(struct snapshots *s, size_t i, const struct stack_found *f, size_t len,
		const struct python *py)
{
	struct detail *d = &s->details.at[i];
	struct snapshot_thread *t = &s->threads.at[i];
	uint32_t call = f->task.call >= 0 && f->task.call < UINT32_MAX ? f->task.call : UINT32_MAX;
	int err;

	t->ns_tid = f->task.ns_tid;
	t->state.kind = kind_of(f);
	t->state.call = t->state.kind == STATE_RUNNING ? NULL : syscall_name(call);
	t->proof = f->proof;
	t->unread = is_unread(f->end, f->proof);
	t->first = s->frames.len;
	d->state = f->state;
	d->markers = is_cut(f);
	d->locals = s->locals.len;
	d->locals_len = len - stack_len(f);
	buf_add(&s->locals, (const char *)f + len - d->locals_len, d->locals_len);
	err = add_frames(s, f, py);
	t->frames = s->frames.len - t->first;
	return err ? err : s->locals.err;
}

/* The answer for one interpreter. NULL: there is none, or it is malformed. */
static const struct stack_found *found_in(const struct buf *b)
{
	const struct stack_found *f = (const struct stack_found *)b->data;

	if (b->len < sizeof(*f) || f->end >= WALK_ENDS || b->len < stack_len(f))
		return NULL;
	return f;
}

/* Reads the thread for one interpreter, into @out. 0, or -errno. */
static int read_one(struct snapshots *s, size_t i, const struct python *py, struct buf *out)
{
	const struct stack_wanted w = {
		.pid = s->pid,
		.tid = s->threads.at[i].tid,
		.leader = s->threads.at[i].tid == (uint32_t)s->leader,
		.self = s->details.at[i].self,
		.doubtful = s->details.at[i].doubtful,
		.locals = s->opts.locals,
		.key = s->key,
		.info = py->info,
		.layout = py->layout,
	};

	return reader_stack(s->reader, &w, out);
}

/*
 * Reads the thread for each interpreter, and takes the one in which it has frames. In two of them: one has called
 * the other, and nothing tells which.
 */
static int read_thread(struct snapshots *s, size_t i)
{
	_cleanup_(buf_done) struct buf best = {};
	const struct python *which = NULL, *py;
	struct stack_found *found;
	uint32_t several = 0;

	vec_each (&s->pythons, py) {
		_cleanup_(buf_done) struct buf answer = {};
		const struct stack_found *f;
		int err = read_one(s, i, py, &answer);

		if (err)
			return err;
		f = found_in(&answer);
		if (!f)
			return -EIO;
		several += f->count > 0;
		if (!which || (f->count && several == 1)) {
			buf_done(&best);
			best = answer;
			answer = (struct buf){};
			which = py;
		}
	}
	found = (struct stack_found *)best.data;
	if (several > 1) {
		found->end = WALK_AMBIGUOUS;
		found->count = 0;
		best.len = sizeof(*found);
	}
	return fill(s, i, found, best.len, which);
}

/* The thread has no stack: it has ended, or its process hangs. */
static int note_failure(struct snapshots *s, struct snapshot_thread *t, int err)
{
	if (err == -ENOMEM)
		return err;
	t->ended = err == -ESRCH;
	t->state.kind = STATE_UNKNOWN;
	t->unread = !t->ended;
	t->first = s->frames.len;
	t->frames = 1;
	return add_marker(s, WALK_UNREADABLE);
}

static int read_threads(struct snapshots *s)
{
	int err = 0;

	for (size_t i = 0; i < s->threads.len && !err; i++) {
		err = s->threads.at[i].shown ? read_thread(s, i) : 0;
		if (err)
			err = note_failure(s, &s->threads.at[i], err);
	}
	return err;
}

/* --- the GIL ---------------------------------------------------------------------------------- */

struct gils {
	struct gil_now at[GIL_MAX * WIRE_MAX_INTERPS];
	size_t n;
};

static void read_gils(struct snapshots *s, struct gils *ret)
{
	const struct python *py;

	ret->n = 0;
	vec_each (&s->pythons, py) {
		const struct gil_wanted w = { s->pid, py->info, py->layout };

		ret->n += reader_gil(s->reader, &w, &ret->at[ret->n]);
	}
}

/* By the state that its stack was read from, or else by the thread that made the state. */
static struct snapshot_thread *holder_of(struct snapshots *s, const struct gil_now *g)
{
	for (size_t i = 0; i < s->threads.len; i++)
		if (s->details.at[i].state == g->holder)
			return &s->threads.at[i];
	for (size_t i = 0; i < s->threads.len; i++)
		if (g->self && s->details.at[i].self == g->self)
			return &s->threads.at[i];
	return NULL;
}

static int note_gils(struct snapshots *s, const struct gils *before, const struct gils *after)
{
	int err = 0;

	for (size_t i = 0; i < after->n && !err; i++) {
		const struct gil_now *g = &after->at[i];
		struct snapshot_thread *t = g->holder ? holder_of(s, g) : NULL;
		struct snapshot_gil gil = { .held = g->holder, .holder = t };

		gil.steady = i < before->n && before->at[i].gil == g->gil &&
			     before->at[i].holder == g->holder;
		if (t && gil.steady)
			t->state.holds_gil = true;
		err = vec_push(&s->gils, gil);
	}
	return err;
}

/* --- tasks ------------------------------------------------------------------------------------ */

/* The thread that runs a coroutine, and where the coroutine's frame is in its stack. */
static const struct snapshot_thread *runner_of(const struct snapshots *s, uint64_t frame,
					       uint32_t *ret_i)
{
	const struct snapshot_thread *t;

	vec_each (&s->threads, t)
		for (uint32_t i = 0; i < t->frames; i++)
			if (s->places.at[t->first + i] == frame) {
				*ret_i = i;
				return t;
			}
	return NULL;
}

/* What a task runs is in the stack of the thread that runs it, above the frame of its coroutine. */
static int take_stacks(struct snapshots *s)
{
	size_t n;
	struct task *all = tasks_all(s->tasks, &n);
	int err = 0;

	for (size_t k = 0; k < n && !err; k++) {
		const struct snapshot_thread *t = NULL;
		uint32_t i;

		if (all[k].state == TASK_RUNNING && all[k].frame)
			t = runner_of(s, all[k].frame, &i);
		if (t)
			err = tasks_set_frames(s->tasks, &all[k], &s->frames.at[t->first], i + 1);
		if (t)
			all[k].thread = t->tid;
	}
	return err;
}

static int read_tasks(struct snapshots *s)
{
	const struct tasks_source from = {
		s->pid, s->reader, { s->codes, s->sym, s->key }, s->texts
	};
	const struct python *py;
	int err = 0;

	vec_each (&s->pythons, py)
		if (!err)
			err = tasks_read(s->tasks, &from, py);
	if (!err)
		err = take_stacks(s);
	return err ? err : tasks_link(s->tasks);
}

/* --- all -------------------------------------------------------------------------------------- */

static int read_all(struct snapshots *s)
{
	struct gils before, after;
	int err;

	read_gils(s, &before);
	err = read_threads(s);
	read_gils(s, &after);
	if (!err)
		err = note_gils(s, &before, &after);
	if (!err && s->opts.tasks)
		err = read_tasks(s);
	reader_settle(s->reader); /* for the code objects */
	return err;
}

/* A thread that has not ended; the first one if all have. */
static pid_t living(pid_t pid)
{
	procfs_pids tids = {};
	struct proc_stat stat;
	pid_t found = pid;
	const pid_t *tid;

	if (!procfs_list_threads(pid, &tids))
		vec_each (&tids, tid)
			if (found == pid && !procfs_thread_stat(pid, *tid, &stat) &&
			    stat.state != 'Z' && stat.state != 'X')
				found = *tid;
	vec_done(&tids);
	return found;
}

static int take(struct snapshots *s, pid_t pid, struct err *err)
{
	struct proc_stat stat;
	int64_t start = clock_ns();
	int code = clear(s, pid);

	if (!code)
		code = procfs_stat(pid, &stat);
	if (code)
		return code;
	if (stat.state == 'Z')
		s->pid = living(pid);
	s->key = (struct proc_key){ .start_ns = ns_of_ticks(stat.start_ticks), .tgid = s->pid };
	clock_gettime(CLOCK_REALTIME, &s->snapshot.taken);
	code = look(s, err);
	if (!code)
		code = list_threads(s);
	if (!code)
		code = name_threads(s);
	if (!code)
		code = read_all(s);
	if (!code && !s->threads.len)
		code = -ESRCH;
	s->snapshot.seconds = (clock_ns() - start) / 1e9;
	return code;
}

const struct snapshot *snapshots_take(struct snapshots *s, pid_t pid, struct err *err)
{
	int code = take(s, pid, err);

	if (code) {
		if (!err->code)
			err_set(err, code, "%s", strerror(-code));
		return NULL;
	}
	s->snapshot.threads = s->threads.at;
	s->snapshot.nthreads = s->threads.len;
	s->snapshot.gils = s->gils.at;
	s->snapshot.ngils = s->gils.len;
	s->snapshot.tasks = tasks_all(s->tasks, &s->snapshot.ntasks);
	s->snapshot.tasks_missing = tasks_missing(s->tasks);
	return &s->snapshot;
}

void snapshots_frame(const struct snapshots *s, const struct snapshot_thread *t, uint32_t i,
		     struct frame *ret)
{
	sym_resolve(s->sym, s->frames.at[t->first + i], ret);
}

void snapshots_task_frame(const struct snapshots *s, const struct task *t, uint32_t i,
			  struct frame *ret)
{
	sym_resolve(s->sym, tasks_frame(s->tasks, t, i), ret);
}

const struct snapshot_thread *snapshots_loop_thread(const struct snapshots *s,
						    const struct task_loop *l)
{
	for (size_t i = 0; i < s->threads.len && l->self; i++)
		if (s->details.at[i].self == l->self)
			return &s->threads.at[i];
	return NULL;
}

/* --- variables -------------------------------------------------------------------------------- */

bool snapshots_local(const struct snapshots *s, const struct snapshot_thread *t, uint32_t i,
		     size_t *pos, struct snapshot_local *ret)
{
	const struct detail *d = &s->details.at[t - s->threads.at];
	const struct local *l;

	do
		l = d->locals_len ? locals_next(s->locals.data + d->locals, d->locals_len, pos)
				  : NULL;
	while (l && l->frame + d->markers != i);
	if (!l)
		return false;
	*ret = (struct snapshot_local){
		.name = (const char *)(l + 1),
		.name_len = l->name_len,
		.type_len = l->type_len,
		.value_len = l->value_len,
		.argument = l->flags & LOCAL_ARGUMENT,
		.changed = l->flags & LOCAL_CHANGED,
		.rest = l->flags & LOCAL_REST,
	};
	ret->type = ret->name + l->name_len;
	ret->value = ret->type + l->type_len;
	return true;
}

/* --- sources ---------------------------------------------------------------------------------- */

/* When the process started, CLOCK_REALTIME, s. */
static int64_t started(const struct snapshots *s)
{
	uint64_t age = clock_boot_ns() - s->key.start_ns;

	return time(NULL) - age / 1000000000;
}

static void read_source(struct snapshots *s, const struct frame *f, struct source *ret)
{
	struct source_wanted w = { .pid = s->pid, .line = f->line, .started = started(s) };
	_cleanup_(buf_done) struct buf answer = {};
	struct source_found found;

	/* Names such as <string> and <frozen importlib> are no files. */
	if (f->file[0] == '<' || strlen(f->file) >= sizeof(w.path))
		return;
	strcpy(w.path, f->file);
	if (reader_source(s->reader, &w, &answer) || answer.len <= sizeof(found))
		return;
	buf_char(&answer, '\0');
	if (answer.err || keep(s, answer.data + sizeof(found), &ret->text))
		return;
	memcpy(&found, answer.data, sizeof(found));
	ret->newer = found.newer;
}

const char *snapshots_source(struct snapshots *s, const struct frame *f, bool *ret_newer)
{
	struct source_key key = { .line = f->line };
	struct source *source;
	bool fresh;

	if (!f->file || f->line <= 0)
		return NULL;
	if (!s->sources)
		s->sources = hmap_new(sizeof(struct source_key), sizeof(struct source));
	key.file = strpool_add(s->texts, f->file, strlen(f->file));
	source = s->sources && key.file != UINT32_MAX ? hmap_put(s->sources, &key, &fresh) : NULL;
	if (!source)
		return NULL;
	if (fresh)
		read_source(s, f, source);
	*ret_newer = source->newer;
	return source->text;
}
