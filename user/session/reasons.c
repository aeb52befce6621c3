/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/reasons.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strpool.h"
#include "base/vec.h"

struct reasons {
	VEC(struct reason) all;
	struct strpool *texts;
};

struct reasons *reasons_new(void)
{
	struct reasons *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->texts = strpool_new();
	if (r->texts)
		return r;
	reasons_free(r);
	return NULL;
}

void reasons_free(struct reasons *r)
{
	if (!r)
		return;
	strpool_free(r->texts);
	vec_done(&r->all);
	free(r);
}

static int add_new(struct reasons *r, uint32_t pid, const struct err *why)
{
	struct reason fresh = { .count = 1, .example = pid };
	uint32_t id = strpool_add(r->texts, why->text, strlen(why->text));

	if (id == UINT32_MAX)
		return -ENOMEM;
	fresh.text = strpool_str(r->texts, id);
	fresh.refused = why->code == -EPERM || why->code == -EACCES;
	return vec_push(&r->all, fresh) ?: (int)r->all.len;
}

int reasons_add(struct reasons *r, uint32_t pid, const struct err *why)
{
	struct reason *it;

	vec_each (&r->all, it) {
		if (strcmp(it->text, why->text) != 0)
			continue;
		if (!it->count++)
			it->example = pid;
		return it - r->all.at + 1;
	}
	return add_new(r, pid, why);
}

bool reasons_drop(struct reasons *r, uint32_t pid, uint32_t reason)
{
	struct reason *it = &r->all.at[reason - 1];

	return --it->count && it->example == pid;
}

void reasons_name(struct reasons *r, uint32_t reason, uint32_t pid)
{
	r->all.at[reason - 1].example = pid;
}

const struct reason *reasons_all(const struct reasons *r, size_t *ret_n)
{
	*ret_n = r->all.len;
	return r->all.at;
}
