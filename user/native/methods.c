/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data segments of the file, as the process has them (relocated), stream through a window, and
 * each word that is the start of a wanted function is looked at together with its neighbours:
 *
 *	│ name ─► "sorted" │ function ─► code │ flags, 0 │ documentation, or 0 │
 *
 * Names are read from the file, where the process cannot have changed them.
 */
#include "native/methods.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Words of a PyMethodDef. */
enum { NAME, FUNCTION, FLAGS, DOC, ENTRY };

enum {
	WINDOW = 8192,       /* words read at once */
	MAX_DATA = 64 << 20, /* bytes of a segment; interpreters have 3 MB */
	MAX_NAME = 64,
	KNOWN_FLAGS = 0x3ff, /* METH_* */
	CALL_FLAGS = 0x8f,   /* METH_VARARGS, KEYWORDS, NOARGS, O, FASTCALL: one at least is set */
};

/* A wanted function; several addresses may lie in it. */
struct function {
	uint64_t start, end; /* addresses in the file */
	char *name;
};

struct search {
	struct elf_file *file;
	uint64_t bias;
	methods_reader *read;
	void *ctx;
	struct function *functions; /* sorted, distinct */
	size_t n;
	uint64_t words[WINDOW];
};

static int by_vaddr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* The functions of the symbols that have no name; @s is sorted. */
static void find_functions(struct search *q, struct ehframe *f, const struct symbol *s, size_t n)
{
	struct fde fde;

	for (size_t i = 0; i < n; i++) {
		if (s[i].name || (q->n && s[i].vaddr < q->functions[q->n - 1].end) ||
		    !ehframe_function(f, s[i].vaddr, &fde) ||
		    (q->n && fde.start < q->functions[q->n - 1].end))
			continue;
		q->functions[q->n++] = (struct function){ fde.start, fde.end, NULL };
	}
}

static struct function *function_at(const struct search *q, uint64_t start)
{
	size_t low = 0, high = q->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (q->functions[middle].start == start)
			return &q->functions[middle];
		if (q->functions[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Reads a Python name that ends with its NUL. */
static bool read_name(const struct search *q, uint64_t vaddr, char ret[MAX_NAME])
{
	size_t len;

	for (len = 0; len < MAX_NAME; len++) {
		if (elf_read(q->file, vaddr + len, ret + len, 1))
			return false;
		if (!ret[len])
			return len;
		if (!isalnum((unsigned char)ret[len]) && ret[len] != '_')
			return false;
	}
	return false;
}

/* Takes the name if @w are the words of a PyMethodDef of a wanted function. 0 or -ENOMEM. */
static int take_entry(const struct search *q, const uint64_t w[ENTRY])
{
	struct function *f = function_at(q, w[FUNCTION] - q->bias);
	char name[MAX_NAME], byte;

	if (!f || f->name || w[FLAGS] > KNOWN_FLAGS || !(w[FLAGS] & CALL_FLAGS) ||
	    (w[DOC] && elf_read(q->file, w[DOC] - q->bias, &byte, 1)) ||
	    !read_name(q, w[NAME] - q->bias, name))
		return 0;
	return asprintf(&f->name, "%s()", name) < 0 ? -ENOMEM : 0;
}

/* All entries of the data at [@from, @to) of the process; pages that cannot be read have none. */
static int search_data(struct search *q, uint64_t from, uint64_t to)
{
	int err = 0;

	from = (from + 7) & -8ULL;
	while (!err && to - from >= sizeof(uint64_t) * ENTRY && from < to) {
		size_t n = (to - from) / sizeof(uint64_t);

		n = n < WINDOW ? n : WINDOW;
		if (q->read(q->ctx, q->words, n * sizeof(uint64_t), from))
			n = 0;
		for (size_t i = 0; i + ENTRY <= n && !err; i++)
			err = take_entry(q, q->words + i);
		/* An entry may lie across the border of two windows. */
		from += (WINDOW - ENTRY + 1) * sizeof(uint64_t);
	}
	return err;
}

/* Gives the names to the symbols; how many, or -ENOMEM. */
static int hand_out(const struct search *q, struct symbol *s, size_t n)
{
	const struct function *f = q->functions, *end = f + q->n;
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		while (f < end && f->end <= s[i].vaddr)
			f++;
		if (s[i].name || f == end || s[i].vaddr < f->start || !f->name)
			continue;
		s[i].name = strdup(f->name);
		if (!s[i].name)
			return -ENOMEM;
		s[i].start = f->start;
		s[i].size = f->end - f->start;
		found++;
	}
	return found;
}

static int search_segments(struct search *q)
{
	struct elf_segment s;
	int err = 0;

	for (size_t i = 0; !err && elf_segment(q->file, i, &s); i++)
		if (s.write && s.size <= MAX_DATA)
			err = search_data(q, q->bias + s.vaddr, q->bias + s.vaddr + s.size);
	return err;
}

int methods_fill(struct elf_file *e, struct ehframe *f, uint64_t bias, methods_reader *read,
		 void *ctx, struct symbol *s, size_t n)
{
	_free_ struct function *functions = calloc(n ? n : 1, sizeof(*functions));
	_free_ struct search *q = calloc(1, sizeof(*q));
	int ret;

	if (!functions || !q)
		return -ENOMEM;
	q->file = e;
	q->bias = bias;
	q->read = read;
	q->ctx = ctx;
	q->functions = functions;
	if (n)
		qsort(s, n, sizeof(*s), by_vaddr);
	find_functions(q, f, s, n);
	ret = q->n ? search_segments(q) : 0;
	if (!ret)
		ret = hand_out(q, s, n);
	for (size_t i = 0; i < q->n; i++)
		free(functions[i].name);
	return ret;
}
