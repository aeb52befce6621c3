/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	ffffffff81a3c2f0 T do_nanosleep
 *	ffffffffc0a41000 t nft_do_chain	[nf_tables]
 */
#include "proc/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strpool.h"
#include "base/vec.h"

struct symbol {
	uint64_t address;
	uint32_t name, module; /* in texts; module 0: none */
};

struct kallsyms {
	int fd; /* < 0: it could not be opened, or was read */
	int err;
	bool is_read;
	struct strpool *texts;
	VEC(struct symbol) symbols; /* by address */
};

struct kallsyms *kallsyms_new(const char *path)
{
	struct kallsyms *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->texts = strpool_new();
	k->fd = open(path ? path : "/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	k->err = k->fd < 0 ? -errno : 0;
	if (k->texts)
		return k;
	kallsyms_free(k);
	return NULL;
}

void kallsyms_free(struct kallsyms *k)
{
	if (!k)
		return;
	if (k->fd >= 0)
		close(k->fd);
	strpool_free(k->texts);
	vec_done(&k->symbols);
	free(k);
}

/* "\t[nf_tables]" without the brackets; an empty text: none. */
static uint32_t module_of(struct kallsyms *k, const char *rest)
{
	const char *from = strchr(rest, '['), *to = from ? strchr(from, ']') : NULL;

	return to ? strpool_add(k->texts, from + 1, to - from - 1) : strpool_add(k->texts, "", 0);
}

/* Data symbols are not kept. 0 or -ENOMEM. */
static int take_line(struct kallsyms *k, const char *line)
{
	struct symbol s;
	char kind, name[512];
	int used;

	if (sscanf(line, "%" SCNx64 " %c %511s%n", &s.address, &kind, name, &used) != 3 ||
	    !strchr("tTwW", kind) || !s.address)
		return 0;
	s.name = strpool_add(k->texts, name, strlen(name));
	s.module = module_of(k, line + used);
	if (s.name == UINT32_MAX || s.module == UINT32_MAX)
		return -ENOMEM;
	return vec_push(&k->symbols, s);
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int read_lines(struct kallsyms *k, FILE *f)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	while (!err && getline(&line, &room, f) >= 0)
		err = take_line(k, line);
	free(line);
	if (!err && ferror(f))
		err = -EIO;
	if (!err && !k->symbols.len)
		err = -EPERM;
	if (k->symbols.len)
		qsort(k->symbols.at, k->symbols.len, sizeof(*k->symbols.at), by_address);
	return err;
}

static void read_once(struct kallsyms *k)
{
	FILE *f;

	if (k->is_read)
		return;
	k->is_read = true;
	if (k->fd < 0)
		return;
	f = fdopen(k->fd, "r");
	if (!f) {
		k->err = -errno;
		return;
	}
	k->err = read_lines(k, f);
	fclose(f);
	k->fd = -1;
}

const char *kallsyms_name(struct kallsyms *k, uint64_t address, const char **ret_module)
{
	size_t low = 0, high;

	read_once(k);
	high = k->symbols.len;
	while (low < high) { /* low becomes the number of symbols that are not above */
		size_t mid = low + (high - low) / 2;

		if (k->symbols.at[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	*ret_module = strpool_str(k->texts, k->symbols.at[low - 1].module);
	if (!**ret_module)
		*ret_module = NULL;
	return strpool_str(k->texts, k->symbols.at[low - 1].name);
}

int kallsyms_error(const struct kallsyms *k)
{
	return k->err;
}
