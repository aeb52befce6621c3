/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	.eh_frame_hdr  version, three encodings
 *	               address of .eh_frame, number of rows
 *	   row         { function, FDE }, 4 bytes each, relative to .eh_frame_hdr; sorted ─┐
 *	                                                                                   │
 *	.eh_frame      CIE   length, 0, version, augmentation, alignments, program         │
 *	               FDE   length, distance to its CIE, start, size, program  ◄──────────┘
 *	               ...
 *
 * Linkers write the table in that one form. Where it is missing or of another form, a scan of
 * .eh_frame makes it.
 */
#include "native/ehframe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "native/cursor.h"

enum {
	ROW = 8,               /* bytes of a row of the table */
	MAX_RECORDS = 1 << 20, /* of a scan; the largest libraries have 400,000 */
	LONG_LENGTH =
		0xfffffff0, /* lengths from here on announce a 64-bit format, which no linker writes */
	MAX_AUGMENTATION = 16, /* letters */
	CIES = 4,              /* a file has one to three that matter */
};

struct function {
	uint64_t start, fde;
};

struct ehframe {
	struct image image;
	uint64_t hdr;   /* address of .eh_frame_hdr, 0: none */
	uint64_t table; /* address of its first row, 0: the functions were found by a scan */
	size_t count;
	VEC(struct function) found; /* sorted */
	struct cie cies[CIES];      /* address 0: free */
	unsigned int next_cie;
};

/* --- entries ---------------------------------------------------------------------------------- */

/* The content of the record at @at, after its length. False: absurd, or the end. */
static bool open_record(const struct ehframe *f, uint64_t at, struct cursor *ret)
{
	struct cursor head = cursor_open(&f->image, at, at + 4);
	uint64_t len = cursor_number(&head, 4), end;

	if (head.bad || !len || len >= LONG_LENGTH || __builtin_add_overflow(at + 4, len, &end))
		return false;
	*ret = cursor_open(&f->image, at + 4, end);
	return true;
}

/* Letters of the augmentation after 'z'. False: an unknown one, so what follows is not known. */
static bool read_augmentation(struct cursor *c, const char *letters, struct cie *ret)
{
	for (; *letters; letters++)
		switch (*letters) {
		case 'R':
			ret->encoding = cursor_byte(c);
			break;
		case 'L':
			cursor_byte(c);
			break;
		case 'P':
			cursor_pointer(c, cursor_byte(c) & PE_FORM, 0);
			break;
		case 'S':
			ret->signal = true;
			break;
		case 'B': /* aarch64: return addresses are signed with the other key */
		case 'G': /* aarch64: tagged stack memory */
			break;
		default:
			return false;
		}
	return !c->bad;
}

static bool read_letters(struct cursor *c, char letters[MAX_AUGMENTATION])
{
	for (size_t i = 0; i < MAX_AUGMENTATION; i++) {
		letters[i] = cursor_byte(c);
		if (!letters[i])
			return !c->bad;
	}
	return false;
}

static bool read_cie(const struct ehframe *f, uint64_t at, struct cie *ret)
{
	char letters[MAX_AUGMENTATION];
	struct cursor c;
	uint64_t version, after;

	*ret = (struct cie){ .address = at };
	if (!open_record(f, at, &c) || cursor_number(&c, 4) != 0)
		return false;
	version = cursor_byte(&c);
	if ((version != 1 && version != 3) || !read_letters(&c, letters))
		return false;
	ret->code_align = cursor_uleb(&c);
	ret->data_align = cursor_sleb(&c);
	ret->ra = version == 1 ? cursor_byte(&c) : cursor_uleb(&c);
	ret->augmented = letters[0] == 'z';
	if (letters[0] && !ret->augmented)
		return false;
	if (ret->augmented) {
		after = cursor_uleb(&c);
		if (after > cursor_left(&c))
			return false;
		after += cursor_at(&c);
		if (!read_augmentation(&c, letters + 1, ret) || cursor_at(&c) > after)
			return false;
		cursor_skip(&c, after - cursor_at(&c));
	}
	ret->program = cursor_at(&c);
	ret->program_end = c.end;
	return !c.bad;
}

/* NULL: absurd. Valid until the next call. */
static const struct cie *find_cie(struct ehframe *f, uint64_t at)
{
	struct cie cie, *place;

	for (place = f->cies; place < f->cies + CIES; place++)
		if (place->address == at && at)
			return place;
	if (!read_cie(f, at, &cie))
		return NULL;
	place = &f->cies[f->next_cie++ % CIES];
	*place = cie;
	return place;
}

