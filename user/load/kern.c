/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open ─► sizes, configuration ─► load ─► filters ─► attach lifecycle
 *
 * perf.c attaches the sampler later, when the process table is filled. Two count sets are created
 * here and take turns as the only element of a map of maps; so do rings, each larger than the last.
 */
#include "load/kern.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "load/faulting.h"
#include "load/natvisit.h"
#include "krait.skel.h"

enum {
	SETS = 2,
	BATCH = 4096,
	CGROUPS = 16384,     /* cgroups in the filter, including those that are gone */
	MORE_INTERPS = 1024, /* further interpreters of all processes */
};

struct kern {
	struct krait_bpf *skel;
	struct bpf_program *sampler;
	struct bpf_program *switches; /* wall-clock mode: the one that is loaded */
	struct natvisit *natvisit;    /* the same, with native frames; else NULL */
	struct faulting *faulting;    /* NULL: not supported by this kernel */
	int sets[SETS];
	int live; /* index of the set that the sampler uses */
	int ring;
	uint32_t ring_bytes, ring_most;
	int cpus;
	struct bpf_link *links[8];
	bool visit_one;
	bool tasks;
	struct kern_native native;
};

static int libbpf_silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static int libbpf_loud(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return vfprintf(stderr, fmt, args);
}

/* Before 5.11 maps count against RLIMIT_MEMLOCK, and exceeding it is -EPERM, not -ENOMEM. */
static int sets_error(struct err *err, int code, uint32_t entries)
{
	if (code == -EPERM)
		return err_set(err, code,
			       "bpf: 'counts': permission denied; before Linux 5.11, BPF maps are "
			       "locked memory: raise ulimit -l, or run with CAP_SYS_RESOURCE");
	return err_set(err, code,
		       "bpf: 'counts': cannot create a map of %u entries (error %d); use a "
		       "smaller --max-counts",
		       entries, -code);
}

static int make_sets(struct kern *k, uint32_t entries, bool grow, struct err *err)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = grow ? BPF_F_NO_PREALLOC : 0);
	struct bpf_map *like = bpf_map__inner_map(k->skel->maps.count_sets);

	for (int i = 0; i < SETS; i++) {
		k->sets[i] = bpf_map_create(BPF_MAP_TYPE_HASH, "counts", sizeof(struct count_key),
					    sizeof(uint64_t), entries, &opts);
		if (k->sets[i] < 0)
			return sets_error(err, -errno, entries);
	}
	return bpf_map__set_map_flags(like, opts.map_flags);
}

/* A descriptor or -errno. */
static int make_ring(uint32_t bytes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, bytes, NULL);

	return fd < 0 ? -errno : fd;
}

static int put_only(const struct bpf_map *of_maps, int fd)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(of_maps), &zero, &fd, BPF_ANY) ? -errno : 0;
}

/* @grow: tables that are large for the sake of large hosts take their memory as they fill. */
static int set_sizes(struct kern *k, const struct kern_opts *o, bool grow)
{
	const uint32_t walks = k->cpus + (o->config.wall ? WIRE_VISITORS : 0);
	const struct {
		struct bpf_map *map;
		uint32_t entries;
		bool grows;
	} sizes[] = {
		{ k->skel->maps.procs, o->max_procs, true },
		{ k->skel->maps.more_interps, MORE_INTERPS, true },
		{ k->skel->maps.filter_pid, o->config.filters & BY_PID ? o->max_procs : 1, true },
		{ k->skel->maps.filter_tid, o->chosen.ntids + 1, false },
		{ k->skel->maps.filter_uid, o->chosen.nuids + 1, false },
		{ k->skel->maps.filter_comm, o->chosen.ncomms + 1, false },
		{ k->skel->maps.filter_cgroup, o->config.filters & BY_CGROUP ? CGROUPS : 1, false },
		{ k->skel->maps.scratches, walks, false },
		{ k->skel->maps.wanted, k->cpus, false },
		{ k->skel->maps.sent_stacks, o->config.sent_stacks, false },
		{ k->skel->maps.sent_codes, o->config.sent_codes, false },
		{ k->skel->maps.sent_threads, o->max_threads, false },
		{ k->skel->maps.native_scratches, walks, false },
		{ k->skel->maps.kernel_scratches, k->cpus, false },
		{ k->skel->maps.task_scratches, walks, false },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bpf_map *map = sizes[i].map;
		int err = bpf_map__set_max_entries(map, sizes[i].entries);

		if (!err && grow && sizes[i].grows)
			err = bpf_map__set_map_flags(map,
						     bpf_map__map_flags(map) | BPF_F_NO_PREALLOC);
		if (err)
			return err;
	}
	return 0;
}

