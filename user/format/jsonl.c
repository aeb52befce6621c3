/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON lines: each line is a self-contained object, for jq, databases and scripts.
 *
 *	{"type":"recording","schema":1,"host":...}	the first line, once
 *	{"type":"loss","name":...,"count":...}		for each kind of loss, also 0
 *	{"type":"samples","pid":41,...,"stack":[...]}	for each stack of each thread and state
 *
 * krait-formats(5) describes the fields. The schema number is incremented when a field changes or is removed.
 * New fields and new types of lines do not change it, so readers must skip those that they do not know.
 */
#include "format/format.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonwrite.h"
#include "format/frames.h"
#include "format/stream.h"
#include "format/text.h"
#include "model/labels.h"

enum { SCHEMA = 1 };

struct jsonl {
	const struct profile *profile;
	struct frames *frames;
	struct jsonwrite j;
	struct buf buf;
	struct buf text, key;
	FILE *to;
};

static void jsonl_done(struct jsonl *f)
{
	frames_free(f->frames);
	buf_done(&f->buf);
	buf_done(&f->text);
	buf_done(&f->key);
}

static void begin(struct jsonl *f, const char *type)
{
	jsonwrite_object(&f->j, NULL);
	jsonwrite_str(&f->j, "type", type);
}

static int end(struct jsonl *f)
{
	jsonwrite_object_end(&f->j);
	f->j.comma = false;
	buf_char(&f->buf, '\n');
	return stream_put(&f->buf, f->to, false);
}

static int write_recording(struct jsonl *f)
{
	const struct profile_meta *meta = profile_meta(f->profile);

	begin(f, "recording");
	jsonwrite_uint(&f->j, "schema", SCHEMA);
	jsonwrite_str(&f->j, "krait", meta->krait);
	jsonwrite_str(&f->j, "host", meta->host);
	jsonwrite_str(&f->j, "mode", meta->mode);
	jsonwrite_str(&f->j, "event", meta->event);
	jsonwrite_str(&f->j, "unit", meta->unit);
	jsonwrite_real(&f->j, "started", meta->started.tv_sec + meta->started.tv_nsec / 1e9);
	jsonwrite_real(&f->j, "seconds", meta->seconds);
	jsonwrite_real(&f->j, "asked_hz", meta->asked_hz);
	jsonwrite_real(&f->j, "achieved_hz", meta->achieved_hz);
	return end(f);
}

static int write_losses(struct jsonl *f)
{
	size_t n;
	const struct profile_loss *losses = profile_losses(f->profile, &n);
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		begin(f, "loss");
		jsonwrite_str(&f->j, "name", losses[i].name);
		jsonwrite_str(&f->j, "text", losses[i].text);
		jsonwrite_uint(&f->j, "count", losses[i].count);
		err = end(f);
	}
	return err;
}

/* --- samples ---------------------------------------------------------------------------------- */

static void write_text(struct jsonl *f, const char *key, const char *s)
{
	buf_clear(&f->text);
	text_add_as(&f->text, s, strlen(s), TEXT_WHOLE);
	jsonwrite_strn(&f->j, key, f->text.data ? f->text.data : "", f->text.len);
}

static void write_labels(struct jsonl *f, const char *labels)
{
	struct label label;

	jsonwrite_object(&f->j, "labels");
	while (label_next(&labels, &label)) {
		buf_clear(&f->key);
		text_add_as(&f->key, label.key, label.key_len, TEXT_WHOLE);
		buf_clear(&f->text);
		text_add_as(&f->text, label.value, label.value_len, TEXT_WHOLE);
		if (f->key.err)
			f->buf.err = f->key.err;
		else
			jsonwrite_strn(&f->j, f->key.data ? f->key.data : "",
				       f->text.data ? f->text.data : "", f->text.len);
	}
	jsonwrite_object_end(&f->j);
}

