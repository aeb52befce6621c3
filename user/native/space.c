/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One mapping of a file does not tell the bias of another: libffi maps its trampolines' page of its
 * own code a second time, elsewhere. So the bias belongs to the mapping.
 *
 * The vDSO is in no file. It is the same in all processes, so krait's own is read.
 */
#include "native/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/maps.h"

/* No file has device 0. */
static const struct file_id vdso_id = { .inode = 1 };

static struct file_id id_of(const struct stat *st)
{
	return (struct file_id){
		.inode = st->st_ino,
		.ctime_s = st->st_ctim.tv_sec,
		.ctime_ns = st->st_ctim.tv_nsec,
		.dev = st->st_dev,
	};
}

static int add_vdso(struct natfiles *nf)
{
	int file = natfiles_find(nf, &vdso_id);
	struct elf_file *elf;

	if (file >= 0)
		return file;
	elf = elf_open_memory(getpid(), getauxval(AT_SYSINFO_EHDR), NULL);
	file = elf ? natfiles_add(nf, &vdso_id, elf) : -ENOEXEC;
	return file < 0 || !natfiles_set_path(nf, file, "[vdso]") ? file : -ENOMEM;
}

/* The number of the mapping's file, or -errno. */
static int add_file(struct natfiles *nf, pid_t pid, const struct mapping *m)
{
	struct elf_file *elf;
	struct file_id id;
	struct stat st;
	int file, fd;

	file = maps_stat_file(pid, m, &st);
	if (file)
		return file;
	id = id_of(&st);
	file = natfiles_find(nf, &id);
	if (file >= 0)
		return file;
	fd = maps_open_file(pid, m);
	if (fd < 0)
		return fd;
	elf = elf_open(fd, NULL);
	file = elf ? natfiles_add(nf, &id, elf) : -ENOEXEC;
	return file < 0 || !natfiles_set_path(nf, file, m->path) ? file : -ENOMEM;
}

static struct native_map entry(struct natfiles *nf, pid_t pid, const struct mapping *m)
{
	struct native_map ret = { .start = m->start, .end = m->end };
	bool vdso = !m->inode && !strcmp(m->path, "[vdso]");
	uint64_t bias = m->start; /* the vDSO's image begins with its headers, at address 0 */
	int file;

	if (!m->inode && !vdso) {
		ret.flags = NATIVE_MAP_ANON;
		return ret;
	}
	file = vdso ? add_vdso(nf) : add_file(nf, pid, m);
	if (file < 0 || (!vdso && elf_bias(natfiles_elf(nf, file), m->start, m->offset, &bias)))
		ret.flags = NATIVE_MAP_OPAQUE;
	ret.bias = bias;
	if (file >= 0)
		ret.chunk = natfiles_chunk(nf, file);
	return ret;
}

/* One mapping is often several, with equal rights after all. */
static bool continues(const struct native_map *a, const struct native_map *b)
{
	return a->end == b->start && a->flags == b->flags && a->bias == b->bias &&
	       a->chunk == b->chunk;
}

static int add_entry(space_maps *to, const struct native_map *m)
{
	struct native_map *last = to->len ? &to->at[to->len - 1] : NULL;

	if (last && m->start < last->end)
		return 0; /* the list changed while it was read */
	if (last && continues(last, m)) {
		last->end = m->end;
		return 0;
	}
	return to->len == NATIVE_MAX_MAPS ? -E2BIG : vec_push(to, *m);
}

int space_read(struct natfiles *nf, pid_t pid, space_maps *ret)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct mapping m;
	int err = 0;

	ret->len = 0;
	maps = maps_open(pid, &err);
	while (maps && (err = maps_next(maps, &m)) > 0) {
		struct native_map e;

		if (!m.exec || (int64_t)m.end < 0) /* [vsyscall] is the kernel's */
			continue;
		e = entry(nf, pid, &m);
		err = add_entry(ret, &e);
		if (err)
			return err;
	}
	return err;
}
