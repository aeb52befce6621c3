/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof's profile.proto, which `go tool pprof` and most profile stores read (the caller gzips it). Each row of the
 * recording is a sample. The dimensions of --by are labels, so `-tagroot=comm,pid` has the same effect in pprof.
 *
 *	sample {locations leaf first, count, ns, labels} -- location {function, line} -- function
 *
 * Samples are written first and fill the tables, which follow: protobuf allows fields in any order.
 *
 * Readers merge functions of the same name, even of different files. So names that are not unique are written with
 * what tells them apart; likewise for threads.
 *
 * A native frame has the address of its function, in a mapping that lies where the file itself says: processes have
 * a file at different addresses. So mappings overlap; a location names its own. A mapping "has functions" if
 * all of its locations have a name; readers then do not look for others.
 *
 * system_name stays empty: if it equals the name, pprof takes a name with <> for C++ and strips that part,
 * so "<module>" would vanish. A numeric label 0 without a unit would vanish, too; pids and tids are never 0.
 */
#include "format/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/proto.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/frames.h"
#include "format/label.h"
#include "format/names.h"
#include "format/stream.h"
#include "format/text.h"
#include "model/labels.h"

enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME = 9,
	PROFILE_DURATION = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_TYPE = 14
};
enum { TYPE_TYPE = 1, TYPE_UNIT = 2 };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_STR = 2, LABEL_NUM = 3 };
enum {
	MAPPING_ID = 1,
	MAPPING_START = 2,
	MAPPING_LIMIT = 3,
	MAPPING_OFFSET = 4,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7
};
enum { LOCATION_ID = 1, LOCATION_MAPPING = 2, LOCATION_ADDRESS = 3, LOCATION_LINE = 4 };
enum { PAGE = 4096 };
enum { LINE_FUNCTION = 1, LINE_LINE = 2 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_FILE = 4, FUNCTION_FIRST = 5 };

struct mapping {
	const struct module *module;
	bool nameless; /* it has functions without a name */
};

struct pprof {
	const struct profile *profile;
	struct format_opts opts;
	VEC(struct mapping) mappings;
	struct hmap *by_module; /* struct module * -> numbers of mappings */
	struct frames *frames;
	struct strpool *strings; /* ids are indices of pprof's string table */
	uint64_t period;         /* ns, 0: unknown */
	FILE *to;
	struct buf out;
	struct buf message;
	struct buf inner;
	struct buf text;
};

static void pprof_done(struct pprof *f)
{
	frames_free(f->frames);
	vec_done(&f->mappings);
	hmap_free(f->by_module);
	strpool_free(f->strings);
	buf_done(&f->out);
	buf_done(&f->message);
	buf_done(&f->inner);
	buf_done(&f->text);
}

/* The id of a string of krait's own, which needs no cleaning. */
static uint32_t string(struct pprof *f, const char *s)
{
	uint32_t id = strpool_add(f->strings, s, strlen(s));

	if (id == UINT32_MAX)
		f->out.err = -ENOMEM;
	return id;
}

static uint32_t clean(struct pprof *f, const char *s)
{
	buf_clear(&f->text);
	text_add_as(&f->text, s, strlen(s), TEXT_PRINTED);
	if (!f->text.err)
		return string(f, f->text.data);
	f->out.err = f->text.err;
	return 0;
}

/* Writes f->message as field @field of the profile. */
static int add_message(struct pprof *f, uint32_t field)
{
	if (f->message.err || f->inner.err)
		return -ENOMEM;
	proto_bytes(&f->out, field, f->message.data, f->message.len);
	buf_clear(&f->message);
	return stream_put(&f->out, f->to, false);
}

static int add_type(struct pprof *f, uint32_t field, const char *type, const char *unit)
{
	proto_uint(&f->message, TYPE_TYPE, string(f, type));
	proto_uint(&f->message, TYPE_UNIT, string(f, unit));
	return add_message(f, field);
}

/* --- samples ---------------------------------------------------------------------------------- */

