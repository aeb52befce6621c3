/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF images in the memory of a process that does not exist: the input is its memory from START on.
 */
#include <errno.h>

#include "file.h"
#include "proc/elf.h"
#include "proc/rmem.h"

enum { START = 0x10000 };

static const char *const names[] = { "_PyRuntime", "PyCode_Type", "Py_Version", "Py_GetVersion" };
static struct input memory;

/* Replaces user/proc/rmem.c. */
int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	uint64_t at = addr - START;

	if (addr < START || at > memory.left || len > memory.left - at)
		return -EFAULT;
	memcpy(buf, memory.at + at, len);
	return 0;
}

static void set_up(void)
{
}

/* ELF files can serve as memory: their segments are at the same offsets. */
static void make_seeds(void)
{
	seed_elf_files(&(struct buf){});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_sym syms[COUNT(names)];
	uint64_t section, debug, note, bias = 1;
	struct err err = {};
	struct elf_file *e;
	uint8_t bytes[64];

	memory = (struct input){ data, size };
	e = elf_open_memory(1, START, &err);
	if (!e) {
		MUST(err.text[0] && memchr(err.text, 0, sizeof(err.text)));
		return 0;
	}
	MUST(elf_symbols(e, names, syms, COUNT(names)) <= (int)COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++)
		MUST(elf_read(e, syms[i].value, bytes, sizeof(bytes)) <= 0);
	elf_needs(e, "libpython");
	elf_dynamic(e, &section, &debug);
	MUST(elf_build_id(e, bytes, 20, &note) <= 20);
	MUST(!elf_bias(e, 0, 0, &bias));
	elf_close(e);
	return 0;
}
