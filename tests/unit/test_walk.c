/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker on every kind of memory: images of real interpreters (tests/images), the same images
 * with random corruption, and synthetic interpreters that are manipulated. In all of them the
 * frames shown must be right, missing ones must have a marker, and the work must be bounded.
 */
#include <glob.h>
#include <stdint.h>
#include <string.h>

typedef struct synth pywalk_source;
static int read_user(pywalk_source *src, void *to, uint32_t len, uint64_t addr);
static uint64_t stack_end(pywalk_source *src, uint64_t sp);

#include "images/image.h"
#include "images/synth.h"
#include "bpf/pywalk.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define _synth_  _cleanup_(synth_freep)

/* Limit for one walk: a scan, the walk, and the strings of each frame. */
enum { READS_MAX = 8 * WIRE_MAX_WALK };

/* --- recorded images -------------------------------------------------------------------------- */

enum { IMAGES_MIN = 9, MUTATIONS = 10000, DAMAGES = 12 };

/* Finds all images; $KRAIT_IMAGES names another folder to search. */
static void find_images(glob_t *ret)
{
	_cleanup_(buf_done) struct buf pattern = {};
	const char *folder = getenv("KRAIT_IMAGES"), *slash = strrchr(__FILE__, '/');

	if (folder)
		buf_str(&pattern, folder);
	else
		buf_printf(&pattern, "%.*s/../images", slash ? (int)(slash - __FILE__) : 1,
			   slash ? __FILE__ : ".");
	buf_str(&pattern, "/*.image");
	memset(ret, 0, sizeof(*ret));
	glob(pattern.data, 0, NULL, ret);
}

TEST(images)
{
	_cleanup_(globfree) glob_t found;

	find_images(&found);
	CHECK(found.gl_pathc >= IMAGES_MIN);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_(image_done) struct image im = {};

		if (!CHECK_EQ(image_load(&im, found.gl_pathv[i]), 0) ||
		    !CHECK_EQ(image_check(&im, stdout), 0))
			printf("# in %s\n", found.gl_pathv[i]);
	}
}

/* xorshift64: the same numbers on every machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A random word of the image; NULL: the range is too short. */
static uint8_t *pick(const struct image *im, uint64_t *state)
{
	const struct image_range *r = &im->ranges.at[next_random(state) % im->ranges.len];

	if (r->bytes.len < 8)
		return NULL;
	return (uint8_t *)r->bytes.data + (next_random(state) % (r->bytes.len / 8)) * 8;
}

static uint64_t damaged(const struct image *im, uint64_t word, uint64_t *state)
{
	static const uint64_t odd[] = { 0,          1,          ~0ULL,      1ULL << 62,
					1ULL << 63, 1ULL << 47, UINT32_MAX, 0x7fffffffULL,
					4096,       8 };
	uint64_t which = next_random(state) % 32;
	const uint8_t *other = pick(im, state);

	if (which < 12)
		return word ^ 1ULL << next_random(state) % 64;
	if (which < 20)
		return word + (int64_t)(next_random(state) % 512) - 256;
	if (which < 30)
		return odd[next_random(state) % COUNT(odd)];
	if (other)
		memcpy(&word, other, sizeof(word));
	return word;
}

struct damage {
	uint8_t *at;
	uint64_t word; /* the original one */
};

static void break_image(const struct image *im, struct damage *d, uint64_t *state)
{
	for (int i = 0; i < DAMAGES; i++) {
		uint64_t word;

		d[i].at = pick(im, state);
		if (!d[i].at)
			continue;
		memcpy(&d[i].word, d[i].at, sizeof(d[i].word));
		word = damaged(im, d[i].word, state);
		memcpy(d[i].at, &word, sizeof(word));
	}
}

static void mend_image(struct damage *d)
{
	for (int i = DAMAGES - 1; i >= 0; i--)
		if (d[i].at)
			memcpy(d[i].at, &d[i].word, sizeof(d[i].word));
}

/* Checks a stack that may result from any memory: its numbers must be consistent. */
static bool check_sane(const struct wire_stack *s, unsigned long reads)
{
	return CHECK(s->end < WALK_ENDS) && CHECK(s->count <= WIRE_MAX_FRAMES) &&
	       CHECK(s->first < s->count || !s->first) && CHECK(reads < READS_MAX);
}

static bool walk_damaged(struct image *im, struct walk *w, const struct image_thread *t)
{
	const struct image_memory m = { image_read, im };
	const struct walk_thread thread = image_walk_thread(t);
	const struct wire_frame *frames;
	const struct wire_stack *s;
	bool sane;

	im->reads = 0;
	s = walk_stack(w, &im->layout, &im->info, &thread, &frames);
	sane = check_sane(s, im->reads);
	for (uint32_t i = 0; i < s->count && i < 4; i++) {
		_cleanup_(image_text_done) struct image_text text = {};

		image_resolve(&m, &im->layout, &frames[i], &text);
	}
	return sane;
}

static bool mutate(struct image *im, uint64_t seed)
{
	struct walk *w = walk_new(image_read, im);
	struct damage damage[DAMAGES];
	bool sane = w && im->ranges.len;
	uint64_t state = seed;

	for (int i = 0; i < MUTATIONS && sane; i++) {
		break_image(im, damage, &state);
		sane = walk_damaged(im, w, &im->threads.at[i % im->threads.len]);
		mend_image(damage);
	}
	walk_free(w);
	return sane;
}

TEST(corrupted_images)
{
	_cleanup_(globfree) glob_t found;

	find_images(&found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_(image_done) struct image im = {};

		if (!CHECK_EQ(image_load(&im, found.gl_pathv[i]), 0) || !CHECK(mutate(&im, 42)) ||
		    !CHECK_EQ(image_check(&im, stdout), 0))
			printf("# in %s\n", found.gl_pathv[i]);
	}
}

TEST(malformed_images)
{
	static const char *const texts[] = { "python\n",
					     "info current 1\n",
					     "frame 1 2\ta\tb\n",
					     "thread\n",
					     "what 1\n",
					     "bytes zz\n",
					     "bytes 0x10 0011\nbytes 0x11 22\n" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		_cleanup_(image_done) struct image im = {};
		_fclose_ FILE *f = fmemopen((char *)(uintptr_t)texts[i], strlen(texts[i]), "r");

		CHECK_EQ(image_parse(&im, f), -EINVAL);
	}
}

/* --- synthetic interpreters ------------------------------------------------------------------- */

typedef void test_case(struct synth *s);

/* Runs @run once for each version from @first to @last (0x0306). */
static void each(test_case *run, uint16_t first, uint16_t last)
{
	for (size_t i = 0; i < COUNT(synth_versions); i++) {
		unsigned int before = tap.failures;
		_synth_ struct synth *s = NULL;

		if (synth_versions[i] >> 16 < first || synth_versions[i] >> 16 > last)
			continue;
		s = synth_new(synth_versions[i]);
		run(s);
		if (tap.failures != before)
			printf("# with the layout of 3.%u\n", s->hex >> 16 & 0xff);
	}
}

#define EACH(run)             each(run, 0, UINT16_MAX)
#define FROM(version, run)    each(run, version, UINT16_MAX)
#define UP_TO(version, run)   each(run, 0, version)
#define ONLY(version, run)    each(run, version, version)
#define IS_IFRAME(s)          ((s)->l.flags & PY_IFRAME)
#define CHECK_END(s, want)    CHECK_EQ(synth_walk(s)->end, want)
#define CHECK_FRAME(s, i, co) CHECK_EQ((s)->at[i].addr, co)

/* main calls a, and a calls b. */
struct three {
	uint64_t code[3]; /* leaf first */
	uint64_t frame[3];
};

static struct three call_three(struct synth *s)
{
	static const char *const names[] = { "b", "a", "main" };
	struct three t;

	for (int i = 2; i >= 0; i--) {
		t.code[i] = synth_code(s, names[i]);
		t.frame[i] = synth_call(s, t.code[i]);
	}
	return t;
}

static void case_three(struct synth *s)
{
	struct three t = call_three(s);
	const struct wire_stack *stack = synth_walk(s);

	CHECK_EQ(stack->kind, RECORD_STACK);
	CHECK_EQ(stack->end, WALK_COMPLETE);
	CHECK_EQ(stack->proc.tgid, 7);
	CHECK_EQ(stack->fault, 0);
	CHECK_EQ(stack->first, 0);
	if (!CHECK_EQ(stack->count, 3))
		return;
	for (int i = 0; i < 3; i++) {
		CHECK_FRAME(s, i, t.code[i]);
		CHECK_EQ(walk_frame_at(s->walk, i), t.frame[i]);
		CHECK_EQ(s->at[i].lasti, SYNTH_LASTI);
		CHECK_EQ(s->at[i].flags, 0);
	}
	CHECK(s->at[0].code != s->at[1].code && s->at[1].code != s->at[2].code);
}

TEST(three_frames)
{
	EACH(case_three);
}

