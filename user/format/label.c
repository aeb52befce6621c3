/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/label.h"

#include <string.h>

#include "base/cleanup.h"
#include "format/names.h"
#include "format/text.h"

static void add_text(struct buf *b, const char *s)
{
	text_add(b, s, strlen(s));
}

/* " (libz.so.1)_[n]", "_[k]": flamegraph.pl and others color by the suffix. */
static void add_module(struct buf *b, const struct frame *f, const struct format_opts *o)
{
	const char *slash = f->file && !o->full_paths ? strrchr(f->file, '/') : NULL;

	if (f->file) {
		buf_str(b, " (");
		add_text(b, slash ? slash + 1 : f->file);
		buf_char(b, ')');
	}
	buf_str(b, f->kind == FRAME_KERNEL ? "_[k]" : "_[n]");
}

void label_frame(struct buf *b, const struct frame *f, const struct format_opts *o, struct names *n)
{
	int first = names_function(n, f);

	add_text(b, f->name);
	if (f->kind == FRAME_NATIVE || f->kind == FRAME_KERNEL) {
		add_module(b, f, o);
		return;
	}
	if (first && o->lines)
		buf_printf(b, ":%d", first);
	if (f->kind != FRAME_PYTHON || !f->file)
		return;
	buf_str(b, " (");
	add_text(b, o->full_paths ? f->file : names_path(n, f->file));
	if (first && !o->lines)
		buf_printf(b, ":%d", first);
	if (o->lines && f->line > 0)
		buf_printf(b, ":%s%d", f->approximate ? "~" : "", f->line);
	buf_char(b, ')');
}

static void add_container(struct buf *b, const struct container *c)
{
	enum { ID = 64, SHORT_ID = 12 };
	size_t len = strlen(c->id);

	if (*c->name)
		add_text(b, c->name);
	else if (len)
		text_add(b, c->id, len == ID ? SHORT_ID : len);
	else
		buf_str(b, "host");
}

/* Appends the name of the pod, or its uid if the name is unknown. */
static void add_pod(struct buf *b, const struct container *c)
{
	if (*c->pod && *c->ns) {
		add_text(b, c->ns);
		buf_char(b, '/');
	}
	if (*c->pod || *c->pod_uid)
		add_text(b, *c->pod ? c->pod : c->pod_uid);
	else
		buf_str(b, "[no pod]");
}

static void add_place(struct buf *b, const struct profile *p, uint32_t container, enum dim dim)
{
	const struct container *c = profile_container(p, container);

	if (!container)
		buf_str(b, "[unknown]");
	else if (dim == DIM_CONTAINER)
		add_container(b, c);
	else if (dim == DIM_POD)
		add_pod(b, c);
	else if (*c->unit)
		add_text(b, c->unit);
	else
		buf_str(b, "[no unit]");
}

/* The name of the system call may come from a hostile recording. */
static void add_leaf(struct buf *b, const struct state *s)
{
	_cleanup_(buf_done) struct buf text = {};

	state_leaf(&text, s);
	if (text.err)
		b->err = text.err;
	else
		add_text(b, text.data);
}

static void add_task(struct buf *b, const struct state *s)
{
	if (s->task)
		add_text(b, s->task);
	else
		buf_str(b, "[no task]");
}

/* Appends "-4711", or "-4711#2" for the second process or thread of that name and number. */
static void add_number(struct buf *b, uint32_t id, uint32_t which)
{
	buf_printf(b, "-%u", id);
	if (which > 1)
		buf_printf(b, "#%u", which);
}

void label_root(struct buf *b, const struct profile *p, const struct profile_row *row, enum dim dim,
		const struct names *n)
{
	const struct thread *t = profile_thread(p, row->thread);
	const struct process *process = profile_process(p, t->process);

	if (dim == DIM_CONTAINER || dim == DIM_POD || dim == DIM_UNIT) {
		add_place(b, p, process->container, dim);
		return;
	}
	if (dim == DIM_STATE) {
		add_text(b, state_name(profile_state(p, row->state)->kind));
		return;
	}
	if (dim == DIM_KIND) {
		add_leaf(b, profile_state(p, row->state));
		return;
	}
	if (dim == DIM_TASK) {
		add_task(b, profile_state(p, row->state));
		return;
	}
	add_text(b, dim == DIM_THREAD ? t->comm : process->comm);
	if (dim == DIM_THREAD)
		add_number(b, t->tid, names_thread(n, row->thread));
	else if (dim == DIM_PROCESS)
		add_number(b, process->pid, names_process(n, t->process));
}