static int fill_ids(struct bpf_map *map, const uint32_t *ids, size_t n)
{
	__u8 one = 1;

	for (size_t i = 0; i < n; i++)
		if (bpf_map__update_elem(map, &ids[i], sizeof(ids[i]), &one, sizeof(one), BPF_ANY))
			return -errno;
	return 0;
}

static int fill_filters(struct kern *k, const struct kern_chosen *c)
{
	__u8 one = 1;
	int err;

	err = fill_ids(k->skel->maps.filter_pid, c->pids, c->npids);
	if (!err)
		err = fill_ids(k->skel->maps.filter_tid, c->tids, c->ntids);
	if (!err)
		err = fill_ids(k->skel->maps.filter_uid, c->uids, c->nuids);
	for (size_t i = 0; !err && i < c->ncomms; i++)
		err = bpf_map__update_elem(k->skel->maps.filter_comm, c->comms[i], WIRE_COMM, &one,
					   sizeof(one), BPF_ANY);
	return err;
}

/* Attaches the first four programs; in wall-clock mode the others, too. */
static int attach_hooks(struct kern *k, const struct kern_opts *o, struct err *err)
{
	enum { ALWAYS = 4 };
	struct bpf_program *progs[] = { k->skel->progs.on_fork,
					k->skel->progs.on_exec,
					k->skel->progs.on_exit,
					k->skel->progs.on_cgroup,
					k->switches,
					k->skel->progs.on_thread_start,
					k->skel->progs.on_thread_end,
					k->skel->progs.on_thread_exec };

	for (size_t i = 0; i < (o->config.wall ? sizeof(progs) / sizeof(progs[0]) : ALWAYS); i++) {
		if (!bpf_program__autoload(progs[i]))
			continue;
		k->links[i] = bpf_program__attach(progs[i]);
		if (!k->links[i])
			return err_set(err, -errno, "bpf: '%s': cannot attach: %m",
				       bpf_program__name(progs[i]));
	}
	return 0;
}

static int load_error(struct err *err, int code)
{
	if (code == -EPERM || code == -EACCES)
		return err_set(err, -EPERM,
			       "bpf: permission denied while loading programs; run as root, and "
			       "check lockdown (/sys/kernel/security/lockdown) and, before Linux "
			       "5.11, ulimit -l");
	if (code == -ENOMEM || code == -E2BIG)
		return err_set(err, code,
			       "bpf: not enough memory for the maps; use a smaller --ring-size, "
			       "--max-procs or --max-counts");
	if (code == -EMFILE)
		return err_set(err, code, "bpf: too many open files; raise ulimit -n");
	return err_set(err, -EOPNOTSUPP,
		       "bpf: the kernel rejects krait's programs (error %d); run 'krait doctor', "
		       "or add -vv to see why",
		       -code);
}

/*
 * The first object was loaded just before, so a refusal of the second speaks of the kernel, not of
 * permissions, whatever number it has: the caller may then look which version of it loads.
 */
static int second_error(struct err *err, int code)
{
	return load_error(err, code == -EMFILE || code == -ENOMEM ? code : -EOPNOTSUPP);
}

/* Wall-clock mode loads a program always, only if threads can be found by id, or only if they cannot. */
enum wall_part { PART_ALWAYS, PART_ONE, PART_ALL, PART_NONE };

static bool is_chosen(enum wall_part part, bool visit_one)
{
	return part == PART_ALWAYS || part == (visit_one ? PART_ONE : PART_ALL);
}

/* The programs that read tasks, too, or those that do not. */
static struct bpf_program *choose_ring(const struct kern *k)
{
	return k->tasks ? k->skel->progs.visit_ring_tasks : k->skel->progs.visit_ring;
}

static struct bpf_program *choose_all(const struct kern *k)
{
	return k->tasks ? k->skel->progs.visit_all_tasks : k->skel->progs.visit_all;
}

static struct bpf_program *choose_switch(const struct kern *k, bool native)
{
	if (native)
		return k->skel->progs.on_switch_native;
	return k->tasks ? k->skel->progs.on_switch_tasks : k->skel->progs.on_switch;
}

