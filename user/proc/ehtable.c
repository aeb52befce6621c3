/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	.eh_frame_hdr  version, three encodings       4 bytes
 *	               address of .eh_frame           4, relative to itself
 *	               number of rows                 4
 *	   row 0       function, its description      4 + 4, relative to .eh_frame_hdr
 *	   row 1       ...
 *
 * That is the form that every linker writes; no other is read. The file is hostile: rows that are
 * not in order give a wrong function or none, but nothing is read outside of the table.
 */
#include "proc/ehtable.h"

#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct head {
	uint8_t version, pointer, count, table; /* encodings, as in DWARF */
	int32_t eh_frame;
	uint32_t rows;
};

struct row {
	int32_t function, description;
};

static const uint8_t usual[] = { 1, 0x1b /* pcrel sdata4 */, 0x03 /* udata4 */,
				 0x3b /* datarel sdata4 */ };

struct ehtable {
	struct elf_file *file;
	uint64_t at; /* virtual address */
	uint64_t n;
	struct row rows[];
};

static bool read_head(struct elf_file *e, struct elf_sym *section, struct head *ret)
{
	return elf_section(e, ".eh_frame_hdr", section) && section->size >= sizeof(*ret) &&
	       !elf_read(e, section->value, ret, sizeof(*ret)) &&
	       !memcmp(ret, usual, sizeof(usual)) &&
	       ret->rows <= (section->size - sizeof(*ret)) / sizeof(struct row);
}

struct ehtable *ehtable_open(struct elf_file *e)
{
	enum { MOST = 1 << 20 }; /* rows; an interpreter has some 6,000 */
	_cleanup_(ehtable_closep) struct ehtable *t = NULL;
	struct elf_sym section;
	struct head head;
	size_t size;

	if (!read_head(e, &section, &head) || head.rows > MOST)
		return NULL;
	size = head.rows * sizeof(t->rows[0]);
	t = malloc(sizeof(*t) + size);
	if (!t || elf_read(e, section.value + sizeof(head), t->rows, size))
		return NULL;
	t->file = e;
	t->at = section.value;
	t->n = head.rows;
	return take_ptr(t);
}

void ehtable_close(struct ehtable *t)
{
	free(t);
}

/* The first address of function @i. */
static uint64_t function(const struct ehtable *t, uint64_t i)
{
	return t->at + t->rows[i].function;
}

