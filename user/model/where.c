/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditions on functions and files are evaluated once for each node of the stacks, parents first: a node matches
 * if its own frame or its parent does. All other conditions are evaluated for each row.
 */
#include "model/where.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/vec.h"
#include "model/labels.h"

enum what {
	CONTAINER,
	POD,
	UNIT,
	PROCESS,
	THREAD,
	STATE,
	KIND,
	TASK,
	VERSION,
	LABEL,
	FUNCTION,
	FILE_,
	TIME,
	KEYS
};

struct term {
	enum what what;
	char *text;        /* a pattern */
	char *label;       /* LABEL: key of the label, else NULL */
	uint64_t from, to; /* TIME, ns */
	bool name;         /* THREAD: never a thread ID */
};

struct where {
	VEC(struct term) terms;
};

struct applying {
	const struct where *w;
	const struct profile *p;
	const struct stacks *s;
	uint16_t *nodes; /* bit 1 << what of each node: its stack matches that key */
};

struct where *where_new(void)
{
	return calloc(1, sizeof(struct where));
}

void where_free(struct where *w)
{
	struct term *t;

	if (!w)
		return;
	vec_each (&w->terms, t) {
		free(t->text);
		free(t->label);
	}
	vec_done(&w->terms);
	free(w);
}

/* --- matching --------------------------------------------------------------------------------- */

static bool fits(const char *pattern, const char *text)
{
	return !fnmatch(pattern, text, 0);
}

static bool fits_number(const char *pattern, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return !strcmp(pattern, text);
}

static bool fits_process(const char *pattern, const struct process *p)
{
	return fits_number(pattern, p->pid) || fits(pattern, p->comm);
}

static bool fits_version(const char *pattern, const struct process *p)
{
	char text[64];

	snprintf(text, sizeof(text), "%d.%d%s", p->version >> 8, p->version & 0xff, p->flavour);
	return p->version && fits(pattern, text);
}

static bool fits_container(const char *pattern, const struct container *c)
{
	enum { LEAST = 12 };
	size_t len = strlen(pattern);

	return (*c->name && fits(pattern, c->name)) ||
	       (len >= LEAST && !strncmp(pattern, c->id, len));
}

static bool fits_pod(const char *pattern, const struct container *c)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", c->ns, c->pod);
	return *c->pod && (fits(pattern, c->pod) || fits(pattern, whole));
}

/* Matches "kernel" as well as "kernel: read", "native" as well as "native: libz.so.1". An off-CPU thread has no kind. */
static bool fits_kind(const char *pattern, const struct state *s)
{
	const char *more = s->leaf == LEAF_KERNEL   ? s->call
			   : s->leaf == LEAF_NATIVE ? s->module
						    : NULL;
	char text[512];

	if (s->kind != STATE_RUNNING)
		return false;
	snprintf(text, sizeof(text), "%s: %s", leaf_name(s->leaf), more ? more : "");
	return fits(pattern, leaf_name(s->leaf)) || (more && fits(pattern, text));
}

static bool fits_task(const char *pattern, const struct state *s)
{
	return s->task && fits(pattern, s->task);
}

static bool fits_label(const struct term *t, const struct container *c)
{
	const char *at = c->labels;
	struct label label;

	while (label_next(&at, &label)) {
		_free_ char *value = NULL;

		if (label.key_len != strlen(t->label) || memcmp(label.key, t->label, label.key_len))
			continue;
		value = strndup(label.value, label.value_len);
		return value && fits(t->text, value);
	}
	return false;
}

