/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads are found by (process, tid, life), states by their fields, rows by (thread, state, node), each in a hash
 * table. There are few losses, so those are searched linearly.
 */
#include "model/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "model/series.h"

#define FIRST_BIN_NS 1000000000 /* the sampler delivers counts once a second */

struct thread_key {
	uint32_t process;
	uint32_t tid;
	uint64_t life;
};

/* Names as numbers in texts, 0: none. */
struct state_key {
	uint32_t kind, leaf, holds_gil;
	uint32_t call, module, task;
};

struct count_key {
	uint32_t thread;
	uint32_t state;
	uint32_t node;
};

struct profile {
	struct profile_meta meta;
	VEC(struct process) processes;
	VEC(struct thread) threads;
	VEC(struct state) states;
	VEC(struct container) containers;
	VEC(struct profile_loss) losses;
	struct strpool *texts;   /* names of system calls and tasks, strings of containers */
	struct hmap *thread_ids; /* struct thread_key -> uint32_t */
	struct hmap *state_ids;  /* struct state_key -> uint32_t */
	struct hmap *row_ids;    /* struct count_key -> uint32_t */
	VEC(struct profile_row) rows;
	struct series *series;
	profile_resolver *resolve;
	void *resolve_ctx;
};

struct profile *profile_new(void)
{
	_cleanup_(profile_freep) struct profile *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->thread_ids = hmap_new(sizeof(struct thread_key), sizeof(uint32_t));
	p->state_ids = hmap_new(sizeof(struct state_key), sizeof(uint32_t));
	p->row_ids = hmap_new(sizeof(struct count_key), sizeof(uint32_t));
	p->series = series_new(FIRST_BIN_NS, PROFILE_BINS);
	p->texts = strpool_new();
	if (!p->thread_ids || !p->state_ids || !p->row_ids || !p->series || !p->texts ||
	    profile_add_state(p, &(struct state){ .kind = STATE_RUNNING }) ||
	    profile_add_container(p, &(struct container){}))
		return NULL;
	return take_ptr(p);
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	vec_done(&p->processes);
	vec_done(&p->threads);
	vec_done(&p->states);
	vec_done(&p->containers);
	vec_done(&p->losses);
	strpool_free(p->texts);
	hmap_free(p->thread_ids);
	hmap_free(p->state_ids);
	hmap_free(p->row_ids);
	vec_done(&p->rows);
	series_free(p->series);
	free(p);
}

static int copy_thread(struct profile *to, const struct thread *t, uint64_t life)
{
	uint32_t i = profile_add_life(to, t->process, t->tid, life, t->comm);

	if (i != PROFILE_NONE)
		profile_set_thread_start(to, i, t->start);
	return i == PROFILE_NONE ? -ENOMEM : 0;
}

/* @to must be empty. */
static int copy_tables(struct profile *to, const struct profile *from)
{
	const struct process *process;
	const struct thread *t;
	const struct state *state;
	const struct profile_loss *loss;
	int err = 0;

	vec_each (&from->processes, process) {
		struct process copy = *process;

		copy.samples = 0;
		err |= vec_push(&to->processes, copy);
	}
	vec_each (&from->threads, t) /* any unique life will do */
		err |= copy_thread(to, t, t - from->threads.at + 1);
	vec_each (&from->states, state)
		err |= profile_add_state(to, state) == PROFILE_NONE;
	vec_each (&from->losses, loss)
		err |= vec_push(&to->losses, *loss);
	for (uint32_t i = 1; i < from->containers.len; i++)
		err |= profile_add_container(to, &from->containers.at[i]) == PROFILE_NONE;
	return err ? -ENOMEM : 0;
}

struct profile *profile_like(const struct profile *p)
{
	_cleanup_(profile_freep) struct profile *copy = profile_new();

	if (!copy || copy_tables(copy, p))
		return NULL;
	copy->meta = p->meta;
	copy->resolve = p->resolve;
	copy->resolve_ctx = p->resolve_ctx;
	return take_ptr(copy);
}

void profile_set_meta(struct profile *p, const struct profile_meta *meta)
{
	p->meta = *meta;
}

const struct profile_meta *profile_meta(const struct profile *p)
{
	return &p->meta;
}

bool profile_counts_waits(const struct profile *p)
{
	return !strcmp(p->meta.mode, "wall") || !strcmp(p->meta.mode, "gil");
}

bool profile_tells_leaves(const struct profile *p)
{
	const struct state *s;

	vec_each (&p->states, s)
		if (s->leaf != LEAF_UNKNOWN)
			return true;
	return false;
}

bool profile_tells_tasks(const struct profile *p)
{
	const struct state *s;

	vec_each (&p->states, s)
		if (s->task)
			return true;
	return false;
}

/* Through a copy, because @comm may be @to itself. */
static void set_comm(char *to, size_t size, const char *comm)
{
	char copy[PROFILE_NAME] = { 0 };

	memcpy(copy, comm, strnlen(comm, size - 1));
	memcpy(to, copy, size);
}