static void add_label_of(struct pprof *f, uint32_t key, uint32_t str, uint64_t num)
{
	buf_clear(&f->inner);
	proto_uint(&f->inner, LABEL_KEY, key);
	proto_uint(&f->inner, LABEL_STR, str);
	proto_uint(&f->inner, LABEL_NUM, num);
	proto_bytes(&f->message, SAMPLE_LABEL, f->inner.data, f->inner.len);
}

static void add_label(struct pprof *f, const char *key, uint32_t str, uint64_t num)
{
	add_label_of(f, string(f, key), str, num);
}

/* The prefix "label:" keeps keys apart from krait's labels and pprof's reserved ones. */
static void add_container_labels(struct pprof *f, const char *labels)
{
	struct label label;

	while (label_next(&labels, &label)) {
		_free_ char *key = NULL, *value = strndup(label.value, label.value_len);

		if (asprintf(&key, "label:%.*s", (int)label.key_len, label.key) < 0)
			key = NULL;
		if (key && value)
			add_label_of(f, clean(f, key), clean(f, value), 0);
		else
			f->out.err = -ENOMEM;
	}
}

/* Unknown fields get no label. */
static void add_places(struct pprof *f, const struct container *c)
{
	const struct {
		const char *key, *text;
	} places[] = {
		{ "container", *c->name ? c->name : c->id },
		{ "container_id", c->id },
		{ "namespace", c->ns },
		{ "pod", c->pod },
		{ "unit", c->unit },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (*places[i].text)
			add_label(f, places[i].key, clean(f, places[i].text), 0);
	add_container_labels(f, c->labels);
}

/* Adds the label "web-41#2": the second process with that name and pid. */
static void add_process(struct pprof *f, const struct profile_row *row)
{
	struct names *n = frames_names(f->frames);

	if (names_process(n, row->process) < 2)
		return;
	buf_clear(&f->inner);
	label_root(&f->inner, f->profile, row, DIM_PROCESS, n);
	add_label(f, "process", clean(f, f->inner.err ? "" : f->inner.data), 0);
}

/* Adds the label "worker", or "worker#2" for the second thread with that name and tid. */
static void add_thread(struct pprof *f, const struct profile_row *row)
{
	uint32_t which = names_thread(frames_names(f->frames), row->thread);
	char text[PROFILE_NAME + 16];

	snprintf(text, sizeof(text), which > 1 ? "%s#%u" : "%s",
		 profile_thread(f->profile, row->thread)->comm, which);
	add_label(f, "thread", clean(f, text), 0);
}

static void add_labels(struct pprof *f, const struct profile_row *row)
{
	const struct thread *t = profile_thread(f->profile, row->thread);
	const struct process *p = profile_process(f->profile, row->process);
	const struct state *s = profile_state(f->profile, row->state);

	if (p->container)
		add_places(f, profile_container(f->profile, p->container));
	add_label(f, "comm", clean(f, p->comm), 0);
	add_label(f, "pid", 0, p->pid);
	add_process(f, row);
	add_thread(f, row);
	add_label(f, "tid", 0, t->tid);
	add_label(f, "state", string(f, state_name(s->kind)), 0);
	if (s->leaf != LEAF_UNKNOWN)
		add_label(f, "kind", string(f, leaf_name(s->leaf)), 0);
	if (s->module)
		add_label(f, "module", clean(f, s->module), 0);
	if (s->call)
		add_label(f, "call", clean(f, s->call), 0);
	if (s->task)
		add_label(f, "task", clean(f, s->task), 0);
	if (s->holds_gil)
		add_label(f, "holds_gil", string(f, "true"), 0);
}

static int add_sample(struct pprof *f, const struct profile_row *row)
{
	size_t n;
	const uint32_t *stack = frames_of(f->frames, row, &n);

	if (!stack)
		return -ENOMEM;
	buf_clear(&f->inner);
	for (size_t i = n; i-- > 0;)
		proto_varint(&f->inner, (uint64_t)stack[i] + 1);
	proto_bytes(&f->message, SAMPLE_LOCATION, f->inner.data, f->inner.len);
	buf_clear(&f->inner);
	proto_varint(&f->inner, row->weight);
	if (f->period)
		proto_varint(&f->inner, row->weight * f->period);
	proto_bytes(&f->message, SAMPLE_VALUE, f->inner.data, f->inner.len);
	add_labels(f, row);
	return add_message(f, PROFILE_SAMPLE);
}

static int add_samples(struct pprof *f)
{
	struct profile_row row;
	int err = 0;

	for (size_t pos = 0; !err && profile_each(f->profile, &pos, &row);)
		err = add_sample(f, &row);
	return err;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Notes the module of a native frame. */
static int note_module(struct pprof *f, const struct frame *frame)
{
	const struct mapping fresh = { .module = frame->module };
	uint32_t i;

	if (!frame->module)
		return 0;
	i = hmap_number(f->by_module, &frame->module);
	if (i == UINT32_MAX || (i == f->mappings.len && vec_push(&f->mappings, fresh)))
		return -ENOMEM;
	f->mappings.at[i].nameless |= frame_is_nameless(frame);
	return 0;
}

static int add_mapping(struct pprof *f, uint32_t i)
{
	const struct mapping *mapping = &f->mappings.at[i];
	const struct module *m = mapping->module;
	const uint64_t before = m->start % PAGE < m->offset ? m->start % PAGE : m->offset,
		       end = m->start + m->size, limit = end + (PAGE - end % PAGE) % PAGE;

	proto_uint(&f->message, MAPPING_ID, (uint64_t)i + 1);
	proto_uint(&f->message, MAPPING_START, m->start - before);
	proto_uint(&f->message, MAPPING_LIMIT, limit > end ? limit : end);
	proto_uint(&f->message, MAPPING_OFFSET, m->offset - before);
	proto_uint(&f->message, MAPPING_FILE, clean(f, m->path));
	proto_uint(&f->message, MAPPING_BUILD_ID, clean(f, m->build_id));
	proto_uint(&f->message, MAPPING_HAS_FUNCTIONS, !mapping->nameless);
	return add_message(f, PROFILE_MAPPING);
}

static int add_mappings(struct pprof *f)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < frames_count(f->frames); i++)
		err = note_module(f, frames_at(f->frames, i));
	for (uint32_t i = 0; !err && i < f->mappings.len; i++)
		err = add_mapping(f, i);
	return err;
}

