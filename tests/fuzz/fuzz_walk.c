/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker on corrupted memory of interpreters: images of real ones (tests/images) and synthetic
 * ones of every layout. The input is
 *
 *	world 1  thread 1 (high bit: it is the process's only thread)  depth 2  bends ...
 *	bend (one corruption): how 1  where 2  value 8, or fewer bytes (rows of bends[])
 *
 * Each input starts from intact memory. What must hold: a walk makes a bounded number of reads; the
 * numbers in the stack record are consistent; a frame has a code object of type code, or one that
 * cannot be read; the same memory gives the same stack.
 */
#include <glob.h>
#include <stdint.h>

typedef struct bent pywalk_source;
static int read_user(pywalk_source *src, void *to, uint32_t len, uint64_t addr);
static uint64_t stack_end(pywalk_source *src, uint64_t sp);

#include "fuzz.h"
#include "images/image.h"
#include "images/synth.h"
#include "bpf/pywalk.h"

enum {
	WORLDS_MAX = 64,
	PIECES_MAX = 256,
	BENDS_MAX = 64,
	/* One scan, one walk, and the strings of each frame. */
	READS_MAX = 8 * WIRE_MAX_WALK,
};

struct piece {
	uint64_t addr;
	uint8_t *at;
	size_t words;
};

/* One interpreter: its readable memory, and the pieces that can be corrupted. */
struct world {
	struct py_layout layout;
	struct proc_info info;
	struct walk_thread threads[8];
	size_t n_threads;
	struct piece pieces[PIECES_MAX];
	size_t n_pieces, words;
	struct image_memory memory;
};

struct undo {
	uint8_t *at;
	uint64_t word;
};

/* A world after the input's corruptions. */
struct bent {
	struct world *world;
	struct proc_info info;
	struct walk_thread thread;
	uint64_t hole, hole_len;
	struct undo undo[BENDS_MAX];
	size_t n;
	unsigned long reads;
};

static struct world worlds[WORLDS_MAX];
static size_t n_worlds;
static struct pywalk walk;

/* --- worlds ----------------------------------------------------------------------------------- */

static void add_piece(struct world *w, uint64_t addr, void *at, size_t bytes)
{
	if (w->n_pieces == PIECES_MAX || bytes < 8)
		return;
	w->pieces[w->n_pieces++] = (struct piece){ addr, at, bytes / 8 };
	w->words += bytes / 8;
}

static void add_image(const char *path)
{
	struct image *im = calloc(1, sizeof(*im));
	struct world *w = &worlds[n_worlds];
	struct image_thread *t;
	struct image_range *r;

	MUST(im && !image_load(im, path) && n_worlds < WORLDS_MAX);
	w->layout = im->layout;
	w->info = im->info;
	w->memory = (struct image_memory){ image_read, im };
	vec_each (&im->threads, t)
		if (w->n_threads < COUNT(w->threads))
			w->threads[w->n_threads++] = image_walk_thread(t);
	vec_each (&im->ranges, r)
		add_piece(w, r->addr, r->bytes.data, r->bytes.len);
	n_worlds++;
}

/* Frames of every kind, recursion, and a second interpreter with a state of the same thread. */
static void populate(struct synth *s)
{
	uint64_t code = 0, other = synth_interp(s);

	for (int i = 0; i < 3; i++)
		synth_call(s, code = synth_code(s, i ? "f" : "main"));
	synth_resume(s, synth_code(s, "generate"));
	for (int i = 0; i < 3; i++)
		synth_call(s, code);
	synth_state(s, other, s->thread.thread_pointer);
	synth_state(s, s->interp, 0x1234000);
}

static void add_synth(uint32_t hex)
{
	struct synth *s = synth_new(hex);
	struct world *w = &worlds[n_worlds];

	MUST(n_worlds < WORLDS_MAX);
	populate(s);
	w->layout = s->l;
	w->info = s->info;
	w->threads[0] = s->thread;
	w->n_threads = 1;
	w->memory = (struct image_memory){ synth_read, s };
	add_piece(w, SYNTH_BASE, s->memory, s->heap - SYNTH_BASE);
	add_piece(w, SYNTH_STACK, synth_at(s, SYNTH_STACK, 8), s->stack - SYNTH_STACK);
	n_worlds++;
}

static void set_up(void)
{
	const char *slash = strrchr(__FILE__, '/');
	struct buf pattern = {};
	glob_t found = {};

	for (size_t i = 0; i < COUNT(synth_versions); i++)
		add_synth(synth_versions[i]);
	buf_printf(&pattern, "%.*s/../images/*.image", (int)(slash - __FILE__), __FILE__);
	glob(pattern.data, 0, NULL, &found);
	MUST(found.gl_pathc);
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_image(found.gl_pathv[i]);
	globfree(&found);
	buf_done(&pattern);
}

static void make_seeds(void)
{
	for (size_t world = 0; world < n_worlds; world++)
		for (uint64_t how = 0; how < 8; how++) {
			struct buf name = {}, seed = {};

			buf_printf(&name, "world-%zu-%u", world, (unsigned int)how);
			give(&seed, world, 1);
			give(&seed, 0, 1);
			give(&seed, how % 2 ? 2 : WIRE_MAX_FRAMES, 2);
			give(&seed, how, 1);
			give(&seed, 1 + 17 * how, 2);
			give(&seed, 1, 8);
			seed_write(name.data, &seed);
			buf_done(&name);
			buf_done(&seed);
		}
}

/* --- bends ------------------------------------------------------------------------------------ */

/* Returns the word with that index, counted over all pieces, and its address in the world. */
static uint8_t *word_at(const struct world *w, uint64_t index, uint64_t *ret_addr)
{
	index %= w->words;
	for (size_t i = 0; i < w->n_pieces; i++) {
		if (index < w->pieces[i].words) {
			*ret_addr = w->pieces[i].addr + 8 * index;
			return w->pieces[i].at + 8 * index;
		}
		index -= w->pieces[i].words;
	}
	return NULL;
}

static uint64_t bend_set(struct bent *b, uint64_t word, struct input *in)
{
	return take(in, 8);
}

static uint64_t bend_bit(struct bent *b, uint64_t word, struct input *in)
{
	return word ^ 1ULL << take(in, 1) % 64;
}

static uint64_t bend_add(struct bent *b, uint64_t word, struct input *in)
{
	return word + (uint64_t)(int64_t)(int16_t)take(in, 2);
}

static uint64_t bend_copy(struct bent *b, uint64_t word, struct input *in)
{
	uint64_t addr;
	const uint8_t *from = word_at(b->world, take(in, 2), &addr);

	if (from)
		memcpy(&word, from, sizeof(word));
	return word;
}

static uint64_t bend_point(struct bent *b, uint64_t word, struct input *in)
{
	uint64_t addr = word;

	word_at(b->world, take(in, 2), &addr);
	return addr;
}

static uint64_t bend_low(struct bent *b, uint64_t word, struct input *in)
{
	return (word & ~0xffffffffULL) | take(in, 4);
}

static uint64_t bend_odd(struct bent *b, uint64_t word, struct input *in)
{
	static const uint64_t odd[] = {
		0,          1,          ~0ULL, 1ULL << 62,         1ULL << 63, 1ULL << 47,
		UINT32_MAX, 0x7fffffff, 4096,  0xffff888000001000, -8ULL,      0x1000,
	};

	return odd[take(in, 1) % COUNT(odd)];
}

static uint64_t (*const bends[])(struct bent *b, uint64_t word, struct input *in) = {
	bend_set, bend_bit, bend_add, bend_copy, bend_point, bend_low, bend_odd,
};

static void bend_memory(struct bent *b, uint64_t how, uint64_t where, struct input *in)
{
	struct undo *u = &b->undo[b->n];
	uint64_t addr, word;

	u->at = word_at(b->world, where, &addr);
	if (!u->at)
		return;
	b->n++;
	memcpy(&u->word, u->at, sizeof(u->word));
	word = bends[how](b, u->word, in);
	memcpy(u->at, &word, sizeof(word));
}

/* Corrupts what detection took from the target's files, which are untrusted too. */
static void bend_info(struct bent *b, uint64_t where, uint64_t value)
{
	size_t at = where * 8 % (sizeof(b->info) & ~(size_t)7);

	memcpy((char *)&b->info + at, &value, sizeof(value));
}

static void bend(struct bent *b, struct input *in)
{
	uint64_t how = take(in, 1) % (COUNT(bends) + 2), where = take(in, 2);

	if (how < COUNT(bends)) {
		bend_memory(b, how, where, in);
	} else if (how == COUNT(bends)) {
		word_at(b->world, where, &b->hole);
		b->hole_len = take(in, 2);
	} else {
		bend_info(b, where, take(in, 8));
	}
}

static void mend(struct bent *b)
{
	while (b->n--)
		memcpy(b->undo[b->n].at, &b->undo[b->n].word, 8);
}

/* --- the walk --------------------------------------------------------------------------------- */

static int read_user(pywalk_source *b, void *to, uint32_t len, uint64_t addr)
{
	b->reads++;
	if (b->hole_len && addr < b->hole + b->hole_len && b->hole < addr + len)
		return -EFAULT;
	return b->world->memory.read(b->world->memory.ctx, to, len, addr);
}

static uint64_t stack_end(pywalk_source *b, uint64_t sp)
{
	return b->thread.stack_top;
}

/* Walks as the sampler does, with a depth from the input. */
static void walk_bent(struct bent *b, uint32_t max_depth)
{
	const struct py_layout *l = &b->world->layout;
	struct pywalk *w = &walk;
	int go;

	b->reads = 0;
	w->seed = pywalk_seed(&b->thread.proc);
	w->thread_id = b->thread.thread_pointer - b->info.tss_base;
	w->ns_tid = b->thread.ns_tid;
	w->has_top = 0;
	w->max_depth = max_depth;
	w->code_type = b->info.code_type;
	w->stack.proc = b->thread.proc;
	pywalk_reset(w);
	go = pywalk_find(b, w, l, &b->info);
	if (b->thread.alone)
		go = pywalk_adopt(b, w, l, &b->info, go);
	if (go == PYWALK_GO)
		go = pywalk_start(b, w, l, &b->info);
	for (int i = 0; i < WIRE_MAX_WALK && go != PYWALK_END; i++)
		go = pywalk_next(b, w, l, &b->info);
	pywalk_finish(w);
}

/* --- invariants ------------------------------------------------------------------------------- */

static void check_stack(const struct bent *b, const struct wire_stack *s, uint32_t max_depth)
{
	MUST(b->reads < READS_MAX);
	MUST(s->kind == RECORD_STACK && s->end < WALK_ENDS);
	MUST(s->count <= max_depth);
	MUST(s->count ? s->first < s->count : !s->first);
	MUST(s->first == 0 || s->count == max_depth);
	MUST((s->end == WALK_UNREADABLE) == (s->fault != 0));
	MUST(s->count || s->end != WALK_COMPLETE);
}

static void check_frame(struct bent *b, const struct wire_frame *f)
{
	const struct py_layout *l = &b->world->layout;
	uint8_t code[256];
	uint64_t type;

	if (f->flags & FRAME_UNREADABLE) {
		MUST(read_user(b, code, l->co_size, f->addr));
		return;
	}
	MUST(!read_user(b, code, l->co_size, f->addr));
	memcpy(&type, code + l->ob_type, sizeof(type));
	MUST(type == b->info.code_type);
}

static void check_frames(struct bent *b, const struct wire_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_frame(b, &frames[i]);
		if (i && frames[i].addr == frames[i - 1].addr)
			MUST(frames[i].code == frames[i - 1].code);
	}
}

/* Reading names and lines from corrupted memory terminates for any lengths found there. */
static void resolve(struct bent *b, const struct wire_frame *frames, size_t n)
{
	for (size_t i = 0; i < n && i < 2; i++) {
		struct image_text text = {};

		image_resolve(&b->world->memory, &b->world->layout, &frames[i], &text);
		image_text_done(&text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct world *w = &worlds[take(&in, 1) % n_worlds];
	struct bent b = { .world = w, .info = w->info };
	uint64_t thread = take(&in, 1), id;
	uint32_t depth;

	b.thread = w->threads[thread % w->n_threads];
	b.thread.alone = thread & 0x80;
	depth = 1 + (uint32_t)take(&in, 2) % WIRE_MAX_FRAMES;
	while (in.left && b.n < BENDS_MAX)
		bend(&b, &in);
	walk_bent(&b, depth);
	check_stack(&b, &walk.stack, depth);
	check_frames(&b, walk.frames, walk.stack.count);
	resolve(&b, walk.frames, walk.stack.count);
	id = walk.stack.id;
	walk_bent(&b, depth);
	MUST(walk.stack.id == id);
	mend(&b);
	return 0;
}