static void choose_wall(struct kern *k, const struct kern_opts *o, bool visit_one)
{
	const bool wall = o->config.wall;
	const struct {
		struct bpf_program *prog;
		enum wall_part part;
	} parts[] = {
		{ k->switches, PART_ALWAYS },
		{ k->skel->progs.on_thread_start, PART_ALWAYS },
		{ k->skel->progs.on_thread_end, PART_ALWAYS },
		{ k->skel->progs.on_thread_exec, PART_ALWAYS },
		{ k->skel->progs.adopt_all, PART_ALWAYS },
		{ k->skel->progs.drain_all, PART_ALWAYS },
		{ choose_ring(k), o->native ? PART_NONE : PART_ONE },
		{ k->skel->progs.adopt_thread, PART_ONE },
		{ choose_all(k), o->native ? PART_NONE : PART_ALL },
	};

	k->visit_one = visit_one;
	/* Task storage needs 5.11; everything else works on 5.10. */
	bpf_map__set_autocreate(k->skel->maps.threads, wall);
	bpf_map__set_autocreate(k->skel->maps.visits, wall);
	bpf_map__set_autocreate(k->skel->maps.knocks, wall);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		bpf_program__set_autoload(parts[i].prog,
					  wall && is_chosen(parts[i].part, visit_one));
}

struct kern_wall kern_wall(const struct kern *k)
{
	struct krait_bpf *skel = k->skel;
	struct bpf_program *visitor = k->natvisit    ? natvisit_program(k->natvisit)
				      : k->visit_one ? choose_ring(k)
						     : choose_all(k);

	if (!skel->rodata->cfg.wall)
		return (struct kern_wall){};
	return (struct kern_wall){ .shared = &skel->bss->wall,
				   .visit = k->visit_one ? visitor : NULL,
				   .adopt = k->visit_one ? skel->progs.adopt_thread : NULL,
				   .visit_all = visitor,
				   .adopt_all = skel->progs.adopt_all,
				   .drain_all = skel->progs.drain_all,
				   .knocks = bpf_map__fd(skel->maps.knocks) };
}

/* The maps for native frames exist only if they are used. */
static void choose_native(struct kern *k, bool native)
{
	bpf_map__set_autocreate(k->skel->maps.native_maps, native);
	bpf_map__set_autocreate(k->skel->maps.native_chunks, native);
	bpf_map__set_autocreate(k->skel->maps.native_pools, native);
	bpf_map__set_autocreate(k->skel->maps.native_procs, native);
	bpf_map__set_autocreate(k->skel->maps.native_scratches, native);
}

static void choose_kernel(struct kern *k, bool kernel)
{
	k->skel->rodata->cfg.kernel = kernel;
	bpf_map__set_autocreate(k->skel->maps.kernel_scratches, kernel);
}

/* The maps for tasks, likewise. */
static void choose_tasks(struct kern *k, bool tasks)
{
	bpf_map__set_autocreate(k->skel->maps.task_places, tasks);
	bpf_map__set_autocreate(k->skel->maps.task_scratches, tasks);
}

static struct bpf_program *choose_sampler(const struct kern *k, const struct kern_opts *o,
					  const struct features *f)
{
	if (o->native)
		return k->skel->progs.sample_native;
	if (o->kernel)
		return k->skel->progs.sample_kernel;
	if (o->tasks)
		return k->skel->progs.sample_tasks;
	if (f->faulting)
		return k->skel->progs.sample_faulting;
	return f->modern ? k->skel->progs.sample : k->skel->progs.sample_bounded;
}

/*
 * Gives the programs their first set of counts or their first ring. The kernel waits until no program
 * can still use the map before, 10 to 30 ms, although there is none: meanwhile krait goes on.
 */
struct first {
	const struct bpf_map *of_maps;
	int fd;
	int code; /* 0 or -errno */
	pthread_t thread;
};

static void *put_first(void *first)
{
	struct first *f = first;

	f->code = put_only(f->of_maps, f->fd);
	return NULL;
}

static int join_firsts(struct first *firsts, size_t n, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < n; i++) {
		pthread_join(firsts[i].thread, NULL);
		if (firsts[i].code)
			code = err_set(err, firsts[i].code, "bpf: '%s': %s",
				       bpf_map__name(firsts[i].of_maps), strerror(-firsts[i].code));
	}
	return code;
}

