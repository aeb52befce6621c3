/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lists say what hangs: code objects that the reader still waits for, and processes that were never looked at.
 * What they hang in is asked only here, as that takes its time.
 */
#include "session/hang.h"

#include <string.h>

#include "proc/procfs.h"
#include "session/inspector.h"
#include "session/reader.h"

/* Number *@i of those whose names are missing; else that of others, from 0, is left in it. */
static bool find_nameless(const struct reader *r, size_t *i, struct hang *ret)
{
	size_t n;
	const struct reader_missing *m = reader_missing(r, &n);

	for (; n; n--, m++) {
		if (!m->codes || (*i)--)
			continue;
		ret->pid = m->pid;
		ret->codes = m->codes;
		return true;
	}
	return false;
}

static bool find_unseen(const struct inspector *inspector, size_t i, struct hang *ret)
{
	size_t pos = 0;

	do {
		if (!inspector_hanging(inspector, &pos, &ret->pid))
			return false;
	} while (i--);
	return true;
}

bool hang_find(struct reader *r, const struct inspector *inspector, size_t i, struct hang *ret)
{
	struct proc_stat stat;

	memset(ret, 0, sizeof(*ret));
	if (!find_nameless(r, &i, ret) && !find_unseen(inspector, i, ret))
		return false;
	if (!procfs_stat(ret->pid, &stat))
		memcpy(ret->comm, stat.comm, sizeof(ret->comm));
	reader_served(r, ret->pid, ret->served, sizeof(ret->served));
	return true;
}
