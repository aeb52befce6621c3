/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	key, exe ──── look ────► addresses            the process may have executed something else
 *	                             │                between the kernel's event and the look
 *	   └── listed again: same? ──┴─► map programs
 *
 * A row is used for every process that executes the file, so a wrong row is worse than none. It is made only
 * if the kernel reports the same executable after the look as before it. For a few candidates the kernel is
 * asked about each process; at the start, with many of them, for the list of all tasks.
 */
#include "session/programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/vec.h"

enum {
	MAX_CANDIDATES = 64, /* at once; others are learned from a later process */
	MAX_KNOWN = 4096, /* then known is emptied and learned anew; the kernel's map holds fewer */
	ONE_BY_ONE = 4,   /* more candidates than this are confirmed with one list of all tasks */
};

struct candidate {
	struct proc_key key;
	struct wire_exe exe;
	struct program program;
};

struct programs {
	struct kern *kern;
	struct hmap *known; /* struct file_id to enum proc_kind */
	VEC(struct candidate) candidates;
};

struct programs *programs_new(struct kern *k)
{
	struct programs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->kern = k;
	p->known = hmap_new(sizeof(struct file_id), sizeof(uint32_t));
	if (!p->known) {
		programs_free(p);
		return NULL;
	}
	return p;
}

void programs_free(struct programs *p)
{
	if (!p)
		return;
	hmap_free(p->known);
	vec_done(&p->candidates);
	free(p);
}

bool programs_has(const struct programs *p, const struct wire_exe *exe)
{
	const uint32_t *kind = hmap_get(p->known, &exe->file);

	return kind && *kind == PROC_PYTHON;
}

/* Equal apart from the addresses of that one process? */
static bool is_equal(const struct program *a, const struct program *b)
{
	return a->info.kind == b->info.kind && a->info.layout == b->info.layout &&
	       !a->debug == !b->debug && a->dynamic == b->dynamic && a->note == b->note &&
	       a->id_len == b->id_len && !memcmp(a->id, b->id, sizeof(a->id));
}

static bool is_candidate(const struct programs *p, const struct wire_exe *exe)
{
	const struct candidate *c;

	vec_each (&p->candidates, c)
		if (!memcmp(&c->exe.file, &exe->file, sizeof(exe->file)))
			return true;
	return false;
}

int programs_learn(struct programs *p, const struct proc_key *key, const struct wire_exe *exe,
		   const struct program *program)
{
	struct candidate c = { .key = *key, .exe = *exe, .program = *program };
	struct program old;

	if (program->info.kind == PROC_PYTHON)
		c.program.start_code = exe->start_code;
	if (!exe->file.inode || p->candidates.len >= MAX_CANDIDATES || is_candidate(p, exe))
		return 0;
	if (hmap_get(p->known, &exe->file) && !kern_get_program(p->kern, &exe->file, &old) &&
	    is_equal(&old, &c.program))
		return 0;
	return vec_push(&p->candidates, c);
}

int programs_learn_other(struct programs *p, const struct proc_key *key, const struct wire_exe *exe)
{
	static const struct program other = { .info.kind = PROC_OTHER };

	/* The process is still inside execve and has not mapped anything yet. */
	if (!exe->start_code)
		return 0;
	if (!programs_has(p, exe))
		return programs_learn(p, key, exe, &other);
	programs_drop(p, exe);
	return 0;
}

/* Bounds the memory of krait even if endless copies of an executable are run. */
static int make_room(struct programs *p)
{
	struct hmap *empty;

	if (hmap_count(p->known) < MAX_KNOWN)
		return 0;
	empty = hmap_new(sizeof(struct file_id), sizeof(uint32_t));
	if (!empty)
		return -ENOMEM;
	hmap_free(p->known);
	p->known = empty;
	return 0;
}

static int believe(struct programs *p, const struct candidate *c)
{
	uint32_t *kind = make_room(p) ? NULL : hmap_put(p->known, &c->exe.file, NULL);

	if (!kind)
		return -ENOMEM;
	*kind = c->program.info.kind;
	return kern_set_program(p->kern, &c->exe.file, &c->program);
}

static int on_task(void *ctx, const struct wire_task *task)
{
	struct programs *p = ctx;
	const struct candidate *c;
	int err = 0;

	vec_each (&p->candidates, c)
		if (!err && !memcmp(&c->key, &task->proc, sizeof(c->key)) &&
		    !memcmp(&c->exe, &task->exe, sizeof(c->exe)))
			err = believe(p, c);
	return err;
}

int programs_confirm(struct programs *p)
{
	const struct candidate *c;
	int err = 0;

	if (p->candidates.len > ONE_BY_ONE)
		err = kern_list_tasks(p->kern, on_task, p);
	else
		vec_each (&p->candidates, c)
			if (!err)
				err = kern_list_task(p->kern, c->key.tgid, on_task, p);
	p->candidates.len = 0;
	return err;
}

void programs_drop(struct programs *p, const struct wire_exe *exe)
{
	if (!hmap_get(p->known, &exe->file))
		return;
	hmap_del(p->known, &exe->file);
	kern_del_program(p->kern, &exe->file);
}
