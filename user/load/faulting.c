/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object is closed as soon as it is loaded: the main object's map keeps the program, and some 40
 * descriptors are free again. Only the map with the kernel's records of scheduled work must stay
 * open: the kernel refuses to schedule work in a map that no process holds.
 */
#include "load/faulting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "faulting.skel.h"
#include "faulting_plain.skel.h"

struct faulting {
	int slots; /* descriptor of the map */
};

/* The same program, built for the different names of the kernel functions that it calls. */
static const void *(*const objects[])(size_t *size) = {
	faulting_bpf__elf_bytes,
	faulting_plain_bpf__elf_bytes,
};

enum { COUNT = sizeof(objects) / sizeof(objects[0]) };

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

static void close_object(struct bpf_object **obj)
{
	bpf_object__close(*obj);
}

/* @main NULL: a trial load with maps of its own. 0 or -errno. */
static int load(size_t which, struct bpf_object *main, struct bpf_object **ret)
{
	size_t size;
	const void *bytes = objects[which](&size);
	_cleanup_(close_object) struct bpf_object *obj = bpf_object__open_mem(bytes, size, NULL);
	int code;

	if (!obj)
		return -errno;
	code = choose_maps(obj, main);
	if (!code)
		code = bpf_object__load(obj);
	if (!code)
		*ret = take_ptr(obj);
	return code;
}

/* NULL with errno: this kernel refuses both, or there is no room for either. */
static struct bpf_object *load_any(struct bpf_object *main)
{
	libbpf_print_fn_t old = libbpf_set_print(be_quiet);
	struct bpf_object *obj = NULL;
	int code = -ENOENT;

	for (size_t i = 0; i < COUNT && !obj && code != -EMFILE && code != -ENOMEM; i++)
		code = load(i, main, &obj);
	libbpf_set_print(old);
	errno = -code;
	return obj;
}

bool faulting_works(void)
{
	_cleanup_(close_object) struct bpf_object *obj = load_any(NULL);

	return obj;
}

static int put_after(struct bpf_object *obj, struct bpf_map *after)
{
	struct bpf_program *program = bpf_object__find_program_by_name(obj, "schedule");
	int fd = program ? bpf_program__fd(program) : -1;
	uint32_t zero = 0;

	return fd < 0 ? -1 : bpf_map_update_elem(bpf_map__fd(after), &zero, &fd, BPF_ANY);
}

static int keep_slots(struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "slots");

	return map ? fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0) : -1;
}

struct faulting *faulting_new(struct bpf_object *main, struct bpf_map *after)
{
	_cleanup_(close_object) struct bpf_object *obj = load_any(main);
	struct faulting *f = obj ? calloc(1, sizeof(*f)) : NULL;

	if (!f)
		return NULL;
	f->slots = keep_slots(obj);
	if (f->slots >= 0 && !put_after(obj, after))
		return f;
	faulting_free(f);
	return NULL;
}

void faulting_free(struct faulting *f)
{
	if (!f)
		return;
	close_fd(&f->slots);
	free(f);
}
