/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/layouts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

struct layouts {
	struct kern *kern;
	VEC(struct py_layout) rows;
};

const struct interp *interps_find(const struct interps *i, uint32_t layout)
{
	for (uint32_t k = 0; k < i->n; k++)
		if (i->at[k].layout == layout)
			return &i->at[k];
	return NULL;
}

struct layouts *layouts_new(struct kern *k)
{
	struct layouts *l = calloc(1, sizeof(*l));

	if (l)
		l->kern = k;
	return l;
}

void layouts_free(struct layouts *l)
{
	if (!l)
		return;
	vec_done(&l->rows);
	free(l);
}

int layouts_add(struct layouts *l, const struct interps *of, const struct py_layout *layout)
{
	int err;

	for (size_t i = 0; i < l->rows.len; i++)
		if (!memcmp(&l->rows.at[i], layout, sizeof(*layout)) && !interps_find(of, i))
			return i;
	if (l->rows.len == WIRE_MAX_LAYOUTS)
		return -ENOSPC;
	err = kern_set_layout(l->kern, l->rows.len, layout);
	if (!err)
		err = vec_push(&l->rows, *layout);
	return err ? err : (int)l->rows.len - 1;
}

const struct py_layout *layouts_at(const struct layouts *l, uint32_t row)
{
	return row < l->rows.len ? &l->rows.at[row] : NULL;
}

static const char *flavour(const struct py_layout *l)
{
	static const char *const flavours[PY_FLAVOURS] = {
		[0] = "",
		[PY_DEBUG] = "d",
		[PY_FREE_THREADED] = "t",
		[PY_FREE_THREADED | PY_DEBUG] = "td",
		[PY_NEWER] = " (newer than krait)",
		[PY_NEWER | PY_DEBUG] = "d (newer than krait)",
		[PY_NEWER | PY_FREE_THREADED] = "t (newer than krait)",
		[PY_NEWER | PY_FREE_THREADED | PY_DEBUG] = "td (newer than krait)",
	};

	return flavours[l->flavour & (PY_FLAVOURS - 1)];
}

void layouts_flavour(const struct layouts *l, const struct interps *of, struct buf *to)
{
	for (uint32_t i = 0; i < of->n; i++) {
		const struct py_layout *row = &l->rows.at[of->at[i].layout];

		if (i)
			buf_printf(to, " + %u.%u", row->version >> 8, row->version & 0xff);
		buf_str(to, flavour(row));
	}
}