/* All that the programs need beside their maps. */
static int complete(struct kern *k, const struct kern_opts *o, struct err *err)
{
	int code;

	code = fill_filters(k, &o->chosen);
	if (code)
		return err_set(err, code, "bpf: cannot fill the filters (error %d)", -code);
	code = attach_hooks(k, o, err);
	if (code || !k->faulting)
		return code;
	code = faulting_finish(k->faulting, k->skel->maps.after);
	return code ? second_error(err, code) : 0;
}

/* Opens the object, and chooses what is loaded of it and how large its maps are. */
static int configure(struct kern *k, const struct kern_opts *o, const struct features *f,
		     struct err *err)
{
	int code;

	k->skel = krait_bpf__open();
	if (!k->skel)
		return load_error(err, -errno);
	k->sampler = choose_sampler(k, o, f);
	choose_native(k, o->native);
	choose_tasks(k, o->tasks);
	bpf_program__set_autoload(k->sampler, true);
	k->skel->rodata->cfg = o->config;
	k->skel->rodata->cfg.scratch = k->cpus;
	choose_kernel(k, o->kernel);
	k->tasks = o->tasks;
	k->switches = choose_switch(k, o->native);
	choose_wall(k, o, f->visit_one);
	/* The kernel may be built without cgroups. */
	bpf_program__set_autoload(k->skel->progs.on_cgroup, o->config.cgroup_views != 0);
	code = set_sizes(k, o, f->grow);
	if (!code)
		code = make_sets(k, o->max_counts, f->grow, err);
	if (!code) {
		k->ring_bytes = o->ring_bytes;
		k->ring_most = o->ring_most;
		k->ring = code = make_ring(o->ring_bytes);
	}
	if (code < 0)
		return err && err->code ? code : load_error(err, code);
	return 0;
}

static int load_programs(struct kern *k, enum faulting_kind faulting, struct err *err)
{
	int code;

	if (faulting) {
		k->faulting = faulting_new(faulting, k->skel->obj);
		if (!k->faulting)
			return load_error(err, -errno);
	}
	code = krait_bpf__load(k->skel);
	return code ? load_error(err, code) : 0;
}

static int load_natvisit(struct kern *k, struct err *err)
{
	k->natvisit =
		natvisit_new(k->skel->obj, &k->skel->rodata->cfg, bpf_map__fd(k->skel->maps.bss));
	return k->natvisit ? 0 : second_error(err, -errno);
}

static void *map_memory(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return at == MAP_FAILED ? NULL : at;
}

static int map_native(struct kern *k)
{
	struct kern_native *n = &k->native;

	n->maps = map_memory(k->skel->maps.native_maps);
	n->chunks = map_memory(k->skel->maps.native_chunks);
	n->n_maps = bpf_map__max_entries(k->skel->maps.native_maps);
	n->n_chunks = bpf_map__max_entries(k->skel->maps.native_chunks);
	n->pools = bpf_map__fd(k->skel->maps.native_pools);
	return n->maps && n->chunks ? 0 : -ENOMEM;
}

static void unmap_native(struct kern_native *n)
{
	if (n->maps)
		munmap(n->maps, n->n_maps * sizeof(*n->maps));
	if (n->chunks)
		munmap(n->chunks, n->n_chunks * sizeof(*n->chunks));
}

static int start(struct kern *k, const struct kern_opts *o, const struct features *f,
		 struct err *err)
{
	enum { FIRSTS = 2 };
	struct first firsts[FIRSTS];
	size_t begun = 0;
	int code, joined;

	libbpf_set_print(o->debug ? libbpf_loud : libbpf_silent);
	k->cpus = libbpf_num_possible_cpus();
	if (k->cpus < 0)
		return err_set(err, k->cpus, "bpf: cannot count the CPUs");
	code = configure(k, o, f, err);
	if (!code)
		code = load_programs(k, f->faulting, err);
	if (!code && o->native && map_native(k))
		code = load_error(err, -ENOMEM);
	if (!code && o->native && o->config.wall)
		code = load_natvisit(k, err);
	if (code)
		return code;
	firsts[0] = (struct first){ .of_maps = k->skel->maps.count_sets, .fd = k->sets[0] };
	firsts[1] = (struct first){ .of_maps = k->skel->maps.rings, .fd = k->ring };
	while (begun < FIRSTS &&
	       !pthread_create(&firsts[begun].thread, NULL, put_first, &firsts[begun]))
		begun++;
	if (begun == FIRSTS)
		code = complete(k, o, err);
	else
		code = err_set(err, -EAGAIN, "bpf: cannot create a thread");
	joined = join_firsts(firsts, begun, code ? NULL : err);
	return code ? code : joined;
}

