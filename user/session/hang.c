/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lists tell which processes hang: the reader's code objects that are still missing, and the inspector's
 * processes that could not be examined. The file system is looked up only here, because that takes time.
 */
#include "session/hang.h"

#include <string.h>

#include "proc/procfs.h"
#include "session/inspector.h"
#include "session/reader.h"

/*
 * Finds number *@i of the processes with missing code objects. False: there are fewer; *@i is reduced by their
 * number, so it counts on in the other list.
 */
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
