/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	pid ─┬─ none, a thread's, a zombie, the kernel's ─► an error
 *	     ├─ Python ─► nothing to say
 *	     └─ anything else ─► "pid 812 (bash) is not a Python process; its child 815 (python3) is: add -s"
 *
 * Descendants are found with one pass over /proc, only if a named process is not Python.
 */
#include "session/named.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "proc/procfs.h"

enum {
	SHOWN = 3,  /* descendants that a message lists */
	LOOKS = 64, /* how many descendants of a process are examined */
};

/* A process as /proc lists it. */
struct listed {
	pid_t pid, ppid;
	uint32_t depth; /* generations below the named process, 0: not a descendant */
	char comm[16];
};

typedef VEC(struct listed) listing;

struct one {
	pid_t pid;
	unsigned long long start; /* start time: detects a reused pid */
	char comm[16];
	enum proc_kind kind;
	struct err why;
	bool doubt;                  /* the result may be temporary */
	struct listed python[SHOWN]; /* the first descendants that are Python */
	uint32_t pythons, depth;     /* how many Python descendants; depth of the deepest */
};

struct named {
	bool descendants;
	VEC(struct one) ones;
};

struct named *named_new(const uint64_t *pids, size_t n, bool descendants)
{
	struct named *new = calloc(1, sizeof(*new));

	for (size_t i = 0; new &&i < n; i++) {
		if (!vec_push(&new->ones, ((struct one){ .pid = pids[i], .kind = PROC_OTHER })))
			continue;
		named_free(new);
		return NULL;
	}
	if (new)
		new->descendants = descendants;
	return new;
}

void named_free(struct named *n)
{
	if (!n)
		return;
	vec_done(&n->ones);
	free(n);
}

/* --- is it there? ----------------------------------------------------------------------------- */

static bool is_zombie(const struct proc_stat *stat)
{
	return stat->state == 'Z' && stat->threads <= 1;
}

static int no_process(pid_t pid, const struct proc_stat *stat, struct err *err)
{
	_cleanup_(buf_done) struct buf comm = {};
	struct proc_ids ids;

	utf8_show(&comm, stat->comm, strlen(stat->comm));
	if (comm.err)
		return comm.err;
	if (!procfs_ids(pid, &ids) && ids.tgid != pid)
		return err_set(err, -ESRCH,
			       "--pid: %d is a thread (%s) of process %d; use -p %d, or -t %d for "
			       "that thread alone",
			       pid, comm.data, ids.tgid, ids.tgid, pid);
	if (stat->kthread)
		return err_set(err, -ESRCH, "--pid: %d (%s) is a kernel thread", pid, comm.data);
	if (is_zombie(stat))
		return err_set(
			err, -ESRCH,
			"--pid: %d (%s) has ended and waits for its parent to reap it (a zombie)",
			pid, comm.data);
	return 0;
}

int named_check(struct named *n, struct err *err)
{
	struct proc_stat stat;
	struct one *one;
	int code = 0;

	vec_each (&n->ones, one) {
		if (procfs_stat(one->pid, &stat))
			return err_set(err, -ESRCH, "--pid: %d: no such process", one->pid);
		code = no_process(one->pid, &stat, err);
		if (code)
			break;
		one->start = stat.start_ticks;
		memcpy(one->comm, stat.comm, sizeof(one->comm));
	}
	return code;
}

static bool runs(const struct one *one, struct proc_stat *stat)
{
	return !procfs_stat(one->pid, stat) && stat->start_ticks == one->start && !is_zombie(stat);
}

bool named_run(const struct named *n)
{
	const struct one *one;
	struct proc_stat stat;

	vec_each (&n->ones, one)
		if (runs(one, &stat))
			return true;
	return false;
}

/* --- what is it? ------------------------------------------------------------------------------ */

static void listing_done(listing *l)
{
	vec_done(l);
}

static int list_all(listing *ret)
{
	procfs_pids pids = {};
	struct proc_stat stat;
	const pid_t *pid;
	int err = procfs_list(&pids);

	vec_each (&pids, pid) {
		struct listed new = { .pid = *pid };

		if (err || procfs_stat(*pid, &stat))
			continue;
		new.ppid = stat.ppid;
		memcpy(new.comm, stat.comm, sizeof(new.comm));
		err = vec_push(ret, new);
	}
	vec_done(&pids);
	return err == -ENOMEM ? err : 0;
}