static void case_same_id(struct synth *s)
{
	struct three t = call_three(s);
	uint64_t id = synth_walk(s)->id, code = s->at[0].code, got = 0;

	CHECK_EQ(synth_walk(s)->id, id);
	CHECK_EQ(walk_code_id(s->walk, &s->l, s->info.code_type, &s->thread.proc, t.code[0], &got),
		 0);
	CHECK_EQ(got, code);
	CHECK_EQ(walk_code_id(s->walk, &s->l, s->info.code_type, &s->thread.proc, 8, &got),
		 -EFAULT);
	CHECK_EQ(walk_code_id(s->walk, &s->l, s->info.code_type, &s->thread.proc, s->info.code_type,
			      &got),
		 -EINVAL);
	s->thread.proc.exec_id++;
	CHECK(synth_walk(s)->id != id);
	CHECK(s->at[0].code != code);
	synth_top(s, s->state, t.frame[1]);
	CHECK(synth_walk(s)->id != id);
}

TEST(ids_are_of_the_stack_and_the_process)
{
	EACH(case_same_id);
}

static void case_lasti(struct synth *s)
{
	struct three t = call_three(s);
	uint64_t at = t.frame[0] + s->l.fr_instr, id = synth_walk(s)->id;

	if (s->l.co_bytecode)
		synth_put(s, at, t.code[0] + s->l.co_bytecode - 2);
	else
		synth_put32(s, at, (uint32_t)-1);
	CHECK(synth_walk(s)->id != id);
	CHECK_EQ(s->at[0].lasti, s->l.co_bytecode ? -2 : -1);
}

TEST(function_not_started)
{
	EACH(case_lasti);
}

static void case_no_frame(struct synth *s)
{
	CHECK_END(s, WALK_NO_FRAME);
	CHECK_EQ(synth_walk(s)->count, 0);
	if (s->l.flags & PY_CFRAME) {
		synth_put(s, s->state + s->l.ts_frame, 0);
		CHECK_END(s, WALK_NO_FRAME);
	}
}

TEST(no_frame)
{
	EACH(case_no_frame);
}

/* --- chains that lead nowhere ----------------------------------------------------------------- */

static void case_cycles(struct synth *s)
{
	struct three t = call_three(s);

	synth_put(s, t.frame[1] + s->l.fr_back, t.frame[1]);
	CHECK_END(s, WALK_ENDLESS);
	CHECK_EQ(synth_walk(s)->count, WIRE_MAX_FRAMES);
	CHECK(s->reads < READS_MAX);
	synth_put(s, t.frame[1] + s->l.fr_back, t.frame[2]);
	synth_put(s, t.frame[2] + s->l.fr_back, t.frame[0]);
	CHECK_END(s, WALK_ENDLESS);
	CHECK(s->reads < READS_MAX);
	synth_put(s, t.frame[0] + s->l.fr_back, t.frame[0]);
	check_sane(synth_walk(s), s->reads);
	CHECK(synth_walk(s)->end != WALK_COMPLETE);
}

TEST(cycles)
{
	EACH(case_cycles);
}

static void case_shim_cycle(struct synth *s)
{
	struct three t = call_three(s);
	uint64_t shim = synth_get(s, t.frame[2] + s->l.fr_back);

	synth_put(s, shim + s->l.fr_back, shim);
	CHECK_END(s, WALK_ENDLESS);
	CHECK_EQ(synth_walk(s)->count, 3);
	CHECK(s->reads < READS_MAX);
}

TEST(cycle_of_entry_frames)
{
	FROM(0x030c, case_shim_cycle);
}

static const uint64_t wild[] = { 1,     7,         4096,       SYNTH_BASE + 4,    1ULL << 47,
				 ~0ULL, ~0ULL - 7, 1ULL << 63, 0x8000000000000ULL };

static void case_wild(struct synth *s)
{
	struct three t = call_three(s);

	for (size_t i = 0; i < COUNT(wild); i++) {
		const struct wire_stack *stack;

		synth_put(s, t.frame[0] + s->l.fr_back, wild[i]);
		stack = synth_walk(s);
		CHECK(stack->end == WALK_INCOMPLETE || stack->end == WALK_UNREADABLE);
		CHECK_EQ(stack->count, 1);
		CHECK_FRAME(s, 0, t.code[0]);
		synth_top(s, s->state, wild[i]);
		stack = synth_walk(s);
		CHECK(stack->end == WALK_INCOMPLETE || stack->end == WALK_UNREADABLE);
		CHECK_EQ(stack->count, 0);
		synth_top(s, s->state, t.frame[0]);
	}
}

TEST(wild_frame_pointers)
{
	EACH(case_wild);
}

/* aarch64 maps the data stack just below 2^48. */
static void case_high(struct synth *s)
{
	struct three t = call_three(s);

	s->high = 1ULL << 47;
	synth_put(s, t.frame[0] + s->l.fr_back, t.frame[1] | s->high);
	synth_put(s, t.frame[1] + s->l.fr_back, t.frame[2] | s->high);
	synth_top(s, s->state, t.frame[0] | s->high);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
}

TEST(addresses_of_48_bits)
{
	EACH(case_high);
}

static void case_wild_state(struct synth *s)
{
	call_three(s);
	for (size_t i = 0; i < COUNT(wild); i++) {
		synth_put(s, synth_slot(s, 0), wild[i]);
		synth_hold_gil(s, wild[i]);
		CHECK(synth_walk(s)->end != WALK_COMPLETE);
		CHECK_EQ(synth_walk(s)->count, 0);
	}
}

TEST(wild_thread_states)
{
	EACH(case_wild_state);
}

static void case_no_code(struct synth *s)
{
	struct three t = call_three(s);

	synth_put(s, t.code[1] + s->l.ob_type, s->info.code_type + 16);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_FRAME(s, 0, t.code[0]);
	synth_put(s, t.code[0] + s->l.ob_type, 0);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 0);
}

TEST(code_of_another_type)
{
	EACH(case_no_code);
}

/* --- memory that is not resident -------------------------------------------------------------- */

static void punch(struct synth *s, uint64_t addr, uint64_t len)
{
	s->hole = addr;
	s->hole_len = len;
}

/* Data-stack frames are read from the start of their page, so the callee gets another page. */
static void case_frame_hole(struct synth *s)
{
	struct three t;

	t.code[2] = synth_code(s, "main");
	t.code[1] = synth_code(s, "a");
	t.code[0] = synth_code(s, "b");
	t.frame[2] = synth_call(s, t.code[2]);
	t.frame[1] = synth_call(s, t.code[1]);
	if (IS_IFRAME(s))
		s->stack = ((s->stack | 4095) + 1) + 24; /* a new chunk */
	t.frame[0] = synth_call(s, t.code[0]);
	punch(s, t.frame[1], 8);
	CHECK_END(s, WALK_UNREADABLE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_EQ(synth_walk(s)->fault, t.frame[1]);
	CHECK_FRAME(s, 0, t.code[0]);
	punch(s, t.frame[0], 8);
	CHECK_END(s, WALK_UNREADABLE);
	CHECK_EQ(synth_walk(s)->count, 0);
	CHECK_EQ(synth_walk(s)->fault, t.frame[0]);
	punch(s, 0, 0);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->fault, 0);
}

TEST(frame_not_resident)
{
	EACH(case_frame_hole);
}

static void case_code_hole(struct synth *s)
{
	struct three t = call_three(s);

	for (int i = 0; i < 3; i++) {
		const struct wire_stack *stack;

		punch(s, t.code[i], 8);
		stack = synth_walk(s);
		CHECK_EQ(stack->end, WALK_COMPLETE);
		if (!CHECK_EQ(stack->count, 3))
			continue;
		for (int j = 0; j < 3; j++) {
			CHECK_FRAME(s, j, t.code[j]);
			CHECK_EQ(s->at[j].flags, j == i ? FRAME_UNREADABLE : 0);
		}
		CHECK_EQ(s->at[i].code, walk_address_id(&s->thread.proc, t.code[i]));
		CHECK_EQ(s->at[i].lasti, SYNTH_LASTI);
	}
}

TEST(code_not_resident)
{
	EACH(case_code_hole);
}

static void case_string_hole(struct synth *s)
{
	struct three t = call_three(s);
	uint16_t name = s->l.co_qualname ? s->l.co_qualname : s->l.co_name;
	uint64_t str = synth_get(s, t.code[1] + name);

	punch(s, str + 128, 8); /* after the string */
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(s->at[1].flags, 0);
	punch(s, str, 256);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
	CHECK_EQ(s->at[1].flags, 0);
}

TEST(name_not_resident)
{
	EACH(case_string_hole);
}

static void case_state_hole(struct synth *s)
{
	call_three(s);
	punch(s, s->state, 8);
	CHECK_END(s, WALK_UNREADABLE);
	CHECK_EQ(synth_walk(s)->fault, s->state);
	punch(s, synth_slot(s, 0), 8);
	CHECK_END(s, WALK_NO_STATE);
	if (s->info.current) {
		punch(s, s->info.current, 8);
		CHECK_END(s, WALK_UNREADABLE);
		CHECK_EQ(synth_walk(s)->fault, s->info.current);
	}
	if (s->l.flags & PY_CFRAME) {
		punch(s, synth_get(s, s->state + s->l.ts_frame), 32);
		CHECK_END(s, WALK_UNREADABLE);
		CHECK_EQ(synth_walk(s)->fault, s->hole);
	}
}

TEST(state_not_resident)
{
	EACH(case_state_hole);
}

