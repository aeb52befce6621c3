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

struct table {
	struct elf_file *file;
	uint64_t at, rows;
};

static bool open_table(struct elf_file *e, struct table *ret)
{
	struct elf_sym section;
	struct head head;

	if (!elf_section(e, ".eh_frame_hdr", &section) || section.size < sizeof(head) ||
	    elf_read(e, section.value, &head, sizeof(head)) ||
	    memcmp(&head, usual, sizeof(usual)) ||
	    head.rows > (section.size - sizeof(head)) / sizeof(struct row))
		return false;
	*ret = (struct table){ .file = e, .at = section.value, .rows = head.rows };
	return true;
}

/* The first address of function @i; 0: it cannot be read. */
static uint64_t function(const struct table *t, uint64_t i)
{
	struct row row;

	if (elf_read(t->file, t->at + sizeof(struct head) + i * sizeof(row), &row, sizeof(row)))
		return 0;
	return t->at + row.function;
}

bool ehtable_function(struct elf_file *e, uint64_t at, struct elf_sym *ret)
{
	uint64_t low = 0, high, middle, next;
	struct table t;

	if (!open_table(e, &t))
		return false;
	for (high = t.rows;
	     low < high;) { /* functions before low begin by @at, those from high after */
		middle = low + (high - low) / 2;
		if (function(&t, middle) <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || low == t.rows)
		return false;
	ret->value = function(&t, low - 1);
	next = function(&t, low);
	ret->size = next - ret->value;
	return ret->value && ret->value <= at && at < next;
}