/* 0, -ENOENT (it is a CIE) or -EINVAL. */
static int read_fde(struct ehframe *f, uint64_t at, struct fde *ret)
{
	const struct cie *cie;
	struct cursor c;
	uint64_t back, skip;

	if (!open_record(f, at, &c))
		return -EINVAL;
	back = cursor_number(&c, 4);
	if (c.bad || !back)
		return c.bad ? -EINVAL : -ENOENT;
	cie = find_cie(f, at + 4 - back);
	if (!cie)
		return -EINVAL;
	cursor_again(&c);
	ret->cie = *cie;
	ret->start = cursor_pointer(&c, cie->encoding, f->hdr);
	ret->end = ret->start + cursor_pointer(&c, cie->encoding & PE_FORM, 0);
	if (cie->augmented) {
		skip = cursor_uleb(&c);
		cursor_skip(&c, skip);
	}
	ret->program = cursor_at(&c);
	ret->program_end = c.end;
	return c.bad || ret->end <= ret->start ? -EINVAL : 0;
}

/* --- functions -------------------------------------------------------------------------------- */

static bool function_at(struct ehframe *f, size_t i, struct function *ret)
{
	int32_t row[2];

	if (i >= f->count)
		return false;
	if (!f->table) {
		*ret = f->found.at[i];
		return true;
	}
	if (image_read(&f->image, f->table + ROW * i, row, ROW))
		return false;
	*ret = (struct function){ f->hdr + row[0], f->hdr + row[1] };
	return true;
}

size_t ehframe_count(const struct ehframe *f)
{
	return f->count;
}

const struct image *ehframe_image(const struct ehframe *f)
{
	return &f->image;
}

bool ehframe_start(struct ehframe *f, size_t i, uint64_t *ret)
{
	struct function fn;

	if (!function_at(f, i, &fn))
		return false;
	*ret = fn.start;
	return true;
}

int ehframe_get(struct ehframe *f, size_t i, struct fde *ret)
{
	struct function fn;

	return function_at(f, i, &fn) && !read_fde(f, fn.fde, ret) ? 0 : -EINVAL;
}

size_t ehframe_search(struct ehframe *f, uint64_t vaddr)
{
	size_t low = 0, high = f->count, middle;
	struct function fn;

	while (low < high) { /* functions before low begin by vaddr, those from high on after it */
		middle = low + (high - low) / 2;
		if (!function_at(f, middle, &fn))
			return 0;
		if (fn.start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ehframe_function(struct ehframe *f, uint64_t vaddr, struct fde *ret)
{
	size_t n = ehframe_search(f, vaddr);

	return n && !ehframe_get(f, n - 1, ret) && vaddr >= ret->start && vaddr < ret->end;
}

/* --- open ------------------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->fde < y->fde ? -1 : x->fde > y->fde;
}

/* Reads all records from @at to @end, or to the first that is absurd. 0 or -ENOMEM. */
static int scan(struct ehframe *f, uint64_t at, uint64_t end)
{
	struct cursor record;
	struct fde fde;

	for (size_t i = 0; i < MAX_RECORDS && at < end && open_record(f, at, &record); i++) {
		if (!read_fde(f, at, &fde) &&
		    vec_push(&f->found, ((struct function){ fde.start, at })))
			return -ENOMEM;
		at = record.end;
	}
	if (f->found.len)
		qsort(f->found.at, f->found.len, sizeof(*f->found.at), by_start);
	f->count = f->found.len;
	return 0;
}

/* The table that the linker made. False with *@ret_frame: it made none; address of .eh_frame, or 0. */
static bool open_table(struct ehframe *f, const struct elf_sym *hdr, uint64_t *ret_frame)
{
	struct cursor c = cursor_open(&f->image, hdr->value, hdr->value + hdr->size);
	uint8_t version = cursor_byte(&c), frame = cursor_byte(&c), count = cursor_byte(&c),
		table = cursor_byte(&c);

	f->hdr = hdr->value;
	*ret_frame = frame == PE_OMIT ? 0 : cursor_pointer(&c, frame, f->hdr);
	if (c.bad || version != 1) {
		*ret_frame = 0;
		return false;
	}
	if (count == PE_OMIT || table != (PE_DATAREL | PE_SDATA4))
		return false;
	f->count = cursor_pointer(&c, count, f->hdr);
	if (c.bad || !f->count || f->count > cursor_left(&c) / ROW) {
		f->count = 0;
		return false;
	}
	f->table = cursor_at(&c);
	return true;
}

/* 0 or -ENOMEM. */
static int find_functions(struct ehframe *f, struct elf_file *file)
{
	struct elf_sym part;
	uint64_t frame = 0;

	if (elf_eh_table(file, &part) && open_table(f, &part, &frame))
		return 0;
	if (frame)
		return scan(f, frame, UINT64_MAX);
	if (elf_section(file, ".eh_frame", &part))
		return scan(f, part.value, part.value + part.size);
	return 0;
}

struct ehframe *ehframe_open(struct elf_file *file, struct pages *pages)
{
	_cleanup_(ehframe_closep) struct ehframe *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	image_init(&f->image, pages, file);
	return find_functions(f, file) ? NULL : take_ptr(f);
}

void ehframe_close(struct ehframe *f)
{
	if (!f)
		return;
	vec_done(&f->found);
	free(f);
}
