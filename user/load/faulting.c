/* SPDX-License-Identifier: BSD-2-Clause */
#include "load/faulting.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "faulting.skel.h"
#include "faulting_plain.skel.h"

struct faulting {
	struct bpf_object *obj;
};

/* The same program, built for the different names of the kernel functions that it calls. */
static const void *(*const objects[])(size_t *size) = {
	faulting_bpf__elf_bytes,
	faulting_plain_bpf__elf_bytes,
};

static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* For a trial load: makes maps small, and skips the map of maps, whose inner map is not defined here. */
static int shrink(struct bpf_map *map)
{
	enum { RING = 1 << 16 }; /* bytes: the largest page */

	if (bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return bpf_map__set_autocreate(map, false);
	return bpf_map__set_max_entries(map, bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF ? RING : 1);
}

static int share(struct bpf_map *map, struct bpf_object *main)
{
	struct bpf_map *other = bpf_object__find_map_by_name(main, bpf_map__name(map));

	return other ? bpf_map__reuse_fd(map, bpf_map__fd(other)) : 0;
}

static int choose_maps(struct bpf_object *obj, struct bpf_object *main)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj) if (!err) err = main ? share(map, main) : shrink(map);
	return err;
}

/* @main NULL: a trial load with maps of its own. NULL: this kernel refuses it. */
static struct bpf_object *load(size_t which, struct bpf_object *main)
{
	size_t size;
	const void *bytes = objects[which](&size);
	struct bpf_object *obj = bpf_object__open_mem(bytes, size, NULL);

	if (obj && !choose_maps(obj, main) && !bpf_object__load(obj))
		return obj;
	bpf_object__close(obj);
	return NULL;
}

static struct bpf_object *load_any(struct bpf_object *main)
{
	libbpf_print_fn_t old = libbpf_set_print(be_quiet);
	struct bpf_object *obj = NULL;

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]) && !obj; i++)
		obj = load(i, main);
	libbpf_set_print(old);
	return obj;
}

bool faulting_works(void)
{
	struct bpf_object *obj = load_any(NULL);

	bpf_object__close(obj);
	return obj;
}

static int put_after(struct bpf_object *obj, struct bpf_map *after)
{
	struct bpf_program *program = bpf_object__find_program_by_name(obj, "schedule");
	int fd = program ? bpf_program__fd(program) : -1;
	uint32_t zero = 0;

	return fd < 0 ? -1 : bpf_map_update_elem(bpf_map__fd(after), &zero, &fd, BPF_ANY);
}

struct faulting *faulting_new(struct bpf_object *main, struct bpf_map *after)
{
	struct faulting *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->obj = load_any(main);
	if (f->obj && !put_after(f->obj, after))
		return f;
	faulting_free(f);
	return NULL;
}

void faulting_free(struct faulting *f)
{
	if (!f)
		return;
	bpf_object__close(f->obj);
	free(f);
}