/* A location without a line is one that a reader may symbolize, and shows as its address until then. */
static int add_location(struct pprof *f, uint32_t i)
{
	const struct frame *frame = frames_at(f->frames, i);

	proto_uint(&f->message, LOCATION_ID, (uint64_t)i + 1);
	if (frame->module) {
		proto_uint(&f->message, LOCATION_MAPPING,
			   (uint64_t)hmap_number(f->by_module, &frame->module) + 1);
		proto_uint(&f->message, LOCATION_ADDRESS, frame->address);
	}
	if (frame_is_nameless(frame))
		return add_message(f, PROFILE_LOCATION);
	buf_clear(&f->inner);
	proto_uint(&f->inner, LINE_FUNCTION, (uint64_t)frames_function(f->frames, i) + 1);
	proto_uint(&f->inner, LINE_LINE, frame->line);
	proto_bytes(&f->message, LOCATION_LINE, f->inner.data, f->inner.len);
	return add_message(f, PROFILE_LOCATION);
}

static int add_function(struct pprof *f, uint32_t i)
{
	const struct frame *frame = frames_at(f->frames, i);

	proto_uint(&f->message, FUNCTION_ID, (uint64_t)frames_function(f->frames, i) + 1);
	buf_clear(&f->inner);
	names_alone(frames_names(f->frames), &f->inner, frame);
	proto_uint(&f->message, FUNCTION_NAME, clean(f, f->inner.err ? "" : f->inner.data));
	if (frame->file && !frame->module)
		proto_uint(&f->message, FUNCTION_FILE, clean(f, frame->file));
	if (frame->first > 0)
		proto_uint(&f->message, FUNCTION_FIRST, frame->first);
	return add_message(f, PROFILE_FUNCTION);
}