/* A frame that starts where the block read for its callee ends needs a read of its own. */
static void case_ascending(struct synth *s)
{
	uint16_t size = (s->l.fr_size + 7) & ~7;
	uint64_t frames = synth_alloc(s, 2 * size + 128), codes[2];

	codes[1] = synth_code(s, "generate");
	codes[0] = synth_code(s, "delegate");
	synth_call(s, synth_code(s, "main"));
	synth_push(s, frames + size, codes[1], SYNTH_GENERATOR);
	synth_push(s, frames, codes[0], SYNTH_GENERATOR);
	CHECK_END(s, WALK_COMPLETE);
	if (!CHECK_EQ(synth_walk(s)->count, 3))
		return;
	CHECK_FRAME(s, 0, codes[0]);
	CHECK_FRAME(s, 1, codes[1]);
}

TEST(callers_at_higher_addresses)
{
	EACH(case_ascending);
}

/* --- depth ------------------------------------------------------------------------------------ */

static uint64_t recurse(struct synth *s, unsigned int depth)
{
	uint64_t root = synth_code(s, "main"), code = synth_code(s, "recurse");

	synth_call(s, root);
	for (unsigned int i = 1; i < depth; i++)
		synth_call(s, code);
	return root;
}

static void case_truncated(struct synth *s)
{
	uint64_t root = recurse(s, 5000);
	const struct wire_stack *stack = synth_walk(s);

	CHECK_EQ(stack->end, WALK_TRUNCATED);
	CHECK_EQ(stack->count, WIRE_MAX_FRAMES);
	CHECK_EQ(stack->first, 5000 % WIRE_MAX_FRAMES);
	CHECK_FRAME(s, (stack->first + stack->count - 1) % stack->count, root);
}

TEST(deeper_than_a_stack_holds)
{
	EACH(case_truncated);
}

static void case_just_fits(struct synth *s)
{
	uint64_t root = recurse(s, WIRE_MAX_FRAMES);
	const struct wire_stack *stack = synth_walk(s);

	CHECK_EQ(stack->end, WALK_COMPLETE);
	CHECK_EQ(stack->count, WIRE_MAX_FRAMES);
	CHECK_EQ(stack->first, 0);
	CHECK_FRAME(s, WIRE_MAX_FRAMES - 1, root);
}

TEST(as_deep_as_a_stack_holds)
{
	EACH(case_just_fits);
}

static void case_endless(struct synth *s)
{
	const struct wire_stack *stack;

	recurse(s, WIRE_MAX_WALK + 100);
	stack = synth_walk(s);
	CHECK_EQ(stack->end, WALK_ENDLESS);
	CHECK_EQ(stack->count, WIRE_MAX_FRAMES);
	CHECK(s->reads < READS_MAX);
}

TEST(deeper_than_a_walk)
{
	EACH(case_endless);
}

static int read_user(pywalk_source *src, void *to, uint32_t len, uint64_t addr)
{
	return synth_read(src, to, len, addr);
}

static uint64_t stack_end(pywalk_source *src, uint64_t sp)
{
	return src->thread.stack_top;
}

/* Walks with a given depth, as with --max-depth. */
static void walk_to(struct pywalk *w, struct synth *s, uint32_t max_depth)
{
	w->seed = pywalk_seed(&s->thread.proc);
	w->thread_id = s->thread.thread_pointer;
	w->has_top = 0;
	w->max_depth = max_depth;
	w->code_type = s->info.code_type;
	pywalk_reset(w);
	if (pywalk_find(s, w, &s->l, &s->info) == PYWALK_GO &&
	    pywalk_start(s, w, &s->l, &s->info) == PYWALK_MORE)
		while (pywalk_step(s, w, &s->l) == PYWALK_MORE)
			;
	pywalk_finish(w);
}

static void case_max_depth(struct synth *s)
{
	_free_ struct pywalk *w = calloc(1, sizeof(*w));
	struct three t = call_three(s);

	for (uint32_t depth = 1; depth <= 4; depth++) {
		uint32_t kept = depth < 3 ? depth : 3;

		walk_to(w, s, depth);
		CHECK_EQ(w->stack.end, depth < 3 ? WALK_TRUNCATED : WALK_COMPLETE);
		CHECK_EQ(w->stack.count, kept);
		for (uint32_t i = 0; i < kept; i++)
			CHECK_EQ(w->frames[(w->stack.first + i) % kept].addr, t.code[3 - kept + i]);
	}
	synth_put(s, t.frame[2] + s->l.fr_back, 1);
	walk_to(w, s, 1);
	CHECK_EQ(w->stack.end, WALK_INCOMPLETE);
	CHECK_EQ(w->stack.count, 1);
}

TEST(max_depth_keeps_the_root_side)
{
	EACH(case_max_depth);
}

/* --- roots ------------------------------------------------------------------------------------ */

static void case_no_root(struct synth *s)
{
	struct three t = call_three(s);

	synth_put(s, t.frame[1] + s->l.fr_back, 0);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 2);
	CHECK_FRAME(s, 1, t.code[1]);
}

TEST(chain_ends_before_its_root)
{
	FROM(0x030b, case_no_root);
}

/* A chain as greenlet leaves it while it switches: no entry frame, the root at the bottom. */
static void case_bottom(struct synth *s)
{
	enum { PREVIOUS = 0, SIZE = 8 };
	struct three t = call_three(s);

	synth_put(s, t.frame[2] + s->l.fr_back, 0);
	CHECK_END(s, WALK_INCOMPLETE);
	synth_put(s, SYNTH_STACK + SIZE, 1 << 14);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
	synth_put(s, SYNTH_STACK + PREVIOUS, SYNTH_STACK - 4096);
	CHECK_END(s, WALK_INCOMPLETE);
	synth_put(s, SYNTH_STACK + PREVIOUS, 0);
	synth_put(s, SYNTH_STACK + SIZE, (1 << 14) + 8);
	CHECK_END(s, WALK_INCOMPLETE);
	synth_put(s, SYNTH_STACK + SIZE, 1 << 14);
	synth_put(s, t.frame[1] + s->l.fr_back, 0);
	CHECK_END(s, WALK_INCOMPLETE);
	synth_put(s, t.frame[1] + s->l.fr_back, t.frame[2]);
	*(uint8_t *)synth_at(s, t.frame[2] + s->l.fr_owner, 1) = SYNTH_GENERATOR;
	CHECK_END(s, WALK_INCOMPLETE);
}

TEST(bottom_of_a_data_stack)
{
	FROM(0x030c, case_bottom);
}

static void case_generator_cut(struct synth *s)
{
	uint64_t code = synth_code(s, "generate"), frame;

	synth_call(s, synth_code(s, "main"));
	frame = synth_resume(s, code);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 2);
	synth_put(s, frame + s->l.fr_back, 0);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_FRAME(s, 0, code);
}

TEST(generator_cut_off_while_it_yields)
{
	FROM(0x030b, case_generator_cut);
}

static void case_generator_root(struct synth *s)
{
	static const uint32_t kinds[] = { 0x20, 0x80, 0x200 };
	uint64_t code = synth_code(s, "generate");

	synth_call(s, code);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		synth_put32(s, code + s->l.co_flags, kinds[i] | 3);
		CHECK_END(s, WALK_INCOMPLETE);
		CHECK_EQ(synth_walk(s)->count, 1);
	}
	synth_put32(s, code + s->l.co_flags, 0x43);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(generator_at_the_root)
{
	ONLY(0x030a, case_generator_root);
}

static void case_init_cleanup(struct synth *s)
{
	struct three t;

	t.code[2] = synth_code(s, "make");
	t.code[1] = synth_code_in(s, "__init__", 0);
	t.code[0] = synth_code(s, "__init__");
	synth_put(s, t.code[1] + s->l.co_file, synth_get(s, t.code[1] + s->l.co_name));
	for (int i = 2; i >= 0; i--)
		synth_call(s, t.code[i]);
	CHECK_END(s, WALK_COMPLETE);
	if (!CHECK_EQ(synth_walk(s)->count, 2))
		return;
	CHECK_FRAME(s, 0, t.code[0]);
	CHECK_FRAME(s, 1, t.code[2]);
}

TEST(init_cleanup_is_not_a_function)
{
	ONLY(0x030d, case_init_cleanup);
}

/* --- functions compiled to C ------------------------------------------------------------------ */

enum { IN_OBJECT = 128, CALL_LINE = 105 };

static void check_compiled(struct synth *s, uint32_t i, uint64_t code, int32_t line)
{
	CHECK_FRAME(s, i, code);
	CHECK_EQ(s->at[i].flags, FRAME_LINE);
	CHECK_EQ(s->at[i].lasti, line);
}

static void case_compiled(struct synth *s)
{
	uint64_t code[3] = { synth_code(s, "b"), synth_code(s, "a"), synth_code(s, "main") };

	for (int i = 2; i >= 0; i--)
		synth_call_compiled(s, code[i], i ? CALL_LINE + i : 0, IN_OBJECT);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
	for (int i = 0; i < 3; i++)
		check_compiled(s, i, code[i], i ? CALL_LINE + i : 0);
}

TEST(compiled_functions)
{
	EACH(case_compiled);
}

