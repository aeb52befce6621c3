/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * speedscope's own format: a table of frames, and for each group of --by a profile, which is a list of stacks
 * with weights. (--by process: a profile for each process, heaviest first; speedscope shows one at a time.) krait
 * does not record the order of samples, so speedscope's "time order" is the order of stacks.
 *
 * Weights are seconds: samples times the sampling period, as in pprof. If the weights of a recording are not
 * samples of a timer, they are written as they are, without a unit.
 *
 * The frames are written after the stacks that refer to them. Keys without a value are omitted, because the
 * schema does not allow null.
 */
#include "format/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/jsonwrite.h"
#include "format/frames.h"
#include "format/groups.h"
#include "format/names.h"
#include "format/stream.h"

struct speedscope {
	struct frames *frames;
	struct groups groups;
	double seconds; /* per sample; 0: weights have no unit */
	struct jsonwrite j;
	struct buf buf, name;
	FILE *to;
};

static void speedscope_done(struct speedscope *f)
{
	frames_free(f->frames);
	groups_done(&f->groups);
	buf_done(&f->buf);
	buf_done(&f->name);
}

/*
 * Rows that differ only in the kind of their leaf. Without --by kind they are one sample, as speedscope shows no kinds
 * otherwise.
 */
struct sample_key {
	uint32_t thread, node;
	const char *call, *task; /* interned */
	uint32_t kind, holds_gil;
};

static struct sample_key sample_of(const struct profile *p, const struct profile_row *row)
{
	const struct state *s = profile_state(p, row->state);

	return (struct sample_key){ .thread = row->thread,
				    .node = row->node,
				    .call = s->kind == STATE_RUNNING ? NULL : s->call,
				    .task = s->task,
				    .kind = s->kind,
				    .holds_gil = s->holds_gil };
}

/* Merges such rows of a group into the first of them. */
static int merge_group(struct speedscope *f, const struct profile *p, struct group *g)
{
	struct hmap *first = hmap_new(sizeof(struct sample_key), sizeof(size_t));
	size_t to = g->from, *at = NULL;
	bool fresh;

	for (size_t i = g->from; first && i < g->to; i++) {
		const struct sample_key key = sample_of(p, &f->groups.rows[i]);

		at = hmap_put(first, &key, &fresh);
		if (!at)
			break;
		if (fresh) {
			*at = to;
			f->groups.rows[to++] = f->groups.rows[i];
		} else {
			f->groups.rows[*at].weight += f->groups.rows[i].weight;
		}
	}
	hmap_free(first);
	if (!first || (g->from < g->to && !at))
		return -ENOMEM;
	g->to = to;
	return 0;
}

static int merge_kinds(struct speedscope *f, const struct profile *p, const struct format_opts *o)
{
	int err = 0;

	for (size_t i = 0; i < o->ndims; i++)
		if (o->dims[i] == DIM_KIND)
			return 0;
	for (size_t i = 0; !err && i < f->groups.len; i++)
		err = merge_group(f, p, &f->groups.at[i]);
	return err;
}

static int write_samples(struct speedscope *f, const struct group *g)
{
	int err = 0;

	jsonwrite_array(&f->j, "samples");
	for (size_t i = g->from; !err && i < g->to; i++) {
		size_t n;
		const uint32_t *stack = frames_of(f->frames, &f->groups.rows[i], &n);

		if (!stack)
			return -ENOMEM;
		jsonwrite_array(&f->j, NULL);
		while (n--)
			jsonwrite_uint(&f->j, NULL, *stack++);
		jsonwrite_array_end(&f->j);
		err = stream_put(&f->buf, f->to, false);
	}
	jsonwrite_array_end(&f->j);
	return err;
}

static void write_weight(struct speedscope *f, const char *key, uint64_t weight)
{
	if (f->seconds > 0)
		jsonwrite_real(&f->j, key, weight * f->seconds);
	else
		jsonwrite_uint(&f->j, key, weight);
}

static int write_weights(struct speedscope *f, const struct group *g)
{
	int err = 0;

	jsonwrite_array(&f->j, "weights");
	for (size_t i = g->from; !err && i < g->to; i++) {
		write_weight(f, NULL, f->groups.rows[i].weight);
		err = stream_put(&f->buf, f->to, false);
	}
	jsonwrite_array_end(&f->j);
	return err;
}

