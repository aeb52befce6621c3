/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section's data never changes, so it is read from the file. File names prove nothing: every file with code is
 * asked for the section.
 */
#include "py/asyncdebug.h"

#include <errno.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "proc/elf.h"
#include "proc/maps.h"

enum { TASK_MAX = 4096, STATE_MAX = 1 << 22 };

static bool is_offset(uint64_t offset, uint64_t width, uint64_t size)
{
	return offset % width == 0 && offset < size && width <= size - offset;
}

static bool is_plausible(const struct asyncdebug *d)
{
	return d->task_size <= TASK_MAX && d->interp_size <= STATE_MAX &&
	       d->state_size <= STATE_MAX && is_offset(d->task_name, 8, d->task_size) &&
	       is_offset(d->awaited_by, 8, d->task_size) &&
	       is_offset(d->awaited_by_is_set, 1, d->task_size) &&
	       is_offset(d->coro, 8, d->task_size) && d->coro >= 8 &&
	       is_offset(d->node, 8, d->task_size) &&
	       is_offset(d->interp_tasks, 8, d->interp_size) &&
	       is_offset(d->state_tasks, 8, d->state_size);
}

static int read_file(pid_t pid, const struct mapping *m, struct asyncdebug *ret)
{
	_cleanup_(elf_closep) struct elf_file *elf = NULL;
	int fd = maps_open_file(pid, m);
	struct elf_sym section;
	struct err err = {};

	elf = fd < 0 ? NULL : elf_open(fd, &err);
	if (!elf || !elf_section(elf, ".AsyncioDebug", &section) || section.size < sizeof(*ret) ||
	    elf_read(elf, section.value, ret, sizeof(*ret)))
		return -ENOENT;
	return is_plausible(ret) ? 0 : -ENOTSUP;
}

int asyncdebug_find(pid_t pid, struct asyncdebug *ret)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	uint64_t dev = 0, inode = 0;
	struct mapping m;
	int err;

	maps = maps_open(pid, &err);
	while (maps && (err = maps_next_code(maps, &m)) > 0) {
		if (m.dev == dev && m.inode == inode)
			continue;
		dev = m.dev;
		inode = m.inode;
		err = read_file(pid, &m, ret);
		if (err != -ENOENT)
			return err;
	}
	return err < 0 ? err : -ENOENT;
}