/*
 * What a start leaves behind: the pages with the programs, in krait's own file, and the memory that libbpf
 * has freed. Neither is used again, and together they are a fifth of what krait would keep resident.
 */
static void forget_start(void)
{
	const uintptr_t page = sysconf(_SC_PAGESIZE);
	size_t size;
	const uintptr_t bytes = (uintptr_t)krait_bpf__elf_bytes(&size);
	const uintptr_t from = (bytes + page - 1) & -page, end = (bytes + size) & -page;

	if (from < end)
		madvise((void *)from, end - from, MADV_DONTNEED);
	malloc_trim(0);
}

struct kern *kern_new(const struct kern_opts *opts, const struct features *features,
		      struct err *err)
{
	struct kern *k = calloc(1, sizeof(*k));

	if (!k) {
		err_set(err, -ENOMEM, "bpf: out of memory");
		return NULL;
	}
	for (int i = 0; i < SETS; i++)
		k->sets[i] = -1;
	k->ring = -1;
	if (start(k, opts, features, err)) {
		kern_free(k);
		return NULL;
	}
	forget_start();
	return k;
}

/* All filters are on, so that the verifier checks all of the program. */
static const struct kern_opts small = {
	.config = { .filters = BY_PID | BY_TID | BY_COMM | BY_UID | BY_CHILDREN | BY_CGROUP,
		    .max_depth = 4096,
		    .code_budget = 64,
		    .sent_stacks = 64,
		    .sent_codes = 64,
		    .cgroup_views = 1 << CGROUP_V2 | 1 << CGROUP_V1 },
	.max_procs = 64,
	.max_counts = 64,
	.max_threads = 64,
	.ring_bytes = 1 << 16,
	.ring_most = 1 << 16,
};

static int load_alone(struct kern *k, const char *program)
{
	struct bpf_program *p = NULL, *wanted = NULL;
	int code;

	while ((p = bpf_object__next_program(k->skel->obj, p))) {
		bool is = !strcmp(bpf_program__name(p), program);

		bpf_program__set_autoload(p, is);
		wanted = is ? p : wanted;
	}
	if (!wanted)
		return -ENOENT;
	bpf_map__set_autocreate(k->skel->maps.threads, false);
	bpf_map__set_autocreate(k->skel->maps.visits, false);
	bpf_map__set_autocreate(k->skel->maps.knocks, false);
	choose_native(k, !strcmp(program, "sample_native"));
	choose_tasks(k, strstr(program, "_tasks"));
	k->skel->rodata->cfg = small.config;
	code = set_sizes(k, &small, false);
	if (!code)
		code = make_sets(k, small.max_counts, false, NULL);
	return code ? code : krait_bpf__load(k->skel);
}

int kern_try(const char *program)
{
	struct kern k = { .sets = { -1, -1 }, .ring = -1, .cpus = libbpf_num_possible_cpus() };
	int code;

	libbpf_set_print(libbpf_silent);
	if (k.cpus < 0)
		return k.cpus;
	k.skel = krait_bpf__open();
	if (!k.skel)
		return -errno;
	code = load_alone(&k, program);
	krait_bpf__destroy(k.skel);
	for (int i = 0; i < SETS; i++)
		close_fd(&k.sets[i]);
	return code;
}

void kern_free(struct kern *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < sizeof(k->links) / sizeof(k->links[0]); i++)
		bpf_link__destroy(k->links[i]);
	faulting_free(k->faulting);
	natvisit_free(k->natvisit);
	unmap_native(&k->native);
	krait_bpf__destroy(k->skel);
	for (int i = 0; i < SETS; i++)
		close_fd(&k->sets[i]);
	close_fd(&k->ring);
	free(k);
}

struct bpf_program *kern_sampler(const struct kern *k)
{
	return k->sampler;
}

int kern_cpus(const struct kern *k)
{
	return k->cpus;
}

static void link_freep(struct bpf_link **link)
{
	bpf_link__destroy(*link);
}

