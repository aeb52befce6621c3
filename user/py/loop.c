/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of one function jump to each other:
 *
 *	_PyEval_EvalFrameDefault   ... je ────────┐  ... ◄─┐
 *	another function                          │        │
 *	a part without a name      ... ◄──────────┘  jmp ──┘
 *
 * Instructions are not decoded: every byte that looks like a jump is followed. What it leads to is a
 * part if its unwind information begins in the middle of a function, and if it jumps back to a known
 * part, or several jumps lead to it. A byte that is no jump may lead to a part of another function,
 * but that one does not jump back, and no second one leads there.
 */
#include "py/loop.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/ehtable.h"

enum {
	MOST = 1 << 20, /* bytes of a part; up to 313,529 were seen */
	/* A smaller loop only enters functions that run one instruction each (tail calls). */
	LEAST = 8192,
	MAYBES = 16,
};

struct search {
	struct elf_file *file;
	const struct ehtable *functions;
	struct proc_code *found;
	uint16_t machine;
	struct elf_sym plt; /* its description begins like a part's */
	struct {
		uint64_t at;
		uint32_t jumps;
	} maybe[MAYBES]; /* what may be a part, and how many jumps lead there */
	uint32_t left;   /* jumps that may still be followed */
};

/* The target of the jump at code[0], which is at @address; 0: it is no jump. */
static uint64_t target_x86(const uint8_t *code, size_t len, uint64_t address)
{
	int32_t by;

	if (len >= 5 && code[0] == 0xe9) {
		memcpy(&by, code + 1, sizeof(by));
		return address + 5 + by;
	}
	if (len >= 6 && code[0] == 0x0f && (code[1] & 0xf0) == 0x80) {
		memcpy(&by, code + 2, sizeof(by));
		return address + 6 + by;
	}
	return 0;
}

/* The number in @bits bits of @word from bit @from on, with its sign, times 4. */
static int64_t distance(uint32_t word, int from, int bits)
{
	return (int64_t)((int32_t)(word << (32 - from - bits)) >> (32 - bits)) * 4;
}

static uint64_t target_a64(const uint8_t *code, size_t len, uint64_t address)
{
	uint32_t word;

	if (len < 4 || address % 4)
		return 0;
	memcpy(&word, code, sizeof(word));
	if (word >> 26 == 0x05) /* b */
		return address + distance(word, 0, 26);
	if (word >> 24 == 0x54 || (word & 0x7e000000) == 0x34000000) /* b.cond, cbz, cbnz */
		return address + distance(word, 5, 19);
	return 0;
}

static uint64_t target(uint16_t machine, const uint8_t *code, size_t len, uint64_t address)
{
	return machine == EM_AARCH64 ? target_a64(code, len, address)
				     : target_x86(code, len, address);
}

static bool is_known(const struct proc_code *code, uint64_t at)
{
	for (uint32_t i = 0; i < code->parts; i++)
		if (at - code->text - code->loop[i].from < code->loop[i].len)
			return true;
	return false;
}

/* Adds a part; false: there is no room, or it is not within the code. */
static bool add_part(struct proc_code *code, uint64_t at, uint64_t len)
{
	uint64_t from = at - code->text;

	if (code->parts == WIRE_LOOP_PARTS || !len || len > MOST || from >= code->len ||
	    len > code->len - from)
		return false;
	code->loop[code->parts].from = from;
	code->loop[code->parts].len = len;
	code->parts++;
	return true;
}

static uint8_t *read_code(struct elf_file *e, uint64_t at, uint64_t len)
{
	_free_ uint8_t *code = len && len <= MOST ? malloc(len) : NULL;

	return code && !elf_read(e, at, code, len) ? take_ptr(code) : NULL;
}

/* Does the code jump to a part that is known? */
static bool jumps_back(struct search *s, const struct elf_sym *part)
{
	_free_ uint8_t *code = read_code(s->file, part->value, part->size);
	uint64_t to;

	for (uint64_t pos = 0; code && pos < part->size; pos++) {
		to = target(s->machine, code + pos, part->size - pos, part->value + pos);
		if (to && is_known(s->found, to))
			return true;
	}
	return false;
}

/* Counts one more jump to what begins at @at, and may be a part. Returns how many there are. */
static uint32_t count_jump(struct search *s, uint64_t at)
{
	for (uint32_t i = 0; i < MAYBES; i++) {
		if (s->maybe[i].at && s->maybe[i].at != at)
			continue;
		s->maybe[i].at = at;
		return ++s->maybe[i].jumps;
	}
	return 0;
}

static bool is_part(struct search *s, uint64_t to, struct elf_sym *ret)
{
	enum { SEVERAL = 3 };

	return ehtable_function(s->functions, to, ret) &&
	       ehtable_is_part(s->functions, ret->value) &&
	       (jumps_back(s, ret) || count_jump(s, ret->value) >= SEVERAL);
}

/* False: there are too many parts, or jumps to follow. */
static bool follow(struct search *s, uint64_t to)
{
	struct elf_sym part;

	if (to - s->found->text >= s->found->len || is_known(s->found, to) ||
	    to - s->plt.value < s->plt.size)
		return true;
	if (!s->left--)
		return false;
	return !is_part(s, to, &part) || add_part(s->found, part.value, part.size);
}

/* Follows the jumps of part @i. False: the loop cannot be found whole. */
static bool follow_jumps(struct search *s, uint32_t i)
{
	uint64_t at = s->found->text + s->found->loop[i].from, to;
	uint32_t len = s->found->loop[i].len;
	_free_ uint8_t *code = read_code(s->file, at, len);

	if (!code)
		return false;
	for (uint32_t pos = 0; pos < len; pos++) {
		to = target(s->machine, code + pos, len - pos, at + pos);
		if (to && !follow(s, to))
			return false;
	}
	return true;
}

static uint64_t size_of(const struct proc_code *code)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < code->parts; i++)
		sum += code->loop[i].len;
	return sum;
}

/* Without the table of functions, parts elsewhere could not be found. */
static bool find_parts(struct search *s, const struct elf_sym *loop)
{
	enum { FOLLOWED = 64 };
	struct elf_sym whole = *loop;

	if (!whole.value || !s->functions ||
	    (!whole.size && !ehtable_function(s->functions, loop->value, &whole)) ||
	    !add_part(s->found, whole.value, whole.size))
		return false;
	elf_section(s->file, ".plt", &s->plt);
	s->left = FOLLOWED;
	for (uint32_t i = 0; i < s->found->parts; i++)
		if (!follow_jumps(s, i))
			return false;
	return size_of(s->found) >= LEAST;
}

void loop_find(struct elf_file *e, const struct elf_sym *loop, struct proc_code *ret)
{
	struct search s = { .file = e, .found = ret, .machine = elf_machine(e) };
	_cleanup_(ehtable_closep) struct ehtable *functions = NULL;
	struct elf_sym code;

	*ret = (struct proc_code){};
	if (!elf_code(e, &code) || code.size > UINT32_MAX)
		return;
	ret->text = code.value;
	ret->len = code.size;
	s.functions = functions = ehtable_open(e);
	if (find_parts(&s, loop))
		return;
	ret->parts = 0;
	memset(ret->loop, 0, sizeof(ret->loop));
}
