/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbolize FILE ROOT [PID]: reads addresses in an ELF file (hexadecimal, one a line) and prints the
 * function of each, as user/native names it: "ADDRESS NAME START SIZE", or "ADDRESS -". Debug files are
 * looked for below ROOT. With PID, a process that has the file loaded, addresses are those of the process, and its
 * method tables name functions, too.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "native/methods.h"
#include "native/symbols.h"
#include "proc/maps.h"
#include "proc/rmem.h"

static int read_process(void *ctx, void *to, size_t len, uint64_t addr)
{
	return rmem_read(*(pid_t *)ctx, addr, to, len);
}

/* The load bias of the file with this path. */
static bool find_bias(struct elf_file *e, pid_t pid, const char *path, uint64_t *ret)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct mapping m;
	int err;

	maps = maps_open(pid, &err);
	while (maps && maps_next_code(maps, &m) > 0)
		if (!strcmp(m.path, path))
			return !elf_bias(e, m.start, m.offset, ret);
	return false;
}

static int name_methods(struct elf_file *e, pid_t pid, uint64_t bias, struct symbol *s, size_t n)
{
	_cleanup_(pages_freep) struct pages *pages = pages_new();
	_cleanup_(ehframe_closep) struct ehframe *f = pages ? ehframe_open(e, pages) : NULL;

	return f ? methods_fill(e, f, bias, read_process, &pid, s, n) : -1;
}

static void print(const struct symbol *s, uint64_t bias)
{
	if (s->name)
		printf("%" PRIx64 " %s %" PRIx64 " %" PRIx64 "\n", s->vaddr + bias, s->name,
		       s->start + bias, s->size);
	else
		printf("%" PRIx64 " -\n", s->vaddr + bias);
}

int main(int argc, char **argv)
{
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	VEC(struct symbol) wanted = {};
	struct debugfiles debug = {};
	struct symbol s = {}, *it;
	uint64_t bias = 0;
	pid_t pid = argc > 3 ? atoi(argv[3]) : 0;

	if (argc < 3)
		return 2;
	e = elf_open(open(argv[1], O_RDONLY | O_CLOEXEC), NULL);
	if (!e || (pid && !find_bias(e, pid, argv[1], &bias)))
		return 1;
	while (scanf("%" SCNx64, &s.vaddr) == 1) {
		s.vaddr -= bias;
		if (vec_push(&wanted, s))
			return 1;
	}
	if (symbols_find(e, &debug, argv[1], argv[2], wanted.at, wanted.len) < 0 ||
	    (pid && name_methods(e, pid, bias, wanted.at, wanted.len) < 0))
		return 1;
	vec_each (&wanted, it) {
		print(it, bias);
		free(it->name);
	}
	vec_done(&wanted);
	debugfiles_done(&debug);
	return 0;
}