/* --- processes and threads ---------------------------------------------------------------- */

uint32_t profile_add_process(struct profile *p, uint32_t pid, const char *comm)
{
	struct process process = { .pid = pid, .flavour = "" };

	set_comm(process.comm, sizeof(process.comm), comm);
	if (p->processes.len == PROFILE_NONE || vec_push(&p->processes, process))
		return PROFILE_NONE;
	return p->processes.len - 1;
}

void profile_set_process_comm(struct profile *p, uint32_t process, const char *comm)
{
	set_comm(p->processes.at[process].comm, PROFILE_COMM, comm);
}

void profile_set_process_version(struct profile *p, uint32_t process, uint16_t version,
				 const char *flavour)
{
	p->processes.at[process].version = version;
	p->processes.at[process].flavour = flavour;
}

void profile_set_process_container(struct profile *p, uint32_t process, uint32_t container)
{
	p->processes.at[process].container = container;
}

const struct process *profile_process(const struct profile *p, uint32_t process)
{
	return &p->processes.at[process];
}

uint32_t profile_processes(const struct profile *p)
{
	return p->processes.len;
}

void profile_set_process_start(struct profile *p, uint32_t process, uint64_t start, uint64_t boot)
{
	p->processes.at[process].start = start;
	p->processes.at[process].boot = boot;
}

bool profile_has_life(const struct profile *p, uint32_t process, uint32_t tid, uint64_t life)
{
	const struct thread_key key = { .process = process, .tid = tid, .life = life };

	return hmap_get(p->thread_ids, &key);
}

uint32_t profile_add_thread(struct profile *p, uint32_t process, uint32_t tid, const char *comm)
{
	return profile_add_life(p, process, tid, 0, comm);
}

uint32_t profile_add_life(struct profile *p, uint32_t process, uint32_t tid, uint64_t life,
			  const char *comm)
{
	struct thread_key key = { .process = process, .tid = tid, .life = life };
	struct thread thread = { .process = process, .tid = tid };
	uint32_t *id = hmap_get(p->thread_ids, &key);

	if (id)
		return *id;
	set_comm(thread.comm, sizeof(thread.comm), comm);
	if (p->threads.len == PROFILE_NONE || vec_push(&p->threads, thread))
		return PROFILE_NONE;
	id = hmap_put(p->thread_ids, &key, NULL);
	if (!id) {
		p->threads.len--;
		return PROFILE_NONE;
	}
	*id = p->threads.len - 1;
	return *id;
}

void profile_set_thread_comm(struct profile *p, uint32_t thread, const char *comm)
{
	set_comm(p->threads.at[thread].comm, PROFILE_NAME, comm);
}

void profile_name_thread(struct profile *p, uint32_t thread, const char *name)
{
	size_t len = strlen(name);

	if (len >= PROFILE_NAME)
		len = PROFILE_NAME - 1;
	while (len && ((unsigned char)name[len] & 0xc0) == 0x80) /* in the middle of a character */
		len--;
	memset(p->threads.at[thread].comm, 0, PROFILE_NAME);
	memcpy(p->threads.at[thread].comm, name, len);
	p->threads.at[thread].named = true;
}

void profile_set_thread_start(struct profile *p, uint32_t thread, uint64_t start)
{
	p->threads.at[thread].start = start;
}

const struct thread *profile_thread(const struct profile *p, uint32_t thread)
{
	return &p->threads.at[thread];
}

uint32_t profile_threads(const struct profile *p)
{
	return p->threads.len;
}

/* --- containers --------------------------------------------------------------------------- */

/* Replaces the caller's strings by copies that the profile owns. 0 or -ENOMEM. */
static int own_texts(struct profile *p, struct container *c)
{
	const char **const texts[] = { &c->id, &c->name,    &c->engine, &c->image, &c->pod,
				       &c->ns, &c->pod_uid, &c->unit,   &c->labels };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = *texts[i] ? *texts[i] : "";
		uint32_t id = strpool_add(p->texts, text, strlen(text));

		if (id == UINT32_MAX)
			return -ENOMEM;
		*texts[i] = strpool_str(p->texts, id);
	}
	return 0;
}

uint32_t profile_add_container(struct profile *p, const struct container *c)
{
	struct container copy = *c;

	if (own_texts(p, &copy) || vec_push(&p->containers, copy))
		return PROFILE_NONE;
	return p->containers.len - 1;
}

int profile_set_container(struct profile *p, uint32_t container, const struct container *c)
{
	struct container copy = *c;
	int err = own_texts(p, &copy);

	if (!err)
		p->containers.at[container] = copy;
	return err;
}

const struct container *profile_container(const struct profile *p, uint32_t container)
{
	return &p->containers.at[container];
}

uint32_t profile_containers(const struct profile *p)
{
	return p->containers.len;
}

/* --- states ------------------------------------------------------------------------------- */