/* Marks the generation below @depth. False: there is none. */
static bool mark_children(listing *l, pid_t parent, uint32_t depth)
{
	struct listed *p;
	bool found = false;

	vec_each (l, p) {
		if (p->ppid != parent || p->depth)
			continue;
		p->depth = depth + 1;
		found = true;
	}
	return found;
}

static void mark_descendants(listing *l, pid_t of)
{
	enum { GENERATIONS = 32 };
	const struct listed *p;
	struct listed *each;
	bool more;

	vec_each (l, each)
		each->depth = 0;
	more = mark_children(l, of, 0);
	for (uint32_t depth = 1; more && depth < GENERATIONS; depth++) {
		more = false;
		vec_each (l, p)
			if (p->depth == depth)
				more |= mark_children(l, p->pid, depth);
	}
}

static void find_pythons(struct one *one, listing *l, const struct inspector *inspector)
{
	const struct listed *p;
	struct err why;
	bool doubt;
	int looks = 0;

	one->pythons = one->depth = 0;
	mark_descendants(l, one->pid);
	vec_each (l, p) {
		if (!p->depth || looks++ >= LOOKS ||
		    inspector_kind(inspector, p->pid, &why, &doubt) != PROC_PYTHON)
			continue;
		if (one->pythons < SHOWN)
			one->python[one->pythons] = *p;
		one->pythons++;
		one->depth = p->depth > one->depth ? p->depth : one->depth;
	}
}

int named_look(struct named *n, const struct inspector *inspector)
{
	_cleanup_(listing_done) listing l = {};
	struct proc_stat stat;
	struct one *one;
	int err = 0;

	vec_each (&n->ones, one) {
		if (err || !runs(one, &stat))
			continue;
		memcpy(one->comm, stat.comm, sizeof(one->comm));
		one->why = (struct err){};
		one->doubt = false;
		one->kind = inspector_kind(inspector, one->pid, &one->why, &one->doubt);
		if (one->kind == PROC_PYTHON)
			continue;
		err = l.len ? 0 : list_all(&l);
		if (!err)
			find_pythons(one, &l, inspector);
	}
	return err;
}

bool named_python(const struct named *n)
{
	const struct one *one;

	vec_each (&n->ones, one)
		if (one->kind == PROC_PYTHON || (n->descendants && one->pythons))
			return true;
	return false;
}

bool named_refused(const struct named *n)
{
	const struct one *one;

	vec_each (&n->ones, one)
		if (one->why.code != -EPERM && one->why.code != -EACCES)
			return false;
	return true;
}

/* --- messages --------------------------------------------------------------------------------- */

static void say_process(pid_t pid, const char *comm, struct buf *out)
{
	buf_printf(out, "%d (", pid);
	utf8_show(out, comm, strlen(comm));
	buf_char(out, ')');
}

static void say_pythons(const struct one *one, struct buf *out)
{
	bool many = one->pythons > 1;
	uint32_t shown = one->pythons < SHOWN ? one->pythons : SHOWN;

	buf_str(out, one->depth > 1 ? "; its descendant" : "; its child");
	buf_str(out, !many ? " " : one->depth > 1 ? "s " : "ren ");
	for (uint32_t i = 0; i < shown; i++) {
		if (i)
			buf_str(out, i + 1 == one->pythons ? " and " : ", ");
		say_process(one->python[i].pid, one->python[i].comm, out);
	}
	if (one->pythons > SHOWN)
		buf_printf(out, " and %u more", one->pythons - SHOWN);
	buf_str(out, many ? " are: add -s" : " is: add -s");
}

static void say_one(const struct named *n, const struct one *one, bool ended, struct buf *out)
{
	buf_str(out, "pid ");
	say_process(one->pid, one->comm, out);
	if (one->kind == PROC_UNSUPPORTED)
		buf_printf(out, " is not recorded%s: %s", one->doubt && !ended ? " yet" : "",
			   one->why.text);
	else
		buf_str(out, " is not a Python process");
	if (one->pythons)
		say_pythons(one, out);
	else if (n->descendants)
		buf_str(out, ", nor is any of its descendants");
}

void named_say(const struct named *n, bool ended, const char *before, const char *after,
	       struct buf *out)
{
	const struct one *one;

	vec_each (&n->ones, one) {
		if (one->kind == PROC_PYTHON || (n->descendants && one->pythons))
			continue;
		buf_str(out, before);
		say_one(n, one, ended, out);
		buf_str(out, after);
	}
}