static void case_compiled_between(struct synth *s)
{
	uint64_t main = synth_code(s, "main"), a = synth_code(s, "a"), b = synth_code(s, "b");

	synth_call(s, main);
	synth_call_compiled(s, a, CALL_LINE, IN_OBJECT);
	synth_call(s, b);
	CHECK_END(s, WALK_COMPLETE);
	if (!CHECK_EQ(synth_walk(s)->count, 3))
		return;
	CHECK_FRAME(s, 0, b);
	CHECK_EQ(s->at[0].flags, 0);
	CHECK_EQ(s->at[0].lasti, SYNTH_LASTI);
	check_compiled(s, 1, a, CALL_LINE);
	CHECK_EQ(s->at[2].lasti, SYNTH_LASTI);
}

TEST(compiled_function_between_others)
{
	EACH(case_compiled_between);
}

static void case_compiled_line(struct synth *s)
{
	uint64_t code = synth_code(s, "main");
	uint64_t frame = synth_call_compiled(s, code, (uint32_t)-5, IN_OBJECT);

	CHECK_END(s, WALK_COMPLETE);
	check_compiled(s, 0, code, 0);
	if (IS_IFRAME(s))
		return; /* a hole at the line would hide the frame, too */
	s->hole = frame + s->l.fo_line;
	s->hole_len = 4;
	CHECK_END(s, WALK_COMPLETE);
	check_compiled(s, 0, code, 0);
}

TEST(impossible_line_of_a_compiled_function)
{
	EACH(case_compiled_line);
}

/* A generator's frame object may be right before or after its frame, but is a separate object. */
static void case_no_compiled(struct synth *s)
{
	uint64_t code = synth_code(s, "generate"), frame;
	uint64_t nearest = 40 + s->l.ob_type + s->l.fr_locals + 64;

	frame = synth_call_compiled(s, code, CALL_LINE, nearest);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_EQ(s->at[0].flags, 0);
	synth_put(s, frame + s->l.fr_object, frame + 8);
	CHECK_END(s, WALK_INCOMPLETE);
	synth_put(s, frame + s->l.fr_object, frame - nearest + 8);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(frame_of_a_generator_is_not_compiled)
{
	FROM(0x030b, case_no_compiled);
}

static void case_not_empty(struct synth *s)
{
	uint64_t code = synth_code(s, "main");

	synth_call_compiled(s, code, CALL_LINE, 0);
	synth_put(s, synth_get(s, code + s->l.co_code) + s->l.by_size, 2);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(s->at[0].flags, 0);
	CHECK_EQ(s->at[0].lasti, -1);
}

TEST(function_not_started_is_not_compiled)
{
	UP_TO(0x030a, case_not_empty);
}

/* --- 3.11, 3.12: stale links ------------------------------------------------------------------ */

/* The frame is published but has not executed an instruction: only then may its link be stale. */
static void not_started(struct synth *s, uint64_t frame, uint64_t code)
{
	synth_put(s, frame + s->l.fr_instr, code + s->l.co_bytecode - 2);
}

/* Saves a stack pointer in a frame, as callers do for calls that need no new C frame. */
static void save_stack(struct synth *s, uint64_t frame, uint32_t top)
{
	synth_put32(s, frame + s->l.fr_stacktop, top);
}

static void case_stale_place(struct synth *s)
{
	struct three t = call_three(s);

	synth_put(s, t.frame[0] + s->l.fr_back, t.frame[2]);
	CHECK_END(s, WALK_COMPLETE); /* a running frame has been linked */
	not_started(s, t.frame[0], t.code[0]);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_FRAME(s, 0, t.code[0]);
}

TEST(stale_link_is_detected_by_its_place)
{
	ONLY(0x030b, case_stale_place);
	ONLY(0x030c, case_stale_place);
}

static void case_stale_stack(struct synth *s)
{
	struct three t = call_three(s);

	not_started(s, t.frame[0], t.code[0]);
	save_stack(s, t.frame[1], ~0u);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	save_stack(s, t.frame[1], 3);
	save_stack(s, t.frame[2], ~0u);
	CHECK_END(s, WALK_COMPLETE);
	save_stack(s, t.frame[1], ~0u);
	if (!(s->l.flags & PY_IS_ENTRY))
		return;
	*(uint8_t *)synth_at(s, t.frame[0] + s->l.fr_entry, 1) = 1;
	CHECK_END(s, WALK_COMPLETE); /* called by C code that the caller runs */
}

TEST(stale_link_is_detected_by_its_stack_pointer)
{
	ONLY(0x030b, case_stale_stack);
	ONLY(0x030c, case_stale_stack);
}

/* Calls f in a new chunk, @start bytes into it; the one before, at @before, is full at @end. */
static void call_in_chunk(struct synth *s, uint64_t before, uint64_t end, unsigned int start)
{
	uint64_t chunk = (s->stack | 4095) + 1, code = synth_code(s, "f");

	s->stack = chunk + start;
	not_started(s, synth_call(s, code), code);
	synth_put(s, s->state + s->l.ts_chunk, chunk);
	synth_put(s, chunk, before);
	synth_put(s, before + 16, (end - before - 24) / 8);
}

static void case_chunk(struct synth *s, unsigned int start)
{
	uint64_t before, end;

	s->stack += 4096;
	before = synth_call(s, synth_code(s, "main")) - 24;
	end = s->stack;
	call_in_chunk(s, before, end, start);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 2);
	synth_put(s, before + 16, (end - before - 24) / 8 + 1);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
}

static void case_first_chunk(struct synth *s)
{
	case_chunk(s, 32);
}

static void case_later_chunk(struct synth *s)
{
	case_chunk(s, 24);
}

TEST(first_frame_of_a_chunk)
{
	ONLY(0x030b, case_first_chunk);
	ONLY(0x030b, case_later_chunk);
	ONLY(0x030c, case_later_chunk);
}

/* A running frame has been linked, and so has a frame in the last part of the prologue. */
static void case_linked(struct synth *s)
{
	struct three t = call_three(s);

	not_started(s, t.frame[0], t.code[0]);
	save_stack(s, t.frame[1], ~0u);
	CHECK_END(s, WALK_INCOMPLETE);
	save_stack(s, t.frame[0], ~0u);
	CHECK_END(s, WALK_COMPLETE);
	save_stack(s, t.frame[0], 0);
	s->info.entry = 0x400000;
	s->info.at_entry = (struct proc_entry){ .len = 0x60, .runs = 0x80 };
	s->thread.pc = 0x400060;
	CHECK_END(s, WALK_COMPLETE);
	s->thread.pc = 0x400080;
	CHECK_END(s, WALK_INCOMPLETE);
}

TEST(frame_that_was_linked)
{
	ONLY(0x030b, case_linked);
	ONLY(0x030c, case_linked);
}

/* The link leads to an entry frame: this call's, or an earlier call's at the same place. */
static void case_waiting(struct synth *s)
{
	struct three t = call_three(s);
	uint64_t shim = synth_get(s, t.frame[2] + s->l.fr_back);

	synth_put(s, t.frame[0] + s->l.fr_back, shim);
	not_started(s, t.frame[0], t.code[0]);
	save_stack(s, t.frame[0], 0);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_FRAME(s, 0, t.code[0]);
	save_stack(s, t.frame[0], ~0u);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(waiting_frame_is_not_taken_for_an_entry)
{
	ONLY(0x030c, case_waiting);
}

/* A new frame linked to a compiled function: only C code can call from there. */
static void case_called_by_compiled(struct synth *s)
{
	uint64_t code = synth_code(s, "f"), frame;

	synth_call_compiled(s, synth_code(s, "main"), CALL_LINE, IN_OBJECT);
	if (s->l.flags & PY_SHIM)
		synth_push(s, synth_alloc(s, 128), 0, SYNTH_SHIM);
	frame = synth_call(s, code);
	not_started(s, frame, code);
	save_stack(s, frame, ~0u);
	if (s->l.flags & PY_IS_ENTRY)
		*(uint8_t *)synth_at(s, frame + s->l.fr_entry, 1) = 1;
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 2);
	if (!(s->l.flags & PY_IS_ENTRY))
		return;
	*(uint8_t *)synth_at(s, frame + s->l.fr_entry, 1) = 0;
	save_stack(s, frame, 0);
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
}

TEST(new_frame_called_by_a_compiled_function)
{
	ONLY(0x030b, case_called_by_compiled);
	ONLY(0x030c, case_called_by_compiled);
}

static void case_generator_between(struct synth *s)
{
	synth_call(s, synth_code(s, "main"));
	synth_resume(s, synth_code(s, "generate"));
	synth_call(s, synth_code(s, "f"));
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
	synth_resume(s, synth_code(s, "generate"));
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 4);
}

TEST(generator_between_functions)
{
	FROM(0x030b, case_generator_between);
}

static void case_entering(struct synth *s)
{
	s->info.entry = 0x400000;
	s->info.at_entry = (struct proc_entry){ .len = 0x60, .runs = 0x60 };
	call_three(s);
	s->thread.pc = 0x400000;
	CHECK_END(s, WALK_ENTERING);
	CHECK_EQ(synth_walk(s)->count, 0);
	s->thread.pc = 0x40005f;
	CHECK_END(s, WALK_ENTERING);
	s->thread.pc = 0x400060;
	CHECK_END(s, WALK_COMPLETE);
	s->thread.pc = 0x3fffff;
	CHECK_END(s, WALK_COMPLETE);
	s->info.at_entry.len = s->info.at_entry.runs = 0;
	s->thread.pc = 0x400000;
	CHECK_END(s, WALK_COMPLETE);
}

