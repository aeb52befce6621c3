/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The id is computed from the live code object before and after the other reads. If it differs from
 * the wanted one, another code object is at the address by now, and nothing is returned.
 */
#include "py/codefetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "proc/rmem.h"
#include "py/walk.h"

enum { CHARS_MAX = 1 << 20 };

struct codefetch {
	struct walk *walk;
	pid_t pid; /* the process that walk reads */
};

static int read_process(void *ctx, void *to, size_t len, uint64_t addr)
{
	const struct codefetch *f = ctx;

	return rmem_read(f->pid, addr, to, len);
}

struct codefetch *codefetch_new(void)
{
	struct codefetch *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->walk = walk_new(read_process, f);
	if (f->walk)
		return f;
	free(f);
	return NULL;
}

void codefetch_free(struct codefetch *f)
{
	if (!f)
		return;
	walk_free(f->walk);
	free(f);
}

static uint64_t pointer_at(const struct codefetch *f, uint64_t addr)
{
	uint64_t v = 0;

	return rmem_read(f->pid, addr, &v, sizeof(v)) ? 0 : v;
}

/* Appends @len bytes at @from; CODE_NOT_HAD: they cannot be read. */
static uint64_t read_bytes(const struct codefetch *f, uint64_t from, uint64_t len, struct buf *out)
{
	_free_ void *data = malloc(len + 1);

	if (!data || rmem_read(f->pid, from, data, len))
		return CODE_NOT_HAD;
	buf_add(out, data, len);
	return len;
}

static uint64_t read_string(const struct codefetch *f, const struct code_wanted *w, uint64_t str,
			    uint64_t room, uint32_t *ret_size, struct buf *out)
{
	const struct py_layout *l = &w->layout;
	uint64_t len, from;
	uint32_t state, size;

	if (!str || rmem_read(f->pid, str + l->us_length, &len, sizeof(len)) ||
	    rmem_read(f->pid, str + l->us_state, &state, sizeof(state)))
		return CODE_NOT_HAD;
	size = state >> l->us_kind & 7;
	if (len > CHARS_MAX || (size != 1 && size != 2 && size != 4) || len * size > room)
		return CODE_NOT_HAD;
	from = str + (state >> l->us_ascii_bit & 1 ? l->us_ascii : l->us_compact);
	*ret_size = size;
	return read_bytes(f, from, len * size, out);
}

static uint64_t read_table(const struct codefetch *f, const struct code_wanted *w, uint64_t table,
			   uint64_t room, struct buf *out)
{
	uint64_t len;

	if (!table || rmem_read(f->pid, table + w->layout.by_size, &len, sizeof(len)) ||
	    len > w->table_max || len > room)
		return CODE_NOT_HAD;
	return read_bytes(f, table + w->layout.by_data, len, out);
}

/* Is the wanted code object still there? If it was not resident, its id is made of the address alone. */
static bool is_there(const struct codefetch *f, const struct code_wanted *w)
{
	uint64_t id;

	if (walk_code_id(f->walk, &w->layout, w->code_type, &w->proc, w->addr, &id))
		return false;
	return id == w->id || walk_address_id(&w->proc, w->addr) == w->id;
}

static void read_strings(const struct codefetch *f, const struct code_wanted *w, uint64_t *room,
			 struct code_found *found, struct buf *out)
{
	const uint16_t at[CODE_STRINGS] = {
		[CODE_NAME] = w->layout.co_name,
		[CODE_QUALNAME] = w->layout.co_qualname,
		[CODE_FILE] = w->layout.co_file,
	};

	for (int i = 0; i < CODE_STRINGS; i++) {
		found->len[i] = CODE_NOT_HAD;
		if (at[i])
			found->len[i] = read_string(f, w, pointer_at(f, w->addr + at[i]), *room,
						    &found->char_size[i], out);
		*room -= found->len[i] == CODE_NOT_HAD ? 0 : found->len[i];
	}
}

/*
 * The second check of the id makes sure that the reads are of the right code object. The first one
 * avoids useless work: another code object at this address may have a table of megabytes.
 */
int codefetch_read(struct codefetch *f, const struct code_wanted *w, struct buf *out)
{
	struct code_found found = {};
	size_t start = out->len;
	uint64_t room = w->room;

	f->pid = w->proc.tgid;
	if (!is_there(f, w))
		return -ENOENT;
	buf_add(out, &found, sizeof(found));
	read_strings(f, w, &room, &found, out);
	found.table_len = read_table(f, w, pointer_at(f, w->addr + w->layout.co_table), room, out);
	if (rmem_read(f->pid, w->addr + w->layout.co_firstline, &found.first_line,
		      sizeof(found.first_line)) ||
	    !is_there(f, w)) {
		out->len = start;
		return -ENOENT;
	}
	if (!out->err)
		memcpy(out->data + start, &found, sizeof(found));
	return out->err;
}
