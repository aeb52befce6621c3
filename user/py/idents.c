/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	glibc   get_robust_list(tid) ─► head of its list of robust mutexes: a field of its struct pthread, which
 *	        begins at pthread_self(). The field 16 bytes before it is the thread's id.
 *	musl    has no such list before it is needed. Each thread state of the interpreter knows the
 *	        pthread_self() of the thread that made it; from there, native_thread_id (3.11+) or the id in
 *	        struct pthread leads to the thread.
 *
 * A state may be a thread's that has ended, and after a fork() by C code native_thread_id is the parent's. So the
 * id in struct pthread counts, and native_thread_id only where that is not found.
 */
#include "py/idents.h"

#include <asm/unistd.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "proc/procfs.h"
#include "proc/rmem.h"
#include "proc/task.h"

/* The list's head in glibc's struct pthread; the same in all of its versions. */
#if defined(__x86_64__)
enum { ROBUST_HEAD = 0x2e0 };
#else
enum { ROBUST_HEAD = 0xe0 };
#endif

enum {
	INTERPS = 64,
	STATES = 1 << 17,
	ROBUST_TID = 16, /* the thread's id lies that much before it */
	/* The part of musl's struct pthread that has the id, in all of its versions. */
	MUSL_FIRST = 32,
	MUSL_END = 96,
};

struct thread {
	pid_t tid, ns_tid;
	uint64_t self;
};

struct search {
	const struct idents_wanted *w;
	VEC(struct thread) threads; /* by ascending tid */
	uint32_t strays;            /* states that led to no thread */
};

static uint64_t word(const struct search *s, uint64_t addr)
{
	uint64_t v;

	return addr && !rmem_read(s->w->pid, addr, &v, sizeof(v)) ? v : 0;
}

static uint64_t by_robust_list(const struct search *s, const struct thread *t)
{
	uint64_t head = 0;
	size_t len = 0;
	pid_t id;

	if (syscall(__NR_get_robust_list, t->tid, &head, &len) || head < ROBUST_HEAD ||
	    rmem_read(s->w->pid, head - ROBUST_TID, &id, sizeof(id)) || id != t->ns_tid)
		return 0;
	return head - ROBUST_HEAD;
}

static int list_threads(struct search *s)
{
	procfs_pids tids = {};
	struct task_now now;
	pid_t *tid;
	int err = procfs_list_threads(s->w->pid, &tids);

	vec_each (&tids, tid) {
		struct thread t = { .tid = *tid };

		if (err || task_read(s->w->pid, *tid, &now))
			continue;
		t.ns_tid = now.ns_tid;
		t.self = by_robust_list(s, &t);
		err = vec_push(&s->threads, t);
	}
	vec_done(&tids);
	return err;
}

/* --- by the states of the interpreters -------------------------------------------------------- */

static struct thread *with_ns_tid(struct search *s, pid_t ns_tid)
{
	struct thread *t;

	vec_each (&s->threads, t)
		if (t->ns_tid == ns_tid)
			return t;
	return NULL;
}

static bool is_known(const struct search *s, uint64_t self)
{
	const struct thread *t;

	vec_each (&s->threads, t)
		if (t->self == self)
			return true;
	return false;
}

/* The thread whose id stands in the struct pthread at @self. NULL: none, or more than one. */
static struct thread *by_struct(struct search *s, uint64_t self)
{
	int32_t words[(MUSL_END - MUSL_FIRST) / 4];
	struct thread *found = NULL, *t;

	if (rmem_read(s->w->pid, self + MUSL_FIRST, words, sizeof(words)))
		return NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		t = words[i] > 0 ? with_ns_tid(s, words[i]) : NULL;
		if (t && found && t != found)
			return NULL;
		found = t ?: found;
	}
	return found;
}

static void take_state(struct search *s, uint64_t state)
{
	const struct py_layout *l = &s->w->layout;
	uint64_t self = word(s, state + l->ts_thread_id);
	struct thread *t;

	if (!self || is_known(s, self))
		return;
	t = by_struct(s, self);
	if (!t && l->ts_native_id)
		t = with_ns_tid(s, word(s, state + l->ts_native_id));
	if (t && !t->self)
		t->self = self;
	else
		s->strays++;
}

static bool is_whole(const struct search *s)
{
	return !s->threads.len || !is_known(s, 0);
}

static void take_states(struct search *s)
{
	const struct py_layout *l = &s->w->layout;
	uint64_t interp = word(s, s->w->interps), state;
	uint32_t left = STATES;

	for (int i = 0; i < INTERPS && interp; i++) {
		state = word(s, interp + l->in_threads);
		while (state && left && !is_whole(s)) {
			take_state(s, state);
			state = word(s, state + l->ts_next);
			left--;
		}
		interp = word(s, interp + l->in_next);
	}
}

int idents_read(const struct idents_wanted *w, struct buf *out)
{
	struct search s = { .w = w };
	const struct thread *t;
	int err = list_threads(&s);

	if (!err && !is_whole(&s))
		take_states(&s);
	vec_each (&s.threads, t) {
		const struct ident i = { t->tid, !t->self && s.strays, t->self };

		if (!err)
			buf_add(out, &i, sizeof(i));
	}
	vec_done(&s.threads);
	return err ? err : out->err;
}