static void case_never_entering(struct synth *s)
{
	s->info.entry = s->thread.pc = 0x400000;
	s->info.at_entry = (struct proc_entry){ .len = 0x60, .runs = 0x60 };
	call_three(s);
	CHECK_END(s, WALK_COMPLETE);
}

/* A new _PyCFrame that is not filled in yet; the data stack ends at @top. */
static void enter(struct synth *s, uint64_t *regs, uint64_t top)
{
	s->info.entry = s->thread.pc = 0x400000;
	s->info.at_entry = (struct proc_entry){ .len = 0x60, .runs = 0x80, .previous_reg = 3 };
	regs[2] = synth_get(s, s->state + s->l.ts_frame);
	synth_put(s, s->state + s->l.ts_frame, synth_alloc(s, 256));
	synth_put(s, s->state + s->l.ts_chunk + 8, top);
}

static void check_caller(struct synth *s, const struct three *t)
{
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
	CHECK_FRAME(s, 0, t->code[0]);
}

static void check_unknown(struct synth *s)
{
	CHECK_END(s, WALK_ENTERING);
	CHECK_EQ(synth_walk(s)->count, 0);
}

static void case_caller(struct synth *s)
{
	uint64_t regs[WALK_REGS] = {}, end, code = synth_code(s, "f");
	struct three t = call_three(s);

	end = s->stack;
	enter(s, regs, end);
	check_unknown(s);
	s->thread.regs = regs;
	check_caller(s, &t);
	s->info.at_entry.caller_reg = 8;
	s->info.at_entry.caller_from = 0x10;
	regs[7] = t.frame[0];
	check_caller(s, &t);
	s->thread.pc += 0x10;
	check_caller(s, &t);
	regs[7] = t.frame[1]; /* not the innermost frame */
	check_unknown(s);
	regs[7] = 0;
	check_unknown(s);
	s->thread.pc = s->info.entry;
	synth_put(s, s->state + s->l.ts_chunk + 8, end + 8);
	check_unknown(s);
	synth_fill(s, end, code, SYNTH_THREAD);
	not_started(s, end, code);
	synth_put(s, s->state + s->l.ts_chunk + 8, end + s->l.fr_locals + 8 * SYNTH_WORDS);
	check_caller(s, &t);
	synth_put(s, t.frame[1] + s->l.fr_back, 0);
	check_unknown(s);
}

static void case_caller_of_shim(struct synth *s)
{
	uint64_t regs[WALK_REGS] = {}, shim;
	struct three t = call_three(s);

	enter(s, regs, s->stack);
	shim = synth_get(s, s->state + s->l.ts_frame) + 0x70;
	s->info.at_entry.shim = 0x70;
	s->info.at_entry.shim_from = 0x20;
	synth_put(s, shim + s->l.fr_back, t.frame[0]);
	s->thread.pc += 0x1f;
	check_unknown(s);
	s->thread.pc++;
	check_caller(s, &t);
}

TEST(caller_of_a_new_frame)
{
	each(case_caller, 0x030b, 0x030c);
	ONLY(0x030c, case_caller_of_shim);
}

TEST(entering_the_interpreter)
{
	each(case_entering, 0x030b, 0x030c);
	UP_TO(0x030a, case_never_entering);
	FROM(0x030d, case_never_entering);
}

/*
 * A generator that was resumed, but is not linked yet or any more. A register has the frame that
 * resumes it.
 */
struct resumed {
	uint64_t regs[WALK_REGS];
	uint64_t shim, main, f, generator;
};

static struct resumed resume_unlinked(struct synth *s, bool through_another)
{
	struct resumed r = {};

	r.main = synth_call(s, synth_code(s, "main"));
	r.shim = synth_get(s, r.main + s->l.fr_back);
	r.f = r.regs[4] = synth_call(s, synth_code(s, "f"));
	if (through_another)
		r.regs[4] = synth_resume(s, synth_code(s, "outer"));
	r.generator = synth_resume(s, synth_code(s, "generate"));
	synth_put(s, r.generator + s->l.fr_back, 0);
	save_stack(s, r.regs[4], ~0u);
	synth_put(s, s->state + s->l.ts_chunk + 8, s->stack);
	s->info.entry = 0x400000;
	s->info.at_entry = (struct proc_entry){ .len = 0x60, .runs = 0x80, .code = 0x1000 };
	s->info.at_entry.frame_reg = 5;
	s->info.at_entry.shim = r.shim - synth_get(s, s->state + s->l.ts_frame);
	s->thread.pc = 0x400080;
	return r;
}

static void check_not_linked(struct synth *s)
{
	CHECK_END(s, WALK_INCOMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
	CHECK_EQ(synth_walk(s)->fault, 0);
}

static void check_linked(struct synth *s, unsigned int frames)
{
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, frames);
}

static void case_resumed(struct synth *s)
{
	struct resumed r = resume_unlinked(s, false);

	check_not_linked(s); /* no registers */
	s->thread.regs = r.regs;
	check_linked(s, 3);
	s->thread.pc = 0x400fff;
	check_linked(s, 3);
	s->thread.pc = 0x401000; /* in code that the interpreter calls */
	check_not_linked(s);
	s->thread.pc = 0x400080;
	s->info.at_entry.shim += 16; /* the shim is in another call of the interpreter */
	check_not_linked(s);
	s->info.at_entry.shim -= 16;
	save_stack(s, r.f, 1); /* f waits for the object on top of its stack */
	check_not_linked(s);
	synth_put(s, r.f + s->l.fr_locals, r.generator - 64 - s->l.ob_type);
	check_linked(s, 3);
	synth_put(s, s->state + s->l.ts_chunk + 8, s->stack + 8); /* there is a later frame */
	check_not_linked(s);
	synth_put(s, s->state + s->l.ts_chunk + 8, s->stack);
	synth_put(s, r.main + s->l.fr_back, 0);
	check_not_linked(s);
}

static void case_not_the_resumer(struct synth *s)
{
	struct resumed r = resume_unlinked(s, false);
	const uint64_t others[] = { 0, 1, 8, r.shim, r.main, r.generator, s->stack, ~0ULL };

	save_stack(s, r.main, ~0u);
	save_stack(s, r.generator, ~0u);
	s->thread.regs = r.regs;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		r.regs[4] = others[i];
		check_not_linked(s);
	}
}

static void case_resumed_by_generator(struct synth *s)
{
	struct resumed r = resume_unlinked(s, true);
	uint64_t outer = r.regs[4];

	s->thread.regs = r.regs;
	synth_put(s, r.f + s->l.fr_locals, outer - 64 - s->l.ob_type);
	save_stack(s, r.f, 1);
	check_linked(s, 4);
	r.regs[4] = r.f; /* waits for the other generator */
	check_not_linked(s);
	r.regs[4] = outer;
	synth_put(s, s->state + s->l.ts_chunk + 8, s->stack + 8);
	check_not_linked(s);
}

/* The data stack comes after the shim. */
static void case_resumed_from_c(struct synth *s)
{
	struct resumed r = resume_unlinked(s, true);
	uint64_t shim = synth_alloc(s, 128);

	s->thread.regs = r.regs;
	s->top = r.f;
	synth_fill(s, shim, 0, SYNTH_SHIM);
	synth_put(s, r.regs[4] + s->l.fr_back, shim);
	s->info.at_entry.shim = shim - synth_get(s, s->state + s->l.ts_frame);
	check_linked(s, 4);
	synth_put(s, s->state + s->l.ts_chunk + 8, s->stack + 8);
	check_not_linked(s);
}

/* A linked generator costs no additional reads. */
static void case_linked_costs_nothing(struct synth *s)
{
	struct resumed r = resume_unlinked(s, false);
	unsigned long reads;

	synth_put(s, r.generator + s->l.fr_back, r.f);
	check_linked(s, 3);
	reads = s->reads;
	s->thread.regs = r.regs;
	check_linked(s, 3);
	CHECK_EQ(s->reads, reads);
}

TEST(resumed_generator_that_is_not_linked)
{
	ONLY(0x030c, case_resumed);
	ONLY(0x030c, case_not_the_resumer);
	ONLY(0x030c, case_resumed_by_generator);
	ONLY(0x030c, case_resumed_from_c);
	ONLY(0x030c, case_linked_costs_nothing);
}

/* --- finding the thread's state --------------------------------------------------------------- */

static void case_gil(struct synth *s)
{
	uint64_t other = synth_state(s, s->interp, 0x1234000);

	call_three(s);
	synth_hold_gil(s, other);
	CHECK_END(s, WALK_COMPLETE);
	synth_hold_gil(s, s->state);
	CHECK_END(s, WALK_COMPLETE);
	synth_put(s, synth_slot(s, 0), 0); /* the GIL holder is found without it */
	CHECK_END(s, s->info.current ? WALK_COMPLETE : WALK_NO_STATE);
}

TEST(with_and_without_the_gil)
{
	EACH(case_gil);
}