static int write_profile(struct speedscope *f, const struct group *g)
{
	int err;

	jsonwrite_object(&f->j, NULL);
	jsonwrite_str(&f->j, "type", "sampled");
	jsonwrite_str(&f->j, "name", g->name);
	jsonwrite_str(&f->j, "unit", f->seconds > 0 ? "seconds" : "none");
	jsonwrite_uint(&f->j, "startValue", 0);
	write_weight(f, "endValue", g->weight);
	err = write_samples(f, g);
	if (!err)
		err = write_weights(f, g);
	jsonwrite_object_end(&f->j);
	return err;
}

static int write_profiles(struct speedscope *f)
{
	static const struct group none = { .name = "nothing" };
	int err = 0;

	jsonwrite_array(&f->j, "profiles");
	for (size_t i = 0; !err && i < f->groups.len; i++)
		err = write_profile(f, &f->groups.at[i]);
	if (!f->groups.len)
		err = write_profile(f, &none);
	jsonwrite_array_end(&f->j);
	return err;
}

/*
 * speedscope shows only the name, and merges frames with the same name, file and line. Its schema allows further keys:
 * those of native frames are for other readers, and as in JSON lines.
 */
static void write_frame(struct speedscope *f, const struct frame *frame)
{
	struct jsonwrite *j = &f->j;

	buf_clear(&f->name);
	names_alone(frames_names(f->frames), &f->name, frame);
	jsonwrite_object(j, NULL);
	jsonwrite_strn(j, "name", f->name.data, f->name.len);
	if (frame->file)
		jsonwrite_str(j, "file", frame->file);
	if (frame->line > 0)
		jsonwrite_uint(j, "line", frame->line);
	if (frame->kind == FRAME_NATIVE || frame->kind == FRAME_KERNEL) {
		jsonwrite_str(j, "kind", frame->kind == FRAME_NATIVE ? "native" : "kernel");
		if (frame->file)
			jsonwrite_str(j, "module", frame->file);
	}
	jsonwrite_object_end(j);
}

static int write_frames(struct speedscope *f)
{
	int err = 0;

	jsonwrite_object(&f->j, "shared");
	jsonwrite_array(&f->j, "frames");
	for (uint32_t i = 0; !err && i < frames_count(f->frames); i++) {
		write_frame(f, frames_at(f->frames, i));
		err = stream_put(&f->buf, f->to, false);
	}
	jsonwrite_array_end(&f->j);
	jsonwrite_object_end(&f->j);
	return err;
}

static uint64_t all_weights(const struct groups *g)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < g->len; i++)
		sum += g->at[i].weight;
	return sum;
}

static void write_head(struct speedscope *f, const struct profile_meta *meta)
{
	_cleanup_(buf_done) struct buf name = {};
	struct jsonwrite *j = &f->j;

	buf_printf(&name, "%s: %.1f s of %s at %.0f Hz, %" PRIu64 " %s", meta->host, meta->seconds,
		   meta->event, meta->asked_hz, all_weights(&f->groups), meta->unit);
	jsonwrite_str(j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	jsonwrite_str(j, "exporter", "krait@" KRAIT_VERSION);
	if (!name.err)
		jsonwrite_str(j, "name", name.data);
	jsonwrite_uint(j, "activeProfileIndex", 0);
}

static int write_all(struct speedscope *f, const struct profile_meta *meta)
{
	int err;

	jsonwrite_object(&f->j, NULL);
	write_head(f, meta);
	err = write_profiles(f);
	if (!err)
		err = write_frames(f);
	jsonwrite_object_end(&f->j);
	buf_char(&f->buf, '\n');
	return err ? err : stream_put(&f->buf, f->to, true);
}

static double sample_seconds(const struct profile_meta *meta)
{
	return meta->asked_hz > 0 && !strcmp(meta->unit, "samples") ? 1 / meta->asked_hz : 0;
}

static int write_speedscope(const struct profile *p, const struct stacks *s,
			    const struct format_opts *o, FILE *to, struct err *err)
{
	_cleanup_(speedscope_done) struct speedscope f = { .seconds =
								   sample_seconds(profile_meta(p)),
							   .to = to };
	int code;

	f.j.out = &f.buf;
	f.frames = frames_new(p, s, o);
	code = f.frames ? groups_init(&f.groups, p, frames_names(f.frames), o) : -ENOMEM;
	if (!code)
		code = merge_kinds(&f, p, o);
	if (!code)
		code = write_all(&f, profile_meta(p));
	if (!code)
		code = stream_flush(to);
	return code ? stream_failed(err, "speedscope", code) : 0;
}

const struct format_ops format_speedscope = {
	.name = "speedscope",
	.extension = "speedscope.json",
	.help = "for speedscope: one profile per group of --by",
	.write = write_speedscope,
};
