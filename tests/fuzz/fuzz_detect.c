/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detection as a whole, on a process that does not exist: this file replaces the functions of
 * user/proc that read processes. The input is
 *
 *	number of mappings 1  mapping ...  length of memory 2  memory ...  ELF file ...
 *	mapping: start 4 (pages)  offset 2 (pages)  inode 1  path 1 (an index)
 *
 * All files have the same content; the memory repeats over all addresses.
 */
#include <errno.h>

#include "file.h"
#include "images/offsets.h"
#include "proc/maps.h"
#include "proc/procfs.h"
#include "proc/rmem.h"
#include "py/detect.h"
#include "py/window.h"
#include "rows.h"

static const char *const paths[] = { "/usr/bin/python3", "/lib/ld-musl-x86_64.so.1", "", "[vdso]" };

struct process {
	struct mapping maps[4];
	size_t n_maps;
	uint8_t *memory;
	size_t memory_len;
	struct input elf;
};

static struct process process;

/* --- replacements for user/proc --------------------------------------------------------------- */

struct maps {
	size_t at;
};

struct maps *maps_open(pid_t pid, int *ret_err)
{
	struct maps *m = calloc(1, sizeof(*m));

	*ret_err = m ? 0 : -ENOMEM;
	return m;
}

void maps_close(struct maps *m)
{
	free(m);
}

int maps_next_code(struct maps *m, struct mapping *ret)
{
	if (m->at == process.n_maps)
		return 0;
	*ret = process.maps[m->at++];
	return 1;
}

int maps_next(struct maps *m, struct mapping *ret)
{
	return maps_next_code(m, ret);
}

int maps_open_file(pid_t pid, const struct mapping *m)
{
	return m->inode == 0xff ? -EACCES : file_of(process.elf.at, process.elf.left);
}

int maps_stat_file(pid_t pid, const struct mapping *m, struct stat *ret)
{
	*ret = (struct stat){ .st_ino = m->inode };
	return m->inode == 0xff ? -EACCES : 0;
}

int procfs_exe(pid_t pid, char *ret, size_t size)
{
	return -ENOENT;
}

int procfs_stat(pid_t pid, struct proc_stat *ret)
{
	return -ESRCH;
}

int procfs_headers(pid_t pid, uint64_t *ret)
{
	return rmem_read(pid, 0, ret, sizeof(*ret));
}

int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	const struct input memory = { process.memory, process.memory_len };

	return read_repeated(&memory, buf, len, addr);
}

/* --- the target ------------------------------------------------------------------------------- */

static void set_up(void)
{
}

/* One mapping of code, and memory in which each word is the address of another such word. */
static void make_seeds(void)
{
	struct buf head = {};

	give(&head, 1, 1);
	give(&head, 0x7f000000, 4);
	give(&head, 0, 2);
	give(&head, 1, 1);
	give(&head, 0, 1);
	give(&head, 8, 2);
	give(&head, 0x7f0000001000, 8);
	seed_elf_files(&head);
	buf_done(&head);
}

static void take_mapping(struct input *in, struct mapping *m)
{
	m->start = take(in, 4) << 12;
	m->end = m->start + (16 << 12);
	m->offset = take(in, 2) << 12;
	m->inode = take(in, 1);
	m->path = paths[take(in, 1) % COUNT(paths)];
	m->read = m->exec = true;
}

static void take_process(struct input *in)
{
	size_t wanted;

	process.n_maps = take(in, 1) % (COUNT(process.maps) + 1);
	for (size_t i = 0; i < process.n_maps; i++)
		take_mapping(in, &process.maps[i]);
	wanted = take(in, 2);
	process.memory = take_bytes(in, wanted, &process.memory_len);
	process.elf = *in;
}

static void must_be_found(int kind, const struct python *py, const struct err *err)
{
	MUST(kind <= DETECT_PYTHON);
	if (kind == DETECT_PYTHON) {
		must_be_row(&py->layout);
		MUST(py->info.interps && py->info.code_type);
		MUST(py->info.at_entry.len <= WINDOW_CODE + 4);
	}
	if (kind == DETECT_UNSUPPORTED)
		MUST(err->text[0] && memchr(err->text, 0, sizeof(err->text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct detect *d = detect_new();
	struct python py = {};
	struct err err = {};
	uint32_t count;

	MUST(d);
	take_process(&in);
	must_be_found(detect_process(d, 1, &py, &err), &py, &err);
	count = py.count;
	MUST(count <= COUNT(process.maps));
	for (uint32_t i = 1; i < count; i++)
		must_be_found(detect_interpreter(d, 1, i, &py, &err), &py, &err);
	detect_free(d);
	free(process.memory);
	return 0;
}