static void case_key(struct synth *s)
{
	uint64_t block = synth_alloc(s, 32 * 16);

	call_three(s);
	synth_put32(s, s->info.key, 5);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, synth_slot(s, 5), s->state);
	CHECK_END(s, WALK_COMPLETE);
	synth_put32(s, s->info.key, 90); /* in the third block */
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->thread.thread_pointer + s->info.tss_second + 8 * 2, block);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, block + 16 * 26 + 8, s->state);
	CHECK_END(s, WALK_COMPLETE);
	punch(s, block, 512);
	CHECK_END(s, WALK_NO_STATE);
}

TEST(keys_of_thread_specific_data)
{
	EACH(case_key);
}

/* The slot's number is known from an earlier sample, and may be right or wrong. */
static void case_slot_known(struct synth *s)
{
	unsigned long reads;

	if (s->info.current)
		return; /* the current state is read first, and the number with it */
	call_three(s);
	CHECK_END(s, WALK_COMPLETE);
	reads = s->reads;
	s->info.slot = 0 + 1;
	s->reads = 0;
	CHECK_END(s, WALK_COMPLETE);
	CHECK(s->reads <= reads);
	s->info.slot = 3 + 1; /* an empty slot */
	CHECK_END(s, WALK_COMPLETE);
	synth_put(s, synth_slot(s, 3), synth_state(s, s->interp, 0x1234000));
	CHECK_END(s, WALK_COMPLETE);            /* another thread's state */
	synth_put(s, synth_slot(s, 3), 0x7000); /* another library's data, not an address of ours */
	CHECK_END(s, WALK_COMPLETE);
	synth_put(s, synth_slot(s, 0), 0);
	CHECK_END(s, WALK_NO_STATE);
	s->info.slot = 0 + 1;
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, synth_slot(s, 0), s->state);
	punch(s, s->info.key - 4, 8);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(slot_known_from_earlier)
{
	EACH(case_slot_known);
}

/* What cannot be read is not absent. */
static void case_thread_not_resident(struct synth *s)
{
	call_three(s);
	punch(s, s->thread.thread_pointer, 4096);
	CHECK(synth_walk(s)->end != WALK_NO_STATE);
	if (!s->info.current)
		CHECK_END(s, WALK_UNREADABLE);
}

TEST(thread_not_resident)
{
	EACH(case_thread_not_resident);
}

static void case_key_not_made(struct synth *s)
{
	uint64_t block = synth_alloc(s, 32 * 16);

	call_three(s);
	synth_put32(s, s->info.key - 4, 0);
	CHECK_END(s, s->l.flags & PY_KEY_FLAG ? WALK_NO_STATE : WALK_COMPLETE);
	synth_put32(s, s->info.key - 4, 1);
	synth_put32(s, s->info.key, (uint32_t)-1);
	CHECK_END(s, WALK_NO_STATE);
	synth_put32(s, s->info.key, 1024); /* one more than the limit */
	synth_put(s, s->thread.thread_pointer + s->info.tss_second + 8 * 32, block);
	synth_put(s, block + 8, s->state);
	CHECK_END(s, WALK_NO_STATE);
	punch(s, s->info.key, 4);
	CHECK(synth_walk(s)->end != WALK_COMPLETE);
}

TEST(key_not_created)
{
	EACH(case_key_not_made);
}

static void case_musl(struct synth *s)
{
	uint64_t slots = synth_alloc(s, 1024);

	call_three(s);
	s->info.tss = TSS_MUSL;
	s->info.tss_first = 0x80;
	synth_put32(s, s->info.key, 3);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->thread.thread_pointer + 0x80, slots);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, slots + 8 * 3, s->state);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(musl)
{
	EACH(case_musl);
}

/* @base: from struct pthread to the thread pointer; @dtv: from there to the pointer to the DTV. */
static void variable_of_module(struct synth *s, uint32_t base, int dtv)
{
	uint64_t modules = synth_alloc(s, 64), block = synth_alloc(s, 64);

	call_three(s);
	synth_hold_gil(s, 0);
	s->thread.thread_pointer += base;
	s->info.tss = TSS_DYNAMIC_TLS;
	s->info.tss_base = base;
	s->info.tss_first = 2 * 16;
	s->info.tss_second = base + dtv;
	s->info.tls = 24;
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->thread.thread_pointer + dtv, modules);
	synth_put(s, modules + 2 * 16, (uint64_t)-1); /* not allocated yet */
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, modules + 2 * 16, block);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, block + 24, s->state);
	CHECK_END(s, WALK_COMPLETE);
	s->info.tss = TSS_STATIC_TLS;
	s->info.tls = 40;
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->thread.thread_pointer + 40, s->state);
	CHECK_END(s, WALK_COMPLETE);
}

static void case_variable_x86(struct synth *s)
{
	variable_of_module(s, 0, 8);
}

/* glibc; the next case is musl. */
static void case_variable_a64(struct synth *s)
{
	variable_of_module(s, 1856, 0);
}

static void case_variable_a64_musl(struct synth *s)
{
	variable_of_module(s, 200, -8);
}

TEST(variables_of_the_thread)
{
	EACH(case_variable_x86);
	EACH(case_variable_a64);
	EACH(case_variable_a64_musl);
}

static void case_not_mine(struct synth *s)
{
	call_three(s);
	synth_put(s, s->state + s->l.ts_thread_id, 0x1234000);
	CHECK_END(s, WALK_NO_STATE);
	if (!s->l.ts_native_id)
		return;
	synth_put(s, s->state + s->l.ts_native_id, s->thread.ns_tid);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(state_of_another_thread_in_the_slot)
{
	EACH(case_not_mine);
}

/* On aarch64, from exec to the first context switch: the thread pointer of the previous program. */
static void case_old_thread_pointer(struct synth *s)
{
	uint64_t other;

	call_three(s);
	if (s->l.ts_native_id)
		synth_put(s, s->state + s->l.ts_native_id, s->thread.ns_tid);
	s->thread.thread_pointer = synth_alloc(s, 4096); /* something else is there now */
	CHECK_END(s, WALK_NO_STATE);
	s->thread.alone = true;
	CHECK_END(s, WALK_COMPLETE);
	if (s->l.ts_native_id) { /* another id: a C thread called libc's fork() and goes on */
		synth_put(s, s->state + s->l.ts_native_id, 4321);
		CHECK_END(s, WALK_NO_STATE);
		synth_put(s, s->state + s->l.ts_native_id, s->thread.ns_tid);
	}
	other = synth_state(s, s->interp, 0x1234000); /* two candidates */
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->interp + s->l.in_threads, s->state);
	CHECK_END(s, WALK_COMPLETE);
	synth_put(s, s->interp + s->l.in_next, s->interp);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->interp + s->l.in_next, 0);
	synth_put(s, s->info.interps, 0);
	CHECK_END(s, WALK_NO_STATE);
	CHECK(other != s->state);
}

TEST(thread_pointer_of_the_previous_program)
{
	EACH(case_old_thread_pointer);
}

static void case_wrong_native_id(struct synth *s)
{
	call_three(s);
	synth_put(s, s->state + s->l.ts_native_id, 4321);
	CHECK_END(s, WALK_COMPLETE);
}

TEST(native_id_of_the_parent_after_fork)
{
	FROM(0x030b, case_wrong_native_id);
}

static void case_tss_base(struct synth *s)
{
	call_three(s);
	s->info.tss_base = 1856;
	CHECK_END(s, WALK_NO_STATE);
	s->thread.thread_pointer += 1856;
	CHECK_END(s, WALK_COMPLETE);
}

TEST(thread_pointer_after_struct_pthread)
{
	EACH(case_tss_base);
}

/* --- several states of one thread ------------------------------------------------------------- */

static void case_subinterpreters(struct synth *s)
{
	struct three t = call_three(s);
	uint64_t sub = synth_interp(s), state = synth_state(s, sub, s->thread.thread_pointer);

	CHECK_END(s, WALK_COMPLETE); /* the new state runs nothing */
	CHECK_EQ(synth_walk(s)->count, 3);
	synth_top(s, state, t.frame[1]);
	CHECK_END(s, WALK_AMBIGUOUS);
	CHECK_EQ(synth_walk(s)->count, 0);
	synth_hold_gil(s, s->state);
	CHECK_EQ(synth_walk(s)->count, 3);
	synth_hold_gil(s, state);
	CHECK_EQ(synth_walk(s)->count, 2);
	synth_hold_gil(s, 0);
	synth_top(s, s->state, 0);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 2);
	synth_top(s, state, 0);
	CHECK(synth_walk(s)->end == WALK_NO_FRAME || synth_walk(s)->end == WALK_NO_STATE);
}

TEST(subinterpreters)
{
	UP_TO(0x030b, case_subinterpreters);
}

/* From 3.12 on the slot has the state of the interpreter that is running. */
static void case_slot_follows(struct synth *s)
{
	struct three t = call_three(s);
	uint64_t sub = synth_interp(s), state = synth_state(s, sub, s->thread.thread_pointer);

	synth_top(s, state, t.frame[1]);
	synth_put(s, s->info.interps, s->interp); /* as if it were the only one */
	CHECK_EQ(synth_walk(s)->count, 3);
	synth_put(s, synth_slot(s, 0), state);
	CHECK_EQ(synth_walk(s)->count, 2);
}

TEST(slot_follows_the_interpreter)
{
	FROM(0x030c, case_slot_follows);
}

