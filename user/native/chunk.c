/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions come in the order of their addresses, and their rows are appended in that order:
 *
 *	text   │...pad│ function │ stub stub │ function ... │ pad │ function
 *	rows    NONE   rows of it  NONE rows   rows of it          rows of it
 *
 * A gap shorter than PADDING is alignment, where nothing runs, and gets no row. A longer one is
 * searched for stubs.
 *
 * Invariant: the offsets ascend, the first is 0, and neighbouring rules differ.
 */
#include "native/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "native/cfa.h"
#include "native/gap.h"
#include "native/rule.h"

_Static_assert(NATIVE_BUCKETS + 1 + 2 * NATIVE_MAX_ROWS + NATIVE_MAX_FUNCS +
			       NATIVE_WIDE_WORDS * NATIVE_MAX_WIDES <=
		       NATIVE_POOL,
	       "a chunk fits into a pool");

enum {
	PADDING = 16,
	/* Functions and bytes of instructions; 64 KiB of text have some 150 and 10,000. */
	MAX_FDES = 2 * NATIVE_MAX_FUNCS,
	MAX_PROGRAM = 4 << 20,
};

struct chunk {
	const struct cfa_machine *machine;
	uint64_t base;
	uint64_t done;    /* where the functions so far end */
	uint64_t program; /* bytes of instructions so far */
	size_t rows, funcs;
	uint16_t offsets[NATIVE_MAX_ROWS], rules[NATIVE_MAX_ROWS], func[NATIVE_MAX_FUNCS];
	struct wides wides;
	struct cfa cfa;
	uint8_t text[NATIVE_CHUNK];
};

struct chunk *chunk_new(void)
{
	return calloc(1, sizeof(struct chunk));
}

void chunk_free(struct chunk *c)
{
	free(c);
}

/* --- rows --------------------------------------------------------------------------------------- */

/* Replaces the rule of the last row, which its neighbour may then continue. */
static void replace(struct chunk *c, uint16_t rule)
{
	c->rules[c->rows - 1] = rule;
	if (c->rows > 1 && c->rules[c->rows - 2] == rule)
		c->rows--;
}

/*
 * From @vaddr up to the next row @rule holds. Rows before the last one are of functions that overlap:
 * the first function is believed.
 */
static void add_row(struct chunk *c, uint64_t vaddr, uint16_t rule)
{
	uint64_t at = vaddr < c->base ? 0 : vaddr - c->base;
	size_t last = c->rows - 1;

	if (at >= NATIVE_CHUNK || (c->rows && at < c->offsets[last]))
		return;
	if (c->rows && at == c->offsets[last]) {
		replace(c, rule);
		return;
	}
	if (c->rows && rule == c->rules[last])
		return;
	if (c->rows == NATIVE_MAX_ROWS - 1)
		rule = NATIVE_COMPLEX; /* the last one that there is room for */
	if (c->rows == NATIVE_MAX_ROWS)
		return;
	c->offsets[c->rows] = at;
	c->rules[c->rows++] = rule;
}

/* --- gaps --------------------------------------------------------------------------------------- */

/* Reads code of the chunk, as much as can be read. */
static size_t read_text(struct chunk *c, const struct image *image, uint64_t from, uint64_t to)
{
	struct elf_segment s;

	for (size_t i = 0; elf_segment(image->file, i, &s); i++) {
		if (!s.exec || from - s.vaddr >= s.size)
			continue;
		if (to > s.vaddr + s.size)
			to = s.vaddr + s.size;
		return elf_read(image->file, from, c->text, to - from) ? 0 : to - from;
	}
	return 0;
}

/* No function covers [@from, @to). */
static void add_gap(struct chunk *c, const struct image *image, uint64_t from, uint64_t to)
{
	struct gap_stub stub;
	size_t len, at = 0;

	if (from < c->base)
		from = c->base;
	if (to > c->base + NATIVE_CHUNK)
		to = c->base + NATIVE_CHUNK;
	if (from >= to || to - from < PADDING)
		return;
	add_row(c, from, NATIVE_NONE);
	len = read_text(c, image, from, to);
	while (gap_next(c->machine->machine, c->text, len, &at, &stub)) {
		add_row(c, from + stub.from, stub.before);
		add_row(c, from + stub.split, stub.after);
		add_row(c, from + stub.to, NATIVE_NONE);
	}
}