/* The iterator returns whole records: a read never splits one. */
static int read_tasks(int fd, int (*fn)(void *ctx, const struct wire_task *task), void *ctx)
{
	struct wire_task tasks[100];
	ssize_t n;

	while ((n = read(fd, tasks, sizeof(tasks))) != 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		for (size_t i = 0; i < n / sizeof(tasks[0]); i++) {
			int err = fn(ctx, &tasks[i]);

			if (err)
				return err;
		}
	}
	return 0;
}

static int list_tasks(struct kern *k, const struct bpf_iter_attach_opts *which,
		      int (*fn)(void *ctx, const struct wire_task *task), void *ctx)
{
	_cleanup_(link_freep) struct bpf_link *link =
		bpf_program__attach_iter(k->skel->progs.list_tasks, which);
	_close_ int fd = -1;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	return fd < 0 ? -errno : read_tasks(fd, fn, ctx);
}

int kern_list_tasks(struct kern *k, int (*fn)(void *ctx, const struct wire_task *task), void *ctx)
{
	return list_tasks(k, NULL, fn, ctx);
}

int kern_list_task(struct kern *k, uint32_t tgid,
		   int (*fn)(void *ctx, const struct wire_task *task), void *ctx)
{
	union bpf_iter_link_info info = { .task.tid = tgid };
	LIBBPF_OPTS(bpf_iter_attach_opts, which, .link_info = &info, .link_info_len = sizeof(info));

	return list_tasks(k, &which, fn, ctx);
}

int kern_add_pid(struct kern *k, uint32_t tgid)
{
	return fill_ids(k->skel->maps.filter_pid, &tgid, 1);
}

static bool has_id(const struct bpf_map *filter, uint32_t id)
{
	uint8_t set;

	return !bpf_map__lookup_elem(filter, &id, sizeof(id), &set, sizeof(set), 0);
}

bool kern_has_pid(const struct kern *k, uint32_t tgid)
{
	return has_id(k->skel->maps.filter_pid, tgid);
}

bool kern_has_tid(const struct kern *k, uint32_t tid)
{
	return has_id(k->skel->maps.filter_tid, tid);
}

int kern_add_cgroup(struct kern *k, const struct cgroup_key *key)
{
	__u8 one = 1;

	return bpf_map__update_elem(k->skel->maps.filter_cgroup, key, sizeof(*key), &one,
				    sizeof(one), BPF_ANY);
}

int kern_set_layout(struct kern *k, uint32_t index, const struct py_layout *layout)
{
	return bpf_map__update_elem(k->skel->maps.layouts, &index, sizeof(index), layout,
				    sizeof(*layout), BPF_ANY);
}

int kern_set_proc(struct kern *k, const struct proc_key *key, const struct proc_info *info,
		  bool fresh)
{
	return bpf_map__update_elem(k->skel->maps.procs, key, sizeof(*key), info, sizeof(*info),
				    fresh ? BPF_NOEXIST : BPF_ANY);
}

int kern_get_proc(struct kern *k, const struct proc_key *key, struct proc_info *ret)
{
	return bpf_map__lookup_elem(k->skel->maps.procs, key, sizeof(*key), ret, sizeof(*ret), 0);
}

int kern_del_proc(struct kern *k, const struct proc_key *key)
{
	return bpf_map__delete_elem(k->skel->maps.procs, key, sizeof(*key), 0);
}

int kern_next_proc(struct kern *k, const struct proc_key *key, struct proc_key *ret)
{
	return bpf_map__get_next_key(k->skel->maps.procs, key, ret, sizeof(*ret));
}

int kern_set_more(struct kern *k, const struct proc_key *key, uint32_t index,
		  const struct proc_info *info)
{
	const struct interp_key more = { .proc = *key, .index = index };

	return bpf_map__update_elem(k->skel->maps.more_interps, &more, sizeof(more), info,
				    sizeof(*info), BPF_ANY);
}

int kern_get_more(struct kern *k, const struct proc_key *key, uint32_t index, struct proc_info *ret)
{
	const struct interp_key more = { .proc = *key, .index = index };

	return bpf_map__lookup_elem(k->skel->maps.more_interps, &more, sizeof(more), ret,
				    sizeof(*ret), 0);
}

int kern_del_more(struct kern *k, const struct proc_key *key, uint32_t index)
{
	const struct interp_key more = { .proc = *key, .index = index };

	return bpf_map__delete_elem(k->skel->maps.more_interps, &more, sizeof(more), 0);
}

struct kern_native kern_native(const struct kern *k)
{
	return k->native;
}