/*
 * A thread that runs in DEPTH interpreters, in each of them a function and its callee. Level 0 is
 * the innermost. Entry frames are in the order of the levels, above all states.
 */
enum { DEPTH = 3, LEVEL = 2, FAR = 0x8000, GAP = 0x100 };

struct nested {
	uint64_t state[DEPTH], seat[DEPTH];
	uint64_t code[DEPTH][LEVEL]; /* the callee first */
};

/* Gives s->state an entry frame at @seat and functions above it. */
static void sit(struct synth *s, uint64_t seat, const uint64_t code[LEVEL])
{
	synth_push(s, seat, 0, SYNTH_SHIM);
	for (int i = LEVEL - 1; i >= 0; i--)
		synth_call(s, code[i]);
}

static struct nested nest(struct synth *s)
{
	struct nested n;
	uint64_t main = s->state, seats;

	n.state[DEPTH - 1] = main;
	for (int i = DEPTH - 2; i >= 0; i--)
		n.state[i] = synth_state(s, synth_interp(s), s->thread.thread_pointer);
	for (int i = 0; i < DEPTH * LEVEL; i++)
		n.code[i / LEVEL][i % LEVEL] = synth_code(s, "f");
	s->heap += FAR;
	seats = synth_alloc(s, (DEPTH + 2) * GAP);
	for (int i = 0; i < DEPTH; i++) {
		n.seat[i] = seats + (i + 1) * GAP;
		s->state = n.state[i];
		s->top = 0;
		sit(s, n.seat[i], n.code[i]);
	}
	s->state = main;
	synth_put(s, synth_slot(s, 0), n.state[0]);
	return n;
}

/* The stack must be the frames of the first @levels levels, and nothing else. */
static void check_nested(struct synth *s, const struct nested *n, int levels, enum walk_end end)
{
	const struct wire_stack *stack = synth_walk(s);

	CHECK_EQ(stack->end, end);
	if (!CHECK_EQ(stack->count, levels * LEVEL))
		return;
	for (int i = 0; i < levels * LEVEL; i++)
		CHECK_FRAME(s, i, n->code[i / LEVEL][i % LEVEL]);
}

static void case_nested(struct synth *s)
{
	struct nested n = nest(s);
	uint64_t id = synth_walk(s)->id;

	check_nested(s, &n, DEPTH, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->id, id);
	synth_put(s, synth_slot(s, 0), n.state[1]);
	CHECK_EQ(synth_walk(s)->count, 2 * LEVEL); /* level 0 is not a caller */
	CHECK_EQ(synth_walk(s)->end, WALK_COMPLETE);
}

TEST(callers_in_other_interpreters)
{
	FROM(0x030c, case_nested);
}

/*
 * States of other threads, a state of this thread that another one uses, and states that run
 * nothing.
 */
static void case_no_caller(struct synth *s)
{
	struct nested n = nest(s);

	synth_put(s, n.state[1] + s->l.ts_thread_id, 0x1234000);
	CHECK_EQ(synth_walk(s)->count, 2 * LEVEL);
	CHECK_FRAME(s, LEVEL, n.code[2][0]);
	synth_put(s, n.state[1] + s->l.ts_thread_id, s->thread.thread_pointer);
	synth_top(s, n.state[1], 0);
	CHECK_EQ(synth_walk(s)->count, 2 * LEVEL);
	synth_top(s, n.state[2], 0);
	check_nested(s, &n, 1, WALK_COMPLETE);
}

TEST(other_states_are_no_callers)
{
	FROM(0x030c, case_no_caller);
}

/* A thread's stack ends below its thread pointer: entry frames above belong to another thread. */
static void case_end_of_stack(struct synth *s)
{
	struct nested n = nest(s);
	uint64_t slot = synth_slot(s, 0);

	s->thread.thread_pointer = n.seat[1] + GAP / 2;
	for (int i = 0; i < DEPTH; i++)
		synth_put(s, n.state[i] + s->l.ts_thread_id, s->thread.thread_pointer);
	s->info.tss = TSS_STATIC_TLS;
	s->info.tls = (int64_t)(slot - s->thread.thread_pointer);
	check_nested(s, &n, 2, WALK_COMPLETE);
}

TEST(end_of_the_stack)
{
	FROM(0x030c, case_end_of_stack);
}

/* main called sub, which called main: the entry frames of both states alternate. */
static void case_turns(struct synth *s)
{
	struct nested n = nest(s);
	uint64_t inner = n.seat[0] - GAP / 2;

	s->state = n.state[2];
	s->top = synth_get(s, s->l.flags & PY_CFRAME
				      ? synth_get(s, s->state + s->l.ts_frame) + s->l.cf_frame
				      : s->state + s->l.ts_frame);
	sit(s, inner, n.code[0]);
	s->state = n.state[0];
	synth_put(s, synth_slot(s, 0), n.state[2]);
	CHECK_END(s, WALK_OTHER);
	CHECK_EQ(synth_walk(s)->count, 2 * LEVEL);
}

TEST(interpreters_that_take_turns)
{
	FROM(0x030c, case_turns);
}

/* If a state cannot be read, or the list has no end, the callers are in doubt. */
static void case_broken_join(struct synth *s)
{
	struct nested n = nest(s);

	synth_put(s, n.state[1] + s->l.ts_next, n.state[1]);
	check_nested(s, &n, 1, WALK_OTHER);
	CHECK(s->reads < READS_MAX);
	synth_put(s, n.state[1] + s->l.ts_next, 4096);
	check_nested(s, &n, 1, WALK_OTHER);
	synth_put(s, n.state[1] + s->l.ts_next, 0);
	synth_top(s, n.state[1], 12);
	check_nested(s, &n, 1, WALK_OTHER);
	synth_top(s, n.state[1], 4096);
	check_nested(s, &n, 1, WALK_OTHER);
}

TEST(callers_that_cannot_be_found)
{
	FROM(0x030c, case_broken_join);
}

/* --- states that change threads --------------------------------------------------------------- */

/* The size of a C stack, and places in it relative to the stack pointer. */
enum { C_STACK = 0x8000, NEAR = 0x40, SEAT = 0x800 };

/* Makes a C stack and returns a stack pointer in it; @here: it is the thread's own stack. */
static uint64_t c_stack(struct synth *s, bool here)
{
	uint64_t sp;

	s->heap += FAR;
	sp = synth_alloc(s, C_STACK) + C_STACK / 4;
	s->heap += PYWALK_REACH; /* seats within PYWALK_REACH count as this stack's own */
	if (here) {
		s->thread.sp = sp;
		s->thread.stack_top = sp + C_STACK / 2;
	}
	return sp;
}

/* Lets @state run three functions; its innermost interpreter loop is in the C frame at @at. */
static struct three run_at(struct synth *s, uint64_t state, uint64_t at)
{
	const struct py_layout *l = &s->l;
	struct three t;

	s->state = state;
	s->top = 0;
	if (l->flags & PY_CFRAME)
		synth_put(s, state + l->ts_frame, at);
	else if (l->ts_cframe)
		synth_put(s, state + l->ts_cframe, at);
	if (l->flags & PY_SHIM)
		synth_push(s, at + 64, 0, SYNTH_SHIM);
	t = call_three(s);
	if (!l->ts_cframe && !(l->flags & PY_SHIM))
		synth_put(s, at, s->top); /* the C frame contains a pointer to its frame */
	return t;
}

static void check_three(struct synth *s, const struct three *t)
{
	const struct wire_stack *stack = synth_walk(s);

	CHECK_EQ(stack->end, WALK_COMPLETE);
	if (!CHECK_EQ(stack->count, 3))
		return;
	for (int i = 0; i < 3; i++)
		CHECK_FRAME(s, i, t->code[i]);
}

static void case_own(struct synth *s)
{
	struct three t = run_at(s, s->state, c_stack(s, true) + SEAT);

	check_three(s, &t);
	synth_hold_gil(s, s->state);
	check_three(s, &t);
	s->thread.stack_top = 0; /* an unknown stack refutes nothing */
	check_three(s, &t);
}

TEST(own_state)
{
	EACH(case_own);
}

static void case_lent(struct synth *s)
{
	uint64_t mine = s->state;

	c_stack(s, true);
	run_at(s, mine, c_stack(s, false) + SEAT);
	CHECK_EQ(synth_walk(s)->count, 0);
	CHECK_END(s, WALK_NO_STATE);
	synth_hold_gil(s, mine);
	CHECK_END(s, WALK_NO_STATE);
	s->thread.stack_top = 0;
	CHECK_END(s, WALK_COMPLETE);
}

TEST(own_state_that_another_thread_uses)
{
	EACH(case_lent);
}

/*
 * A state that another thread has made. Its address is near the stack pointer, where
 * Py_BEGIN_ALLOW_THREADS leaves it.
 */
static uint64_t lend(struct synth *s, uint64_t sp)
{
	uint64_t state = synth_state(s, s->interp, 0x1234000);

	synth_put(s, state + 8, synth_get(s, state + s->l.ts_next));
	synth_put(s, synth_get(s, state + s->l.ts_next), state); /* the next state's link back */
	synth_put(s, sp + NEAR, state);
	return state;
}

