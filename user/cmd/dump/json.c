/* SPDX-License-Identifier: BSD-2-Clause */
/* One document on one line, so that a series of them is JSON lines. */
#include "cmd/dump/dump.h"

#include <string.h>

#include "cmd/process.h"

enum { SCHEMA = 1 };

static const char *const proofs[] = {
	[STACK_RESTED] = "rested",
	[STACK_AGREED] = "agreed",
	[STACK_MOVED] = "moved",
};

void dump_json_begin(struct jsonwrite *j)
{
	jsonwrite_object(j, NULL);
	jsonwrite_uint(j, "schema", SCHEMA);
	jsonwrite_str(j, "krait", KRAIT_VERSION);
	jsonwrite_array(j, "processes");
}

static void add_process(const struct survey_process *p, const char *reason, struct jsonwrite *j)
{
	process_json_who(j, p);
	process_json_version(j, "version", p->hex);
	jsonwrite_str(j, "build", survey_build(p));
	process_json_place(j, p);
	jsonwrite_str(j, "reason", reason);
}

void dump_json_unread(const struct survey_process *p, const char *reason, struct jsonwrite *j)
{
	jsonwrite_object(j, NULL);
	add_process(p, reason, j);
	jsonwrite_object_end(j);
}

static void add_gil(const struct snapshot_gil *g, struct jsonwrite *j)
{
	jsonwrite_object(j, NULL);
	jsonwrite_bool(j, "held", g->held);
	jsonwrite_bool(j, "steady", g->steady);
	if (g->holder)
		jsonwrite_uint(j, "holder", g->holder->tid);
	else
		jsonwrite_null(j, "holder");
	jsonwrite_object_end(j);
}

static void add_source(const struct dump_one *one, const struct frame *f, struct jsonwrite *j)
{
	bool newer = false;
	const char *line = one->source ? snapshots_source(one->snapshots, f, &newer) : NULL;

	if (!line)
		return;
	jsonwrite_str(j, "source", line);
	if (newer)
		jsonwrite_bool(j, "source_newer", true);
}

static void add_local(const struct snapshot_local *l, struct jsonwrite *j)
{
	jsonwrite_object(j, NULL);
	if (l->rest) {
		jsonwrite_bool(j, "rest", true);
	} else {
		jsonwrite_strn(j, "name", l->name, l->name_len);
		jsonwrite_bool(j, "argument", l->argument);
	}
	if (l->changed)
		jsonwrite_bool(j, "changed", true);
	if (!l->changed && !l->rest) {
		jsonwrite_strn(j, "type", l->type, l->type_len);
		jsonwrite_strn(j, "value", l->value, l->value_len);
	}
	jsonwrite_object_end(j);
}

static void add_locals(const struct dump_one *one, const struct snapshot_thread *t, uint32_t i,
		       struct jsonwrite *j)
{
	struct snapshot_local l;
	size_t pos = 0;

	jsonwrite_array(j, "locals");
	while (snapshots_local(one->snapshots, t, i, &pos, &l))
		add_local(&l, j);
	jsonwrite_array_end(j);
}

void dump_json_frame(const struct dump_one *one, const struct frame *f, struct jsonwrite *j)
{
	jsonwrite_str(j, "name", f->name);
	if (f->kind == FRAME_MARK) {
		jsonwrite_bool(j, "mark", true);
	} else {
		jsonwrite_str(j, "file", f->file);
		if (f->first > 0)
			jsonwrite_uint(j, "first_line", f->first);
		if (f->line > 0)
			jsonwrite_uint(j, "line", f->line);
		if (f->approximate)
			jsonwrite_bool(j, "approximate", true);
		add_source(one, f, j);
	}
}

static void add_thread(const struct dump_one *one, const struct snapshot_thread *t,
		       struct jsonwrite *j)
{
	struct frame f;

	jsonwrite_object(j, NULL);
	jsonwrite_uint(j, "tid", t->tid);
	jsonwrite_uint(j, "ns_tid", t->ns_tid);
	jsonwrite_str(j, "name", t->name);
	jsonwrite_str(j, "name_from", t->named ? "python" : "kernel");
	jsonwrite_str(j, "state", state_name(t->state.kind));
	jsonwrite_str(j, "call", t->state.call);
	jsonwrite_bool(j, "holds_gil", t->state.holds_gil);
	jsonwrite_str(j, "reading", proofs[t->proof]);
	jsonwrite_bool(j, "whole", !t->unread);
	jsonwrite_array(j, "stack");
	for (uint32_t i = 0; i < t->frames; i++) {
		snapshots_frame(one->snapshots, t, i, &f);
		jsonwrite_object(j, NULL);
		dump_json_frame(one, &f, j);
		if (one->locals && f.kind != FRAME_MARK)
			add_locals(one, t, i, j);
		jsonwrite_object_end(j);
	}
	jsonwrite_array_end(j);
	jsonwrite_object_end(j);
}

void dump_json(const struct dump_one *one, struct jsonwrite *j)
{
	const struct snapshot *s = one->snapshot;

	jsonwrite_object(j, NULL);
	add_process(one->process, NULL, j);
	jsonwrite_real(j, "taken", s->taken.tv_sec + s->taken.tv_nsec / 1e9);
	jsonwrite_real(j, "seconds", s->seconds);
	jsonwrite_array(j, "gils");
	for (size_t i = 0; i < s->ngils; i++)
		add_gil(&s->gils[i], j);
	jsonwrite_array_end(j);
	jsonwrite_array(j, "threads");
	for (size_t i = 0; i < s->nthreads; i++)
		if (s->threads[i].shown && !s->threads[i].ended)
			add_thread(one, &s->threads[i], j);
	jsonwrite_array_end(j);
	if (one->tasks)
		dump_json_tasks(one, j);
	jsonwrite_object_end(j);
}

void dump_json_end(struct jsonwrite *j, uint32_t refused)
{
	jsonwrite_array_end(j);
	jsonwrite_uint(j, "not_permitted", refused);
	jsonwrite_object_end(j);
	buf_char(j->out, '\n');
}