/* The number of functions that begin by @at. */
static uint64_t rank(const struct ehtable *t, uint64_t at)
{
	uint64_t low = 0, high = t->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (function(t, middle) <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ehtable_function(const struct ehtable *t, uint64_t at, struct elf_sym *ret)
{
	uint64_t after = rank(t, at), next;

	if (!after || after == t->n)
		return false;
	ret->value = function(t, after - 1);
	next = function(t, after);
	ret->size = next - ret->value;
	return ret->value && ret->value <= at && at < next;
}

/* --- descriptions ----------------------------------------------------------------------------- */

/*
 * A description (FDE), and the part that it shares with others (CIE):
 *
 *	length, distance to the CIE, function (relative to itself), its size, n, n bytes, instructions
 *	length, 0, version, "zR", alignments, register, n, n bytes, instructions
 *
 * Where the caller's frame is before the first instruction: what the CIE says, unless the FDE says
 * otherwise before it goes on to the next instruction.
 */
enum { LONG = 0xffffffff, INSTRUCTIONS = 64 /* bytes that are read */ };

struct head_of_fde {
	uint32_t len, cie;
	int32_t function;
	uint32_t size;
};

struct head_of_cie {
	uint32_t len, zero;
};

/* Bytes from the file, of which some were read. */
struct bytes {
	const uint8_t *at, *end;
};

static uint8_t next_byte(struct bytes *b)
{
	return b->at < b->end ? *b->at++ : 0;
}

/* A number of variable length. */
static uint64_t next_number(struct bytes *b)
{
	uint64_t ret = 0;
	uint8_t byte;
	int shift = 0;

	do {
		byte = next_byte(b);
		ret |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		shift += 7;
	} while (byte & 0x80);
	return ret;
}

static void skip(struct bytes *b, uint64_t n)
{
	b->at += n < (uint64_t)(b->end - b->at) ? n : (uint64_t)(b->end - b->at);
}

/* Reads up to INSTRUCTIONS bytes of something that ends at @end. */
static bool read_some(struct elf_file *e, uint64_t at, uint64_t end, uint8_t *to, struct bytes *ret)
{
	uint64_t len = end - at < INSTRUCTIONS ? end - at : INSTRUCTIONS;

	if (at >= end || elf_read(e, at, to, len))
		return false;
	*ret = (struct bytes){ to, to + len };
	return true;
}

/*
 * Runs instructions up to the first that goes on to another place. Sets *@offset if they set the
 * distance from the stack pointer to the caller's frame; -1: it is not that simple. False: they are
 * not understood.
 */
static bool run(struct bytes b, int64_t *offset)
{
	enum { ADVANCE = 0x40, OFFSET = 0x80, RESTORE = 0xc0, HIGH = 0xc0 };
	/* Numbers that follow, plus 1; 0: goes on to another place, or is not understood. */
	static const uint8_t numbers[0x30] = {
		[0x00] = 1, [0x05] = 3, [0x06] = 2, [0x07] = 2, [0x08] = 2, [0x09] = 3, [0x0a] = 1,
		[0x0b] = 1, [0x11] = 3, [0x14] = 3, [0x15] = 3, [0x2d] = 1, [0x2e] = 2
	};
	uint8_t op;

	while (b.at < b.end) {
		op = next_byte(&b);
		if (op == 0x0c) { /* register and offset */
			next_number(&b);
			*offset = next_number(&b);
		} else if (op == 0x0e) {
			*offset = next_number(&b);
		} else if (op == 0x0d || op == 0x0f || op == 0x12 || op == 0x13) {
			*offset = -1;
			return true;
		} else if ((op & HIGH) == OFFSET) {
			next_number(&b);
		} else if ((op & HIGH) != RESTORE) {
			if (op >= sizeof(numbers) || !numbers[op])
				return (op & HIGH) == ADVANCE || (op >= 1 && op <= 4);
			for (int n = numbers[op]; n > 1; n--)
				next_number(&b);
		}
	}
	return true;
}

static bool run_cie(struct elf_file *e, uint64_t at, int64_t *offset)
{
	uint8_t text[INSTRUCTIONS], version;
	struct head_of_cie head;
	struct bytes b;

	if (elf_read(e, at, &head, sizeof(head)) || head.zero || head.len == LONG ||
	    !read_some(e, at + sizeof(head), at + 4 + head.len, text, &b))
		return false;
	version = next_byte(&b);
	if (next_byte(&b) != 'z')
		return false;
	while (next_byte(&b))
		;
	next_number(&b); /* alignments of code and data */
	next_number(&b);
	version == 1 ? next_byte(&b) : next_number(&b);
	skip(&b, next_number(&b));
	return run(b, offset);
}

static bool run_fde(struct elf_file *e, uint64_t at, uint64_t function, int64_t *offset)
{
	uint8_t text[INSTRUCTIONS];
	struct head_of_fde head;
	struct bytes b;

	if (elf_read(e, at, &head, sizeof(head)) || head.len == LONG ||
	    at + offsetof(struct head_of_fde, function) + head.function != function ||
	    !run_cie(e, at + offsetof(struct head_of_fde, cie) - head.cie, offset) ||
	    !read_some(e, at + sizeof(head), at + 4 + head.len, text, &b))
		return false;
	skip(&b, next_number(&b));
	return run(b, offset);
}

bool ehtable_is_part(const struct ehtable *t, uint64_t at)
{
	int64_t offset = 0, at_entry = elf_machine(t->file) == EM_X86_64 ? 8 : 0;
	uint64_t after = rank(t, at);

	return after && function(t, after - 1) == at &&
	       run_fde(t->file, t->at + t->rows[after - 1].description, at, &offset) &&
	       offset != at_entry;
}