struct native_pool *kern_native_pool(const struct kern_native *n, uint32_t i)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "native_pool", sizeof(uint32_t),
					sizeof(struct native_pool), 1, &opts);
	void *at;

	if (fd < 0 || bpf_map_update_elem(n->pools, &i, &fd, BPF_ANY))
		return NULL;
	at = mmap(NULL, sizeof(struct native_pool), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

int kern_set_native(struct kern *k, const struct proc_key *key, const struct native_proc *p)
{
	return bpf_map__update_elem(k->skel->maps.native_procs, key, sizeof(*key), p, sizeof(*p),
				    BPF_ANY);
}

int kern_get_native(struct kern *k, const struct proc_key *key, struct native_proc *ret)
{
	return bpf_map__lookup_elem(k->skel->maps.native_procs, key, sizeof(*key), ret,
				    sizeof(*ret), 0);
}

int kern_del_native(struct kern *k, const struct proc_key *key)
{
	return bpf_map__delete_elem(k->skel->maps.native_procs, key, sizeof(*key), 0);
}

int kern_set_place(struct kern *k, const struct proc_key *key, const struct task_place *p)
{
	return bpf_map__update_elem(k->skel->maps.task_places, key, sizeof(*key), p, sizeof(*p),
				    BPF_ANY);
}

int kern_get_place(struct kern *k, const struct proc_key *key, struct task_place *ret)
{
	return bpf_map__lookup_elem(k->skel->maps.task_places, key, sizeof(*key), ret, sizeof(*ret),
				    0);
}

int kern_del_place(struct kern *k, const struct proc_key *key)
{
	return bpf_map__delete_elem(k->skel->maps.task_places, key, sizeof(*key), 0);
}

int kern_set_program(struct kern *k, const struct file_id *file, const struct program *program)
{
	return bpf_map__update_elem(k->skel->maps.programs, file, sizeof(*file), program,
				    sizeof(*program), BPF_ANY);
}

int kern_get_program(struct kern *k, const struct file_id *file, struct program *ret)
{
	return bpf_map__lookup_elem(k->skel->maps.programs, file, sizeof(*file), ret, sizeof(*ret),
				    0);
}

int kern_del_program(struct kern *k, const struct file_id *file)
{
	return bpf_map__delete_elem(k->skel->maps.programs, file, sizeof(*file), 0);
}

int kern_swap(struct kern *k)
{
	int next = 1 - k->live;
	/* Updating a map of maps returns only when no running program uses the old element. */
	int code = put_only(k->skel->maps.count_sets, k->sets[next]);

	if (!code)
		k->live = next;
	return code;
}

int kern_grow_ring(struct kern *k)
{
	int old = k->ring, fd, code;

	fd = k->ring_bytes < k->ring_most ? make_ring(2 * k->ring_bytes) : -EFBIG;
	if (fd < 0)
		return fd;
	code = put_only(k->skel->maps.rings, fd);
	if (code) {
		close(fd);
		return code;
	}
	k->ring = fd;
	k->ring_bytes *= 2;
	return old;
}

int kern_drain(struct kern *k, int (*fn)(void *ctx, const struct count_key *key, uint64_t n),
	       void *ctx)
{
	_free_ struct count_key *keys = malloc(BATCH * sizeof(*keys));
	_free_ uint64_t *counts = malloc(BATCH * sizeof(*counts));
	int fd = k->sets[1 - k->live], err = 0, done = 0;
	uint32_t pos = 0, n;

	if (!keys || !counts)
		return -ENOMEM;
	while (!done && !err) {
		n = BATCH;
		done = bpf_map_lookup_and_delete_batch(fd, NULL, &pos, keys, counts, &n, NULL);
		if (done && errno != ENOENT)
			return -errno;
		for (uint32_t i = 0; i < n && !err; i++)
			err = fn(ctx, &keys[i], counts[i]);
	}
	return err;
}

int kern_stats(struct kern *k, struct wire_stats *ret)
{
	uint32_t zero = 0;

	return bpf_map__lookup_elem(k->skel->maps.stats, &zero, sizeof(zero), ret,
				    k->cpus * sizeof(*ret), 0);
}

int kern_ring_map(const struct kern *k)
{
	return k->ring;
}

size_t kern_ring_bytes(const struct kern *k)
{
	return k->ring_bytes;
}

int kern_events_map(const struct kern *k)
{
	return bpf_map__fd(k->skel->maps.events);
}
