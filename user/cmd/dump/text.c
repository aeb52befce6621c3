/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process 4711 (shop.py): python3 shop.py
 * CPython 3.11.2, 3 threads, container web
 * GIL: held by thread 4711 "MainThread"
 *
 * Thread 4711 "MainThread": [running], holds the GIL
 *     price (/srv/shop.py:12)
 *     <module> (/srv/shop.py:40)
 *
 * All texts of the process are made safe for terminals.
 */
#include "cmd/dump/dump.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cmd/process.h"

enum { SHORT_ID = 12, WHOLE_ID = 64 };

static void show(struct buf *out, const char *text)
{
	utf8_show(out, text, strlen(text));
}

/* --- the process ------------------------------------------------------------------------------ */

/* The arguments separated by blanks. */
static void add_command(const struct survey_process *p, struct buf *out)
{
	_cleanup_(buf_done) struct buf raw = {};

	buf_add(&raw, p->arguments, p->arguments_len);
	for (size_t i = 0; i < raw.len; i++)
		if (!raw.data[i])
			raw.data[i] = ' ';
	if (!raw.len)
		return;
	buf_str(out, ": ");
	utf8_show(out, raw.data, raw.len);
}

static void add_container(const struct survey_process *p, struct buf *out)
{
	bool is_digits = strlen(p->container) == WHOLE_ID;

	if (*p->pod)
		buf_str(out, ", pod ");
	if (*p->pod && *p->ns) {
		show(out, p->ns);
		buf_char(out, '/');
	}
	show(out, p->pod);
	if (!*p->container)
		return;
	buf_str(out, ", container ");
	if (*p->name)
		show(out, p->name);
	else
		utf8_show(out, p->container, is_digits ? SHORT_ID : strlen(p->container));
}

static void add_process(const struct dump_one *one, struct buf *out)
{
	const struct survey_process *p = one->process;
	const char *build = survey_build(p);
	size_t n = one->snapshot->nthreads;

	buf_printf(out, "Process %" PRIu32 " (", p->pid);
	show(out, p->comm);
	buf_char(out, ')');
	add_command(p, out);
	buf_str(out, "\nCPython ");
	process_add_version(p->hex, out);
	if (build && strcmp(build, "release") != 0)
		buf_printf(out, " %s", build);
	buf_printf(out, ", %zu thread%s", n, n == 1 ? "" : "s");
	add_container(p, out);
	if (p->ns_pid != p->pid)
		buf_printf(out, ", pid %" PRIu32 " in its namespace", p->ns_pid);
	buf_char(out, '\n');
}

/* --- the GIL ---------------------------------------------------------------------------------- */

void dump_text_name(const struct snapshot_thread *t, struct buf *out)
{
	buf_printf(out, "%" PRIu32 " \"", t->tid);
	show(out, t->name);
	buf_char(out, '"');
}

static void add_gil(const struct snapshot_gil *g, struct buf *out)
{
	if (!g->steady)
		buf_str(out, "GIL: changed hands while the threads were read\n");
	else if (!g->held)
		buf_str(out, "GIL: free\n");
	else if (!g->holder)
		buf_str(out, "GIL: held by a thread that is not known\n");
	if (!g->steady || !g->holder)
		return;
	buf_str(out, "GIL: held by thread ");
	dump_text_name(g->holder, out);
	buf_char(out, '\n');
}

/* --- threads ---------------------------------------------------------------------------------- */

static void add_state(const struct snapshot_thread *t, struct buf *out)
{
	buf_str(out, ": ");
	if (t->state.kind == STATE_RUNNING)
		buf_str(out, "[running]");
	else
		state_frame(out, &t->state);
	if (t->state.holds_gil)
		buf_str(out, ", holds the GIL");
}

static void add_source(const struct dump_one *one, const struct frame *f, size_t indent,
		       struct buf *out)
{
	bool newer = false;
	const char *line = one->source ? snapshots_source(one->snapshots, f, &newer) : NULL;

	if (!line)
		return;
	buf_printf(out, "%*s%s", (int)indent, "", one->locals ? "  > " : "    ");
	show(out, line);
	buf_str(out, newer ? "    [file changed since the process started]\n" : "\n");
}

static void add_locals(const struct dump_one *one, const struct snapshot_thread *t, uint32_t i,
		       struct buf *out)
{
	struct snapshot_local l;
	size_t pos = 0;

	while (one->locals && snapshots_local(one->snapshots, t, i, &pos, &l)) {
		buf_str(out, "        ");
		if (l.rest) {
			buf_str(out, "...\n");
			continue;
		}
		utf8_show(out, l.name, l.name_len);
		buf_str(out, " = ");
		if (l.changed)
			buf_str(out, "[changed while read]");
		else
			utf8_show(out, l.value, l.value_len);
		buf_char(out, '\n');
	}
}

void dump_text_frame(const struct dump_one *one, const struct frame *f, size_t indent,
		     struct buf *out)
{
	buf_printf(out, "%*s", (int)indent, "");
	show(out, f->name);
	if (f->file) {
		buf_str(out, " (");
		show(out, f->file);
		if (f->line > 0)
			buf_printf(out, ":%s%d", f->approximate ? "~" : "", f->line);
		buf_char(out, ')');
	}
	buf_char(out, '\n');
	add_source(one, f, indent, out);
}

static void add_thread(const struct dump_one *one, const struct snapshot_thread *t, struct buf *out)
{
	struct frame f;

	buf_str(out, "\nThread ");
	dump_text_name(t, out);
	if (t->ns_tid != t->tid)
		buf_printf(out, " (%" PRIu32 " in its namespace)", t->ns_tid);
	add_state(t, out);
	buf_char(out, '\n');
	if (t->proof == STACK_MOVED)
		buf_str(out, "    [running: two readings never agreed]\n");
	for (uint32_t i = 0; i < t->frames; i++) {
		snapshots_frame(one->snapshots, t, i, &f);
		dump_text_frame(one, &f, 4, out);
		add_locals(one, t, i, out);
	}
}

void dump_text_time(struct timespec when, struct buf *out)
{
	struct tm local;
	char text[32];

	localtime_r(&when.tv_sec, &local);
	strftime(text, sizeof(text), "%F %T", &local);
	buf_printf(out, "--- %s.%03ld\n\n", text, when.tv_nsec / 1000000);
}

void dump_text(const struct dump_one *one, struct buf *out)
{
	const struct snapshot *s = one->snapshot;

	add_process(one, out);
	for (size_t i = 0; i < s->ngils; i++)
		add_gil(&s->gils[i], out);
	for (size_t i = 0; i < s->nthreads; i++)
		if (s->threads[i].shown && !s->threads[i].ended)
			add_thread(one, &s->threads[i], out);
	if (one->tasks)
		dump_text_tasks(one, out);
}
