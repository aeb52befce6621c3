/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the BPF program that lets a sampled task read its own memory that was not resident (kernel
 * 6.18 and later). It is a separate object because older kernels refuse it.
 */
#ifndef KRAIT_FAULTING_H
#define KRAIT_FAULTING_H

struct bpf_object;
struct bpf_map;
struct faulting;

/* The kernel functions that the object was built for. */
enum faulting_kind {
	FAULTING_NONE,
	FAULTING_IMPL,  /* bpf_task_work_schedule_resume_impl() (6.18, 6.19) */
	FAULTING_PLAIN, /* bpf_task_work_schedule_resume() (7.0 and later) */
	FAULTING_KINDS,
};

/* The kind that loads on this kernel. */
enum faulting_kind faulting_probe(void);

/*
 * Begins to load the program in a thread, beside @main, which the caller loads next. Creates the maps
 * that both use, with @main's sizes. NULL with errno.
 */
struct faulting *faulting_new(enum faulting_kind kind, struct bpf_object *main);
/* Waits for the load, and puts the program into @after as the only element. 0 or -errno. */
int faulting_finish(struct faulting *f, struct bpf_map *after);
void faulting_free(struct faulting *f);

#endif