/* --- functions ---------------------------------------------------------------------------------- */

static void add_function_start(struct chunk *c, uint64_t vaddr)
{
	uint16_t at = vaddr - c->base;

	if (vaddr < c->base || vaddr - c->base >= NATIVE_CHUNK || c->funcs == NATIVE_MAX_FUNCS ||
	    (c->funcs && at <= c->func[c->funcs - 1]))
		return;
	c->func[c->funcs++] = at;
}

/* Adds the rows of a function. 0 or -EINVAL: from cfa.from on they are not known. */
static int add_rows(struct chunk *c, const struct image *image, const struct fde *fde)
{
	uint64_t end = c->base + NATIVE_CHUNK;
	int more = cfa_begin(&c->cfa, c->machine, image, fde);

	if (more)
		return more;
	while ((more = cfa_next(&c->cfa)) > 0 && c->cfa.from < end)
		add_row(c, c->cfa.from, rule_of(&c->wides, c->machine, &c->cfa.state));
	return more < 0 ? more : 0;
}

static void add_function(struct chunk *c, const struct image *image, const struct fde *fde)
{
	add_function_start(c, fde->start);
	if (fde->cie.signal) {
		add_row(c, fde->start, NATIVE_SIGNAL);
		return;
	}
	c->program += fde->program_end - fde->program;
	c->program += fde->cie.program_end - fde->cie.program;
	c->cfa.from = fde->start;
	if (c->program > MAX_PROGRAM || add_rows(c, image, fde))
		add_row(c, c->cfa.from, NATIVE_COMPLEX);
}

static void add_functions(struct chunk *c, struct ehframe *f)
{
	uint64_t start, end = c->base + NATIVE_CHUNK;
	size_t i = ehframe_search(f, c->base);
	struct fde fde;

	i -= !!i; /* the last function before the chunk may reach into it */
	for (size_t n = 0; n < MAX_FDES && ehframe_start(f, i, &start) && start < end; n++, i++) {
		if (ehframe_get(f, i, &fde) || fde.end <= c->base || fde.start >= end)
			continue;
		add_gap(c, ehframe_image(f), c->done, fde.start);
		add_function(c, ehframe_image(f), &fde);
		if (fde.end > c->done)
			c->done = fde.end;
	}
	add_gap(c, ehframe_image(f), c->done, end);
}

int chunk_compile(struct chunk *c, struct ehframe *f, uint16_t machine, uint64_t base)
{
	c->machine = cfa_machine(machine);
	if (!c->machine)
		return -ENOTSUP;
	if (base % NATIVE_CHUNK || base + NATIVE_CHUNK < base)
		return -EINVAL;
	c->base = c->done = base;
	c->program = 0;
	c->rows = c->funcs = c->wides.n = 0;
	add_row(c, base, NATIVE_NONE);
	add_functions(c, f);
	return 0;
}

/* --- the result --------------------------------------------------------------------------------- */

struct chunk_view chunk_view(const struct chunk *c)
{
	return (struct chunk_view){ c->offsets, c->rules, c->func,   c->wides.at,
				    c->rows,    c->funcs, c->wides.n };
}

size_t chunk_words(const struct chunk *c)
{
	return NATIVE_BUCKETS + 1 + 2 * c->rows + c->funcs + NATIVE_WIDE_WORDS * c->wides.n;
}

static uint16_t *put(uint16_t *to, const void *words, size_t n)
{
	memcpy(to, words, n * sizeof(*to));
	return to + n;
}

void chunk_pack(const struct chunk *c, uint16_t *body, struct native_chunk *head)
{
	size_t row = 0;

	for (size_t bucket = 0; bucket < NATIVE_BUCKETS; bucket++) {
		while (row + 1 < c->rows && c->offsets[row + 1] <= bucket << NATIVE_BUCKET_BITS)
			row++;
		*body++ = row;
	}
	*body++ = c->rows - 1;
	body = put(body, c->offsets, c->rows);
	body = put(body, c->rules, c->rows);
	body = put(body, c->func, c->funcs);
	put(body, c->wides.at, NATIVE_WIDE_WORDS * c->wides.n);
	head->rows = c->rows;
	head->funcs = c->funcs;
	head->wides = c->wides.n;
	head->pad = 0;
}