static bool fits_row(const struct applying *a, const struct term *t, const struct profile_row *row)
{
	const struct process *process = profile_process(a->p, row->process);
	const struct thread *thread = profile_thread(a->p, row->thread);

	const struct container *place = profile_container(a->p, process->container);

	switch (t->what) {
	case CONTAINER:
		return fits_container(t->text, place);
	case POD:
		return fits_pod(t->text, place);
	case UNIT:
		return *place->unit && fits(t->text, place->unit);
	case PROCESS:
		return fits_process(t->text, process);
	case THREAD:
		return (!t->name && fits_number(t->text, thread->tid)) ||
		       fits(t->text, thread->comm);
	case STATE:
		return fits(t->text, state_name(profile_state(a->p, row->state)->kind));
	case KIND:
		return fits_kind(t->text, profile_state(a->p, row->state));
	case TASK:
		return fits_task(t->text, profile_state(a->p, row->state));
	case VERSION:
		return fits_version(t->text, process);
	case LABEL:
		return fits_label(t, place);
	default:
		return a->nodes[row->node] & 1 << t->what;
	}
}

static bool fits_frame(const struct term *t, const struct frame *f)
{
	return (t->what == FUNCTION && frame_is_named(f, t->text)) ||
	       (t->what == FILE_ && frame_is_in(f, t->text));
}

/* --- parsing conditions ----------------------------------------------------------------------- */

static const struct {
	const char *name, *help;
} keys[KEYS] = {
	[CONTAINER] = { "container", "name, or ID prefix" },
	[POD] = { "pod", "name, or NAMESPACE/NAME" },
	[UNIT] = { "unit", "systemd unit" },
	[PROCESS] = { "process", "pid, or name with * and ?" },
	[THREAD] = { "thread", "thread ID, or name" },
	[STATE] = { "state", "running, sleeping, ..." },
	[KIND] = { "kind", "of code: python, interpreter, native, gc, kernel, 'kernel: read', "
			   "'native: libz.so.1', unknown" },
	[TASK] = { "task", "asyncio task, as with --by task" },
	[VERSION] = { "version", "CPython version: 3.11, 3.*" },
	[LABEL] = { "label:KEY", "container label: label:com.docker.compose.service=web" },
	[FUNCTION] = { "function", "stacks with this function, qualified or not" },
	[FILE_] = { "file", "stacks through this file, by its path or the end of it" },
	[TIME] = { "time", "FROM..TO since the start: 10s..1m, ..500ms, 2m.." },
};

const char *where_key(size_t i, const char **ret_help)
{
	if (i >= KEYS)
		return NULL;
	*ret_help = keys[i].help;
	return keys[i].name;
}

static int parse_end(const char *text, size_t len, uint64_t *ret)
{
	_free_ char *copy = strndup(text, len);

	if (!copy)
		return -ENOMEM;
	return *copy ? num_duration(copy, 0, UINT64_MAX - 1, ret) : 0;
}

static int parse_time(struct term *t, struct err *err)
{
	const char *dots = strstr(t->text, "..");
	int code = -EINVAL;

	t->to = UINT64_MAX;
	if (dots)
		code = parse_end(t->text, dots - t->text, &t->from);
	if (!code)
		code = parse_end(dots + 2, strlen(dots + 2), &t->to);
	if (!code && t->from < t->to)
		return 0;
	return err_set(err, code == -ENOMEM ? code : -EINVAL,
		       "--where: 'time=%s': not a range; use FROM..TO, such as 10s..1m", t->text);
}

#define LABEL_KEY "label:"

static int find_key(const char *text, size_t len)
{
	if (len > strlen(LABEL_KEY) && !strncmp(text, LABEL_KEY, strlen(LABEL_KEY)))
		return LABEL;
	for (int i = 0; i < KEYS; i++)
		if (i != LABEL && strlen(keys[i].name) == len && !memcmp(keys[i].name, text, len))
			return i;
	return -1;
}