/* The number of @text in texts. UINT32_MAX: out of memory. */
static uint32_t number_of(struct profile *p, const char *text)
{
	return text ? strpool_add(p->texts, text, strlen(text)) : 0;
}

uint32_t profile_add_state(struct profile *p, const struct state *state)
{
	const struct state_key key = { state->kind,
				       state->leaf,
				       state->holds_gil,
				       number_of(p, state->call),
				       number_of(p, state->module),
				       number_of(p, state->task) };
	struct state copy = *state;
	uint32_t *id;
	bool fresh;

	if (key.call == UINT32_MAX || key.module == UINT32_MAX || key.task == UINT32_MAX)
		return PROFILE_NONE;
	id = hmap_put(p->state_ids, &key, &fresh);
	if (!id || !fresh)
		return id ? *id : PROFILE_NONE;
	copy.call = key.call ? strpool_str(p->texts, key.call) : NULL;
	copy.module = key.module ? strpool_str(p->texts, key.module) : NULL;
	copy.task = key.task ? strpool_str(p->texts, key.task) : NULL;
	*id = p->states.len;
	return vec_push(&p->states, copy) ? PROFILE_NONE : *id;
}

const struct state *profile_state(const struct profile *p, uint32_t state)
{
	return &p->states.at[state];
}

uint32_t profile_states(const struct profile *p)
{
	return p->states.len;
}

/* --- counts ------------------------------------------------------------------------------- */

void profile_set_time(struct profile *p, uint64_t ns)
{
	series_set_time(p->series, ns);
}

uint64_t profile_bin_ns(const struct profile *p)
{
	return series_bin_ns(p->series);
}

uint32_t profile_bins(const struct profile *p)
{
	return series_bins(p->series);
}

static struct profile_row *row_of(struct profile *p, const struct count_key *key)
{
	struct profile_row fresh = { .process = p->threads.at[key->thread].process,
				     .thread = key->thread,
				     .node = key->node,
				     .state = key->state };
	uint32_t *id = hmap_get(p->row_ids, key);

	if (id)
		return &p->rows.at[*id];
	if (p->rows.len == PROFILE_NONE || vec_push(&p->rows, fresh))
		return NULL;
	id = hmap_put(p->row_ids, key, NULL);
	if (!id) {
		p->rows.len--;
		return NULL;
	}
	*id = p->rows.len - 1;
	return &p->rows.at[*id];
}

int profile_count(struct profile *p, uint32_t thread, uint32_t node, uint32_t state,
		  uint64_t weight)
{
	const struct count_key key = { .thread = thread, .state = state, .node = node };
	struct profile_row *row = row_of(p, &key);

	if (!row || series_add(p->series, &row->series, weight))
		return -ENOMEM;
	row->weight += weight;
	p->processes.at[row->process].samples += weight;
	return 0;
}

bool profile_each(const struct profile *p, size_t *pos, struct profile_row *ret)
{
	if (*pos >= p->rows.len)
		return false;
	*ret = p->rows.at[(*pos)++];
	return true;
}

bool profile_each_bin(const struct profile *p, const struct profile_row *row, uint32_t *pos,
		      struct profile_bin *ret)
{
	return series_each(p->series, row->series, pos, &ret->bin, &ret->weight);
}

size_t profile_rows(const struct profile *p)
{
	return p->rows.len;
}

size_t profile_bytes(const struct profile *p)
{
	return p->processes.len * sizeof(*p->processes.at) +
	       p->threads.len * sizeof(*p->threads.at) + p->rows.len * sizeof(*p->rows.at) +
	       p->containers.len * sizeof(*p->containers.at) + strpool_bytes(p->texts) +
	       p->states.len * sizeof(*p->states.at) + hmap_bytes(p->state_ids) +
	       hmap_bytes(p->thread_ids) + hmap_bytes(p->row_ids) + series_bytes(p->series);
}

void profile_freeze(struct profile *p)
{
	series_freeze(p->series);
}

/* --- losses ------------------------------------------------------------------------------- */

int profile_set_loss(struct profile *p, const char *name, const char *text, uint64_t count)
{
	struct profile_loss loss = { .name = name, .text = text, .count = count };
	struct profile_loss *it;

	vec_each (&p->losses, it) {
		if (!strcmp(it->name, name)) {
			*it = loss;
			return 0;
		}
	}
	return vec_push(&p->losses, loss);
}

const struct profile_loss *profile_losses(const struct profile *p, size_t *n)
{
	*n = p->losses.len;
	return p->losses.at;
}

/* --- frames ------------------------------------------------------------------------------- */

void profile_set_resolver(struct profile *p, profile_resolver *fn, void *ctx)
{
	p->resolve = fn;
	p->resolve_ctx = ctx;
}

void profile_frame(const struct profile *p, uint32_t frame_id, struct frame *ret)
{
	*ret = (struct frame){ .kind = FRAME_MARK };
	if (p->resolve)
		p->resolve(p->resolve_ctx, frame_id, ret);
	if (!ret->name)
		ret->name = "?";
}
