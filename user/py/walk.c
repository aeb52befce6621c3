/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the walker's steps in the same order as the sampler does, with plain loops. */
#include "py/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef const struct walk pywalk_source;
static int read_user(pywalk_source *src, void *to, uint32_t len, uint64_t addr);
static uint64_t stack_end(pywalk_source *src, uint64_t sp);

#include "bpf/pywalk.h"

_Static_assert((int)WALK_REGS == (int)PYWALK_REGS, "registers");

struct walk {
	walk_reader *read;
	void *ctx;
	struct walk_thread thread; /* the current one */
	struct pywalk walk;
	uint64_t at[WIRE_MAX_FRAMES]; /* of each of walk.frames: its address */
};

static int read_user(pywalk_source *src, void *to, uint32_t len, uint64_t addr)
{
	return src->read(src->ctx, to, len, addr);
}

/* As the kernel side computes it (task_stack_top() in bpf/task.bpf.h). */
static uint64_t stack_end(pywalk_source *src, uint64_t sp)
{
	const struct walk_thread *t = &src->thread;

	if (t->stack_top || !sp)
		return t->stack_top;
	if (t->first_start - sp < t->first_len)
		return t->first_start;
	return t->first_start && sp < t->thread_pointer ? t->thread_pointer : 0;
}

struct walk *walk_new(walk_reader *reader, void *ctx)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->read = reader;
	w->ctx = ctx;
	return w;
}

void walk_free(struct walk *w)
{
	free(w);
}

static void prepare(struct pywalk *w, const struct proc_key *proc, uint64_t code_type)
{
	w->seed = pywalk_seed(proc);
	w->max_depth = WIRE_MAX_FRAMES;
	w->code_type = code_type;
	w->stack.proc = *proc;
	pywalk_reset(w);
}

static void walk_frames(struct walk *host, const struct py_layout *l, const struct proc_info *p,
			bool alone)
{
	struct pywalk *w = &host->walk;
	int go = pywalk_find(host, w, l, p);

	if (alone)
		go = pywalk_adopt(host, w, l, p, go);
	if (go == PYWALK_GO)
		go = pywalk_start(host, w, l, p);
	for (int i = 0; i < WIRE_MAX_WALK && go != PYWALK_END; i++) {
		uint64_t at = w->next;
		uint32_t slot = w->slot, total = w->total;

		go = pywalk_next(host, w, l, p);
		if (w->total > total)
			host->at[slot] = at;
	}
	pywalk_check_absence(host, w);
}

const struct wire_stack *walk_stack(struct walk *host, const struct py_layout *l,
				    const struct proc_info *p, const struct walk_thread *t,
				    const struct wire_frame **ret_frames)
{
	struct pywalk *w = &host->walk;

	prepare(w, &t->proc, p->code_type);
	w->thread_id = t->thread_pointer - p->tss_base;
	w->ns_tid = t->ns_tid;
	w->sp = t->sp;
	w->has_top = 0;
	w->leader = t->leader;
	w->asleep = t->asleep;
	w->in_loop = !(l->flags & PY_IFRAME) && t->pc - p->entry < p->at_entry.code;
	host->thread = *t;
	w->has_regs = !!t->regs;
	if (t->regs)
		memcpy(w->regs, t->regs, sizeof(w->regs));
	pywalk_stopped(w, l, p, t->pc);
	walk_frames(host, l, p, t->alone);
	pywalk_finish(w);
	*ret_frames = w->frames;
	return &w->stack;
}

uint64_t walk_frame_at(const struct walk *host, uint32_t i)
{
	return host->at[i & (WIRE_MAX_FRAMES - 1)];
}

uint64_t walk_state(const struct walk *host)
{
	return host->walk.tstate;
}

uint64_t walk_gil(struct walk *host, const struct py_layout *l, const struct proc_info *p)
{
	return pywalk_gil(host, &host->walk, l, p);
}

bool walk_in_gil(uint64_t gil, uint64_t address)
{
	return gil && address - gil < PYWALK_GIL_SIZE;
}

int walk_code_id(struct walk *host, const struct py_layout *l, uint64_t code_type,
		 const struct proc_key *proc, uint64_t addr, uint64_t *ret)
{
	struct pywalk *w = &host->walk;
	struct pywalk_code *c;
	int known;

	prepare(w, proc, code_type);
	c = pywalk_known(w, addr);
	known = pywalk_load_code(host, w, l, c, addr);
	if (known <= 0)
		return known < 0 ? -EFAULT : -EINVAL;
	*ret = c->id;
	return 0;
}

int walk_frame(struct walk *host, const struct py_layout *l, uint64_t code_type,
	       const struct proc_key *proc, uint64_t at, struct wire_frame *ret)
{
	struct pywalk *w = &host->walk;
	struct pywalk_code *c;
	uint64_t code;
	int off;

	prepare(w, proc, code_type);
	off = (at & 7) || at >> 48 ? -1 : pywalk_load_frame(host, w, l, at);
	if (off < 0)
		return -EFAULT;
	code = page_u64(w, off + l->fr_code) & ~3ULL;
	c = pywalk_known(w, code);
	if (!pywalk_load_code(host, w, l, c, code))
		return -EINVAL;
	*ret = (struct wire_frame){ c->id, code, pywalk_lasti(host, w, l, c, off), c->frame_flags };
	return 0;
}

uint64_t walk_address_id(const struct proc_key *proc, uint64_t addr)
{
	return pywalk_mix(pywalk_seed(proc), addr);
}
