/* SPDX-License-Identifier: BSD-2-Clause */
/* Any read here may block for ever. Nothing handles that here: the caller then abandons this process. */
#include "session/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/procfs.h"
#include "proc/rmem.h"
#include "proc/served.h"
#include "proc/source.h"
#include "py/codefetch.h"
#include "py/gil.h"
#include "py/idents.h"
#include "py/stackread.h"
#include "py/asynctask.h"
#include "py/tasklist.h"
#include "py/taskplace.h"
#include "py/threadname.h"
#include "session/look.h"

enum {
	ARGUMENTS_MAX = 1 << 16, /* most bytes that callers ask for */
	SERVED_MAX = 256,
};

struct sources {
	struct detect *detect;
	struct codefetch *fetch;
	struct threadnames *threads;
	/* NULL until a whole stack or a task is asked for: record never does. */
	struct stackread *stacks;
	struct taskread *tasks;
};

static void sources_close(void *state)
{
	struct sources *s = state;

	detect_free(s->detect);
	codefetch_free(s->fetch);
	threadnames_free(s->threads);
	stackread_free(s->stacks);
	taskread_free(s->tasks);
	free(s);
}

static void *sources_open(void)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->detect = detect_new();
	s->fetch = codefetch_new();
	s->threads = threadnames_new();
	if (s->detect && s->fetch && s->threads)
		return s;
	sources_close(s);
	return NULL;
}

/* For most processes the answer is a definite "not Python", which the number alone expresses. */
static int add_looked(struct buf *out, const struct reading_looked *l)
{
	if (l->kind == DETECT_PYTHON || l->kind == DETECT_UNSUPPORTED || l->py.doubt)
		buf_add(out, l, sizeof(*l));
	return l->kind;
}

static int look(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_who *who = ask;
	struct reading_looked l = {};

	l.kind = look_process(s->detect, who->pid, who->tid, &l.py, &l.why);
	return add_looked(out, &l);
}

static int interpreter(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_who *who = ask;
	struct reading_looked l = {};

	l.kind = detect_interpreter(s->detect, who->pid, who->index, &l.py, &l.why);
	return add_looked(out, &l);
}

static int build(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_who *who = ask;
	struct python_build b = {};
	int err = detect_build(s->detect, who->pid, &b);

	if (!err)
		buf_add(out, &b, sizeof(b));
	return err;
}

static int arguments(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_who *who = ask;
	size_t size = who->size < ARGUMENTS_MAX ? who->size : ARGUMENTS_MAX;
	_free_ char *text = malloc(size + 1);
	ssize_t len = text ? procfs_arguments(who->pid, text, size) : -ENOMEM;

	if (len > 0)
		buf_add(out, text, len);
	return len < 0 ? len : 0;
}

static int names(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_container *w = ask;
	struct reading_named n = {};
	bool found = runtime_names(w->root, w->id, &n.names, &n.refused);

	buf_add(out, &n, sizeof(n));
	return found;
}

static int code(struct sources *s, const void *ask, struct buf *out)
{
	return codefetch_read(s->fetch, ask, out);
}

static int touch(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_who *who = ask;
	uint8_t byte;

	return rmem_read(who->pid, who->addr, &byte, sizeof(byte));
}

static int thread(struct sources *s, const void *ask, struct buf *out)
{
	int err = threadnames_read(s->threads, ask, out);

	if (!err)
		buf_char(out, '\0');
	return err;
}

static int served(struct sources *s, const void *ask, struct buf *out)
{
	const struct reading_who *who = ask;
	char text[SERVED_MAX] = "";
	int err = served_mapping(who->pid, text, sizeof(text));

	if (!err)
		buf_add(out, text, strlen(text) + 1);
	return err;
}

static int idents(struct sources *s, const void *ask, struct buf *out)
{
	return idents_read(ask, out);
}

static int gil(struct sources *s, const void *ask, struct buf *out)
{
	struct gil_now found[GIL_MAX];
	size_t n = gil_read(ask, found);

	buf_add(out, found, n * sizeof(*found));
	return out->err;
}

static int stack(struct sources *s, const void *ask, struct buf *out)
{
	if (!s->stacks)
		s->stacks = stackread_new();
	return s->stacks ? stackread_thread(s->stacks, ask, out) : -ENOMEM;
}

static int source(struct sources *s, const void *ask, struct buf *out)
{
	return source_read(ask, out);
}

static int tasklist(struct sources *s, const void *ask, struct buf *out)
{
	return tasklist_read(ask, out);
}

static int tasks(struct sources *s, const void *ask, struct buf *out)
{
	if (!s->tasks)
		s->tasks = taskread_new();
	return s->tasks ? taskread_tasks(s->tasks, ask, out) : -ENOMEM;
}

static int place(struct sources *s, const void *ask, struct buf *out)
{
	struct task_place found;

	taskplace_read(ask, &found);
	buf_add(out, &found, sizeof(found));
	return out->err;
}

static const struct {
	int (*run)(struct sources *s, const void *ask, struct buf *out);
	size_t len; /* bytes of the request */
} ops[READING_OPS] = {
	[READING_LOOK] = { look, sizeof(struct reading_who) },
	[READING_INTERPRETER] = { interpreter, sizeof(struct reading_who) },
	[READING_BUILD] = { build, sizeof(struct reading_who) },
	[READING_ARGUMENTS] = { arguments, sizeof(struct reading_who) },
	[READING_NAMES] = { names, sizeof(struct reading_container) },
	[READING_CODE] = { code, sizeof(struct code_wanted) },
	[READING_TOUCH] = { touch, sizeof(struct reading_who) },
	[READING_THREAD] = { thread, sizeof(struct threadname_wanted) },
	[READING_SERVED] = { served, sizeof(struct reading_who) },
	[READING_IDENTS] = { idents, sizeof(struct idents_wanted) },
	[READING_GIL] = { gil, sizeof(struct gil_wanted) },
	[READING_STACK] = { stack, sizeof(struct stack_wanted) },
	[READING_SOURCE] = { source, sizeof(struct source_wanted) },
	[READING_TASKLIST] = { tasklist, sizeof(struct tasklist_wanted) },
	[READING_TASKS] = { tasks, sizeof(struct task_wanted) },
	[READING_PLACE] = { place, sizeof(struct taskplace_wanted) },
};

_Static_assert(sizeof(struct reading_container) <= ASIDE_ASK_MAX &&
		       sizeof(struct code_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct threadname_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct idents_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct gil_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct stack_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct source_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct tasklist_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct taskplace_wanted) <= ASIDE_ASK_MAX &&
		       sizeof(struct task_wanted) <= ASIDE_ASK_MAX,
	       "questions are small");

static int serve(void *state, uint32_t op, const void *ask, size_t len, struct buf *out)
{
	if (op >= READING_OPS || len != ops[op].len)
		return -EINVAL;
	return ops[op].run(state, ask, out);
}

const struct aside_ops reading_ops = { sources_open, sources_close, serve, "krait-reader" };

size_t reading_size(enum reading_op op)
{
	return ops[op].len;
}