static int fail_key(const char *text, struct err *err)
{
	_cleanup_(buf_done) struct buf names = {};

	for (int i = 0; i < KEYS; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", keys[i].name);
	return err_set(err, -EINVAL,
		       "--where: '%s' is invalid; use KEY=VALUE with one of the keys %s", text,
		       names.err ? "those in --help" : names.data);
}

int where_add(struct where *w, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	int key = equals ? find_key(text, equals - text) : -1, code;
	struct term t = { .what = (enum what)key };

	if (key < 0 || !equals[1])
		return fail_key(text, err);
	t.text = strdup(equals + 1);
	if (key == LABEL)
		t.label = strndup(text + strlen(LABEL_KEY), equals - text - strlen(LABEL_KEY));
	code = t.text && (key != LABEL || t.label)
		       ? 0
		       : err_set(err, -ENOMEM, "--where: out of memory");
	if (!code && key == TIME)
		code = parse_time(&t, err);
	if (!code && vec_push(&w->terms, t))
		code = err_set(err, -ENOMEM, "--where: out of memory");
	if (code) {
		free(t.text);
		free(t.label);
	}
	return code;
}

int where_add_name(struct where *w, const char *pattern, struct err *err)
{
	struct term t = { .what = THREAD, .text = strdup(pattern), .name = true };

	if (t.text && !vec_push(&w->terms, t))
		return 0;
	free(t.text);
	return err_set(err, -ENOMEM, "--thread-name: out of memory");
}

/* --- applying conditions ---------------------------------------------------------------------- */

static uint16_t look_at_frame(const struct applying *a, uint32_t node)
{
	const struct term *t;
	struct frame f;
	uint16_t has = 0;

	profile_frame(a->p, stacks_frame(a->s, node), &f);
	vec_each (&a->w->terms, t)
		if (fits_frame(t, &f))
			has |= 1 << t->what;
	return has;
}

static int look_at_nodes(struct applying *a)
{
	uint32_t n = stacks_count(a->s);

	a->nodes = calloc(n, sizeof(*a->nodes));
	if (!a->nodes)
		return -ENOMEM;
	for (uint32_t i = 1; i < n; i++)
		a->nodes[i] = a->nodes[stacks_parent(a->s, i)] | look_at_frame(a, i);
	return 0;
}

/* Two labels with different keys are different keys of a condition. */
static bool same_key(const struct term *t, enum what what, const char *label)
{
	return t->what == what && (!label || !strcmp(label, t->label));
}

/* Are there conditions with this key, and none of them matches? */
static bool refuses(const struct applying *a, enum what what, const char *label,
		    const struct profile_row *row)
{
	const struct term *t;
	bool any = false;

	vec_each (&a->w->terms, t) {
		if (!same_key(t, what, label))
			continue;
		if (fits_row(a, t, row))
			return false;
		any = true;
	}
	return any;
}

static bool wants_row(const struct applying *a, const struct profile_row *row)
{
	const struct term *t;

	vec_each (&a->w->terms, t)
		if (t->what != TIME && refuses(a, t->what, t->label, row))
			return false;
	return true;
}

static bool wants_time(const struct where *w, uint64_t ns)
{
	const struct term *t;
	bool any = false;

	vec_each (&w->terms, t) {
		if (t->what != TIME)
			continue;
		if (ns >= t->from && ns < t->to)
			return true;
		any = true;
	}
	return !any;
}

static int count_row(const struct applying *a, struct profile *to, const struct profile_row *row)
{
	struct profile_bin bin;
	int err = 0;

	for (uint32_t pos = 0; !err && profile_each_bin(a->p, row, &pos, &bin);) {
		uint64_t ns = bin.bin * profile_bin_ns(a->p);

		if (!wants_time(a->w, ns))
			continue;
		profile_set_time(to, ns);
		err = profile_count(to, row->thread, row->node, row->state, bin.weight);
	}
	return err;
}

struct profile *where_apply(const struct where *w, const struct profile *p, const struct stacks *s)
{
	_cleanup_(profile_freep) struct profile *to = profile_like(p);
	struct applying a = { .w = w, .p = p, .s = s };
	struct profile_row row;
	int err = to ? look_at_nodes(&a) : -ENOMEM;

	/* Set the latest time first: the bins of both profiles then have the same width throughout. */
	if (!err)
		profile_set_time(to, (profile_bins(p) - 1) * profile_bin_ns(p));
	for (size_t pos = 0; !err && profile_each(p, &pos, &row);)
		if (wants_row(&a, &row))
			err = count_row(&a, to, &row);
	free(a.nodes);
	return err ? NULL : take_ptr(to);
}