/* Functions are numbered in the order of their first frames. */
static int add_frames(struct pprof *f)
{
	uint32_t functions = 0;
	int err = 0;

	for (uint32_t i = 0; !err && i < frames_count(f->frames); i++) {
		err = add_location(f, i);
		if (!err && frames_function(f->frames, i) == functions) {
			functions++;
			err = add_function(f, i);
		}
	}
	return err;
}

/* The first string must be "", which has id 0. */
static int add_strings(struct pprof *f)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < strpool_count(f->strings); i++) {
		proto_bytes(&f->out, PROFILE_STRING, strpool_str(f->strings, i),
			    strpool_len(f->strings, i));
		err = stream_put(&f->out, f->to, false);
	}
	return err;
}

/* --- the recording ---------------------------------------------------------------------------- */

/* Readers that ignore default_sample_type use the last type. */
static int add_types(struct pprof *f, const struct profile_meta *meta)
{
	int err = add_type(f, PROFILE_SAMPLE_TYPE, "samples", "count");

	if (err || !f->period)
		return err;
	err = add_type(f, PROFILE_SAMPLE_TYPE, meta->mode, "nanoseconds");
	if (!err)
		err = add_type(f, PROFILE_PERIOD_TYPE, meta->mode, "nanoseconds");
	proto_uint(&f->out, PROFILE_PERIOD, f->period);
	proto_uint(&f->out, PROFILE_DEFAULT_TYPE, string(f, meta->mode));
	return err;
}

static void add_comment(struct pprof *f, const char *text)
{
	proto_uint(&f->out, PROFILE_COMMENT, clean(f, text));
}

/* Adds comments for what pprof has no fields for: host, mode, rates and losses. */
static void add_comments(struct pprof *f, const struct profile_meta *meta)
{
	_cleanup_(buf_done) struct buf text = {};
	size_t n;
	const struct profile_loss *losses = profile_losses(f->profile, &n);

	buf_printf(&text, "krait %s, %s, %s at %.1f Hz (%.1f achieved)", meta->krait, meta->host,
		   meta->event, meta->asked_hz, meta->achieved_hz);
	if (!text.err)
		add_comment(f, text.data);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&text);
		buf_printf(&text, "lost %" PRIu64 ": %s: %s", losses[i].count, losses[i].name,
			   losses[i].text);
		if (!text.err && losses[i].count)
			add_comment(f, text.data);
	}
}

static void add_meta(struct pprof *f, const struct profile_meta *meta)
{
	add_comments(f, meta);
	proto_uint(&f->out, PROFILE_TIME,
		   meta->started.tv_sec * 1000000000ULL + meta->started.tv_nsec);
	proto_uint(&f->out, PROFILE_DURATION, meta->seconds * 1e9);
}

static int write_all(struct pprof *f)
{
	const struct profile_meta *meta = profile_meta(f->profile);
	int err;

	f->period = meta->asked_hz > 0 ? 1e9 / meta->asked_hz : 0;
	err = add_types(f, meta);
	add_meta(f, meta);
	if (!err)
		err = add_samples(f);
	if (!err)
		err = add_mappings(f);
	if (!err)
		err = add_frames(f);
	if (!err)
		err = add_strings(f);
	return err ? err : stream_put(&f->out, f->to, true);
}

static int write_pprof(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		       FILE *to, struct err *err)
{
	_cleanup_(pprof_done) struct pprof f = { .profile = p, .to = to, .opts = *o };
	int code = -ENOMEM;

	f.opts.addresses = true;
	f.frames = frames_new(p, s, &f.opts);
	f.strings = strpool_new();
	f.by_module = hmap_new(sizeof(struct module *), 0);
	if (f.frames && f.strings && f.by_module)
		code = write_all(&f);
	if (!code)
		code = stream_flush(to);
	return code ? stream_failed(err, "pprof", code) : 0;
}

const struct format_ops format_pprof = {
	.name = "pprof",
	.extension = "pb.gz",
	.help = "for go tool pprof and profile stores",
	.binary = true,
	.gzipped = true,
	.write = write_pprof,
};