/* Unknown fields are left out. */
static void write_where(struct jsonl *f, const struct container *c)
{
	const struct {
		const char *key, *text;
	} places[] = {
		{ "container", c->name },  { "container_id", c->id }, { "engine", c->engine },
		{ "image", c->image },     { "namespace", c->ns },    { "pod", c->pod },
		{ "pod_uid", c->pod_uid }, { "unit", c->unit },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (*places[i].text)
			write_text(f, places[i].key, places[i].text);
	if (*c->labels)
		write_labels(f, c->labels);
}

static void write_who(struct jsonl *f, const struct profile_row *row)
{
	const struct thread *t = profile_thread(f->profile, row->thread);
	const struct process *p = profile_process(f->profile, row->process);
	const struct state *s = profile_state(f->profile, row->state);

	jsonwrite_uint(&f->j, "pid", p->pid);
	if (p->start)
		jsonwrite_uint(&f->j, "process_start", p->start);
	write_text(f, "comm", p->comm);
	if (p->version) {
		buf_clear(&f->text);
		buf_printf(&f->text, "%u.%u%s", p->version >> 8, p->version & 0xff, p->flavour);
		jsonwrite_str(&f->j, "python", f->text.data);
	}
	if (p->container)
		write_where(f, profile_container(f->profile, p->container));
	jsonwrite_uint(&f->j, "tid", t->tid);
	if (t->start)
		jsonwrite_uint(&f->j, "thread_start", t->start);
	write_text(f, "thread", t->comm);
	jsonwrite_str(&f->j, "state", state_name(s->kind));
	if (s->leaf != LEAF_UNKNOWN)
		jsonwrite_str(&f->j, "kind", leaf_name(s->leaf));
	if (s->module)
		write_text(f, "module", s->module);
	if (s->call)
		write_text(f, "call", s->call);
	if (s->task)
		write_text(f, "task", s->task);
	if (s->holds_gil)
		jsonwrite_bool(&f->j, "holds_gil", true);
}

static void write_frame(struct jsonwrite *j, const struct frame *frame)
{
	const char *kind = frame->kind == FRAME_NATIVE   ? "native"
			   : frame->kind == FRAME_KERNEL ? "kernel"
							 : NULL;

	jsonwrite_object(j, NULL);
	jsonwrite_str(j, "name", frame->name);
	if (frame->file)
		jsonwrite_str(j, kind ? "module" : "file", frame->file);
	if (kind)
		jsonwrite_str(j, "kind", kind);
	if (frame->line > 0)
		jsonwrite_uint(j, "line", frame->line);
	if (frame->first > 0)
		jsonwrite_uint(j, "first_line", frame->first);
	if (frame->approximate)
		jsonwrite_bool(j, "approximate", true);
	if (frame->kind == FRAME_MARK)
		jsonwrite_bool(j, "mark", true);
	jsonwrite_object_end(j);
}

static int write_samples(struct jsonl *f, const struct profile_row *row)
{
	size_t n;
	const uint32_t *stack = frames_of(f->frames, row, &n);

	if (!stack)
		return -ENOMEM;
	begin(f, "samples");
	write_who(f, row);
	jsonwrite_uint(&f->j, "weight", row->weight);
	jsonwrite_array(&f->j, "stack");
	while (n--)
		write_frame(&f->j, frames_at(f->frames, *stack++));
	jsonwrite_array_end(&f->j);
	return end(f);
}

static int write_all(struct jsonl *f)
{
	struct profile_row row;
	int err = write_recording(f);

	if (!err)
		err = write_losses(f);
	for (size_t pos = 0; !err && profile_each(f->profile, &pos, &row);)
		err = write_samples(f, &row);
	return err ? err : stream_put(&f->buf, f->to, true);
}

static int write_jsonl(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		       FILE *to, struct err *err)
{
	_cleanup_(jsonl_done) struct jsonl f = { .profile = p, .to = to };
	int code = -ENOMEM;

	f.j.out = &f.buf;
	f.frames = frames_new(p, s, o);
	if (f.frames)
		code = write_all(&f);
	if (!code)
		code = stream_flush(to);
	return code ? stream_failed(err, "jsonl", code) : 0;
}

const struct format_ops format_jsonl = {
	.name = "jsonl",
	.extension = "jsonl",
	.help = "JSON, one line per thread and stack",
	.write = write_jsonl,
};