static void case_borrowed(struct synth *s)
{
	uint64_t sp = c_stack(s, true), state = lend(s, sp);
	struct three t = run_at(s, state, sp + SEAT);

	synth_put(s, synth_slot(s, 0), 0);
	check_three(s, &t);
	synth_put(s, sp + NEAR, 0); /* the seat alone proves nothing */
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, sp + 2 * PYWALK_NEAR, state); /* too far away */
	CHECK_END(s, WALK_NO_STATE);
}

TEST(state_of_another_thread_that_this_one_uses)
{
	EACH(case_borrowed);
}

/* The address of a state is on the stack, but another thread uses that state. */
static void case_left_behind(struct synth *s)
{
	uint64_t sp = c_stack(s, true), state = lend(s, sp);

	run_at(s, state, c_stack(s, false) + SEAT);
	synth_put(s, synth_slot(s, 0), 0);
	CHECK_EQ(synth_walk(s)->count, 0);
	CHECK_END(s, WALK_NO_STATE);
}

TEST(address_of_a_state_that_another_thread_uses)
{
	EACH(case_left_behind);
}

/* The state was deleted: no list contains it, although its memory is unchanged. */
static void case_deleted(struct synth *s)
{
	uint64_t sp = c_stack(s, true), state = lend(s, sp);

	run_at(s, state, sp + SEAT);
	synth_put(s, synth_slot(s, 0), 0);
	synth_put(s, s->interp + s->l.in_threads, synth_get(s, state + s->l.ts_next));
	CHECK_EQ(synth_walk(s)->count, 0);
	CHECK_END(s, WALK_NO_STATE);
}

TEST(state_that_was_deleted)
{
	EACH(case_deleted);
}

static void case_scan(struct synth *s)
{
	call_three(s);
	for (int i = 0; i < 20; i++)
		synth_state(s, s->interp, 0x1234000 + i * 4096);
	s->info.key = 0;
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 3);
	synth_put(s, s->state + s->l.ts_thread_id, 1);
	CHECK_END(s, WALK_NO_STATE);
	synth_put(s, s->info.interps, 0);
	CHECK_END(s, WALK_NO_STATE);
	s->info.interps = 0;
	CHECK_END(s, WALK_NO_STATE);
}

TEST(scan_without_a_slot)
{
	EACH(case_scan);
}

static void case_cyclic_states(struct synth *s)
{
	call_three(s);
	s->info.key = 0;
	synth_put(s, s->state + s->l.ts_next, s->state);
	CHECK_END(s, WALK_AMBIGUOUS);
	CHECK(s->reads < READS_MAX);
	synth_put(s, s->state + s->l.ts_next, 0);
	synth_put(s, s->interp + s->l.in_next, s->interp);
	CHECK_END(s, WALK_AMBIGUOUS);
	CHECK(s->reads < READS_MAX);
	synth_put(s, s->interp + s->l.in_next, 0x10);
	CHECK_END(s, WALK_AMBIGUOUS);
	synth_put(s, s->interp + s->l.in_next, 0);
	CHECK_END(s, WALK_COMPLETE);
	synth_put(s, s->state + s->l.ts_next, 0x10);
	CHECK_END(s, WALK_AMBIGUOUS);
}

TEST(cyclic_lists_of_states)
{
	EACH(case_cyclic_states);
}

/* --- ids of code objects ---------------------------------------------------------------------- */

static uint64_t id_of(struct synth *s, uint64_t code)
{
	uint64_t id = 0;

	CHECK_EQ(walk_code_id(s->walk, &s->l, s->info.code_type, &s->thread.proc, code, &id), 0);
	return id;
}

/* Another code object at the address of one that was freed. */
static void case_reused(struct synth *s)
{
	uint64_t one = synth_code(s, "one"), two = synth_code(s, "two"), id = id_of(s, one);
	uint64_t other = synth_str(s, "/synth/other.py");

	CHECK(id_of(s, two) != id);
	memcpy(synth_at(s, one, 256), synth_at(s, two, 256), 256);
	CHECK(id_of(s, one) != id);
	CHECK(id_of(s, one) != id_of(s, two));
	id = id_of(s, one);
	CHECK_EQ(id_of(s, one), id);
	synth_put(s, one + s->l.co_file, other);
	CHECK(id_of(s, one) != id);
	id = id_of(s, one);
	synth_put32(s, one + s->l.co_firstline, SYNTH_LINE + 1);
	CHECK(id_of(s, one) != id);
}

TEST(address_reused)
{
	EACH(case_reused);
}

/* All words are equal, but a string at the same address has other text. */
static void case_strings_reused(struct synth *s)
{
	static const char *const texts[] = { "mod_00",
					     "mod_01",
					     "mod_1",
					     "",
					     "a_name_of_more_than_eight_bytes_0",
					     "a_name_of_more_than_eight_bytes_1" };
	uint64_t code = synth_code(s, "name"), ids[2 * COUNT(texts)];
	uint64_t str[2] = { synth_get(s,
				      code + (s->l.co_qualname ? s->l.co_qualname : s->l.co_name)),
			    synth_get(s, code + s->l.co_file) };
	size_t n = 0;

	for (int which = 0; which < 2; which++)
		for (size_t i = 0; i < COUNT(texts); i++) {
			synth_put_str(s, str[which], texts[i], ~0ULL); /* hash not computed */
			ids[n++] = id_of(s, code);
			CHECK_EQ(id_of(s, code), ids[n - 1]);
		}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			CHECK(ids[i] != ids[j]);
}

TEST(strings_reused_without_hash)
{
	UP_TO(0x030b, case_strings_reused);
}

static void case_hashes_reused(struct synth *s)
{
	uint64_t code = synth_code(s, "name"), id;
	uint64_t str = synth_get(s, code + (s->l.co_qualname ? s->l.co_qualname : s->l.co_name));

	synth_put_str(s, str, "abcd", 111);
	id = id_of(s, code);
	synth_put_str(s, str, "abce", 222);
	CHECK(id_of(s, code) != id);
	synth_put_str(s, str, "abcd", 111);
	CHECK_EQ(id_of(s, code), id);
	str = synth_get(s, code + s->l.co_file);
	synth_put_str(s, str, "/x", 333);
	id = id_of(s, code);
	synth_put_str(s, str, "/y", 334);
	CHECK(id_of(s, code) != id);
}

TEST(strings_reused_with_hash)
{
	UP_TO(0x030b, case_hashes_reused);
}

/* The same zero byte, first after the name and then as a part of it. */
static void case_zero_in_name(struct synth *s)
{
	uint64_t code = synth_code(s, "name"), id;
	uint64_t str = synth_get(s, code + (s->l.co_qualname ? s->l.co_qualname : s->l.co_name));

	synth_put_str(s, str, "abc", ~0ULL);
	synth_put32(s, str + s->l.us_ascii + 3, 0);
	id = id_of(s, code);
	synth_put(s, str + s->l.us_length, 4);
	CHECK(id_of(s, code) != id);
}

TEST(zero_in_a_name)
{
	UP_TO(0x030b, case_zero_in_name);
}

/* A function's id depends on its own file, not on its callee's. */
static void case_two_files(struct synth *s)
{
	uint64_t file = synth_str(s, "/synth/caller.py"), id;

	synth_call(s, synth_code_in(s, "caller", file));
	synth_call(s, synth_code(s, "callee"));
	synth_walk(s);
	id = s->at[1].code;
	synth_put_str(s, file, "/synth/Caller.py", 4711);
	CHECK_EQ(synth_walk(s)->count, 2);
	CHECK(s->at[1].code != id);
}

TEST(files_of_callers)
{
	UP_TO(0x030b, case_two_files);
}

/* Bytes after a short string belong to other objects and may change. */
static void case_bytes_behind(struct synth *s)
{
	uint64_t code = synth_code(s, "name"), id;
	uint64_t str = synth_get(s, code + (s->l.co_qualname ? s->l.co_qualname : s->l.co_name));

	synth_put_str(s, str, "abc", ~0ULL);
	id = id_of(s, code);
	synth_put32(s, str + s->l.us_ascii + 3, 0x41414141);
	CHECK_EQ(id_of(s, code), id);
	synth_put_str(s, str, "abcdefgh", ~0ULL);
	id = id_of(s, code);
	synth_put32(s, str + s->l.us_ascii + 8, 0x42424242);
	CHECK_EQ(id_of(s, code), id);
}

TEST(bytes_after_a_string_do_not_count)
{
	UP_TO(0x030b, case_bytes_behind);
}

static void case_kinds(struct synth *s)
{
	static const uint64_t lengths[] = { 0, 1, 1ULL << 31, 1ULL << 32, 1ULL << 62, ~0ULL };
	uint64_t code = synth_code(s, "name");
	uint64_t str = synth_get(s, code + (s->l.co_qualname ? s->l.co_qualname : s->l.co_name));

	synth_put(s, str + s->l.us_hash, ~0ULL);
	for (uint32_t state = 0; state < 256; state++)
		for (size_t i = 0; i < COUNT(lengths); i++) {
			synth_put(s, str + s->l.us_length, lengths[i]);
			synth_put32(s, str + s->l.us_state, state);
			id_of(s, code);
		}
	synth_call(s, code);
	CHECK_END(s, WALK_COMPLETE);
	CHECK_EQ(synth_walk(s)->count, 1);
}

TEST(absurd_strings)
{
	EACH(case_kinds);
}
