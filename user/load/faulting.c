/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	krait's thread    shared maps ─► load the main object ──► finish ─► after = schedule
 *	another thread               └─► load this object ────────┘
 *
 * Loads are mostly the reading of the kernel's types and the verifier's work, so two at a time take
 * less time than one after the other; that wants maps that exist before either object is loaded.
 *
 * The object is closed as soon as it is loaded: the main object's map keeps the program, and some 40
 * descriptors are free again. Only the map with the kernel's records of scheduled work must stay
 * open: the kernel refuses to schedule work in a map that no process holds.
 */
#include "load/faulting.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "faulting.skel.h"
#include "faulting_plain.skel.h"

struct faulting {
	struct bpf_object *obj; /* NULL when the load has ended well */
	pthread_t thread;
	bool loading;
	int code;  /* of the load */
	int slots; /* descriptor of the map */
};

/* The same program, built for the different names of the kernel functions that it calls. */
static const void *(*const objects[FAULTING_KINDS])(size_t *size) = {
	[FAULTING_IMPL] = faulting_bpf__elf_bytes,
	[FAULTING_PLAIN] = faulting_plain_bpf__elf_bytes,
};

static void close_object(struct bpf_object **obj)
{
	bpf_object__close(*obj);
}

static struct bpf_object *open_object(enum faulting_kind kind)
{
	size_t size;
	const void *bytes = objects[kind](&size);

	return bpf_object__open_mem(bytes, size, NULL);
}

/* --- does it load? ---------------------------------------------------------------------------- */

/* Makes maps small. */
static int shrink(struct bpf_map *map)
{
	enum { RING = 1 << 16 }; /* bytes: the largest page */

	return bpf_map__set_max_entries(map, bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF ? RING : 1);
}

static bool loads(enum faulting_kind kind)
{
	_cleanup_(close_object) struct bpf_object *obj = open_object(kind);
	struct bpf_map *map;
	int code = obj ? 0 : -errno;

	if (obj)
		bpf_object__for_each_map(map, obj) if (!code) code = shrink(map);
	return !code && !bpf_object__load(obj);
}

enum faulting_kind faulting_probe(void)
{
	int kind;

	for (kind = FAULTING_KINDS - 1; kind > FAULTING_NONE && !loads(kind); kind--)
		;
	return kind;
}

/* --- beside the main object ------------------------------------------------------------------- */

/*
 * Without the types of keys and values, which only lists of maps show. What a map of maps holds is
 * shown to the kernel by an example, @inner; -1: it holds none.
 */
static int create_with(const struct bpf_map *map, int inner)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = bpf_map__map_flags(map));

	if (inner >= 0)
		opts.inner_map_fd = inner;
	return bpf_map_create(bpf_map__type(map), bpf_map__name(map), bpf_map__key_size(map),
			      bpf_map__value_size(map), bpf_map__max_entries(map), &opts);
}

static int create(struct bpf_map *map)
{
	struct bpf_map *example = bpf_map__inner_map(map);
	_close_ int inner = example ? create_with(example, -1) : -1;

	return example && inner < 0 ? inner : create_with(map, inner);
}

/* Each object has duplicates of the descriptor. */
static int share(struct bpf_map *map, struct bpf_object *main)
{
	struct bpf_map *other = bpf_object__find_map_by_name(main, bpf_map__name(map));
	_close_ int fd = -1;
	int code;

	if (!other || bpf_map__is_internal(map))
		return 0;
	fd = create(other);
	if (fd < 0)
		return -errno;
	code = bpf_map__reuse_fd(other, fd);
	return code ? code : bpf_map__reuse_fd(map, fd);
}

/*
 * A sample keeps its slot (42 KB) until its task runs again. So four slots for each CPU, but at least 16:
 * many pages of a program that starts are not resident.
 */
static int size_slots(struct bpf_object *obj)
{
	enum { LEAST = 16, PER_CPU = 4 };
	struct bpf_map *slots = bpf_object__find_map_by_name(obj, "slots");
	int cpus = libbpf_num_possible_cpus();
	uint32_t entries;

	if (!slots || cpus < 0)
		return slots ? cpus : -ENOENT;
	entries = cpus * PER_CPU > LEAST ? cpus * PER_CPU : LEAST;
	if (entries >= bpf_map__max_entries(slots))
		return 0;
	return bpf_map__set_max_entries(slots, entries);
}

static void *load(void *faulting)
{
	struct faulting *f = faulting;

	f->code = bpf_object__load(f->obj);
	return NULL;
}

static int begin(struct faulting *f, struct bpf_object *main)
{
	struct bpf_map *map;
	int code = size_slots(f->obj);

	bpf_object__for_each_map(map, f->obj) if (!code) code = share(map, main);
	if (!code)
		code = -pthread_create(&f->thread, NULL, load, f);
	f->loading = !code;
	return code;
}

struct faulting *faulting_new(enum faulting_kind kind, struct bpf_object *main)
{
	struct faulting *f = calloc(1, sizeof(*f));
	int code;

	if (!f)
		return NULL;
	f->slots = -1;
	f->obj = open_object(kind);
	code = f->obj ? begin(f, main) : -errno;
	if (!code)
		return f;
	faulting_free(f);
	errno = -code;
	return NULL;
}

static void wait_for_load(struct faulting *f)
{
	if (f->loading)
		pthread_join(f->thread, NULL);
	f->loading = false;
}

static int put_after(struct bpf_object *obj, struct bpf_map *after)
{
	struct bpf_program *program = bpf_object__find_program_by_name(obj, "schedule");
	int fd = program ? bpf_program__fd(program) : -ENOENT;
	uint32_t zero = 0;

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(bpf_map__fd(after), &zero, &fd, BPF_ANY) ? -errno : 0;
}

static int keep_slots(struct faulting *f)
{
	struct bpf_map *map = bpf_object__find_map_by_name(f->obj, "slots");

	f->slots = map ? fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0) : -1;
	return f->slots < 0 ? -errno : 0;
}

int faulting_finish(struct faulting *f, struct bpf_map *after)
{
	int code;

	wait_for_load(f);
	code = f->code ? f->code : keep_slots(f);
	if (!code)
		code = put_after(f->obj, after);
	bpf_object__close(f->obj);
	f->obj = NULL;
	return code;
}

void faulting_free(struct faulting *f)
{
	if (!f)
		return;
	wait_for_load(f);
	bpf_object__close(f->obj);
	close_fd(&f->slots);
	free(f);
}
