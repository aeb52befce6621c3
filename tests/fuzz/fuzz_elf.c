/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF files: the input is an ELF file. */
#include <errno.h>

#include "file.h"
#include "native/debugfile.h"
#include "native/symbols.h"
#include "proc/elf.h"

static const char *const names[] = { "_PyRuntime", "PyCode_Type", "Py_Version", "Py_GetVersion",
				     "_thread_db_pthread_specific" };

static void set_up(void)
{
}

static void make_seeds(void)
{
	seed_elf_files(&(struct buf){});
}

static void check_symbols(struct elf_file *e)
{
	struct elf_sym syms[COUNT(names)];
	int found = elf_symbols(e, names, syms, COUNT(names)), seen = 0;
	uint8_t bytes[64];

	MUST(found <= (int)COUNT(names));
	if (found < 0)
		return;
	for (size_t i = 0; i < COUNT(names); i++) {
		seen += syms[i].value || syms[i].tls;
		elf_read(e, syms[i].value, bytes, sizeof(bytes));
	}
	MUST(seen == found);
}

static void check_reads(struct elf_file *e, uint64_t anywhere)
{
	const uint64_t at[] = { 0, 1, anywhere, ~0ULL, ~0ULL - 63, 1ULL << 63, INT64_MAX };
	uint8_t bytes[64];

	for (size_t i = 0; i < COUNT(at); i++) {
		uint64_t bias = 0;
		int err = elf_read(e, at[i], bytes, sizeof(bytes));

		MUST(err <= 0);
		err = elf_bias(e, 0x7f0000000000, at[i], &bias);
		MUST(!err || err == -ENOENT);
	}
}

static void check_linkage(struct elf_file *e)
{
	uint64_t section, debug, note;
	uint8_t id[20];

	elf_needs(e, "libpython");
	elf_dynamic(e, &section, &debug);
	MUST(elf_build_id(e, id, sizeof(id), &note) <= sizeof(id));
}

static void check_segments(struct elf_file *e)
{
	struct elf_segment s;
	struct elf_sym table;
	size_t n = 0;

	while (elf_segment(e, n, &s)) {
		MUST(s.vaddr + s.size >= s.vaddr);
		n++;
	}
	MUST(n && !elf_segment(e, SIZE_MAX, &s));
	MUST(elf_eh_table(e, &table) == !!table.size);
}

/* Names of addresses: a name has an address in its function. */
static void check_names(struct elf_file *e, uint64_t anywhere)
{
	struct symbol s[] = { { .vaddr = 0x1000 },
			      { .vaddr = anywhere },
			      { .vaddr = 0x1010 },
			      { .vaddr = UINT64_MAX } };
	int found = symbols_fill(e, s, COUNT(s)), seen = 0;

	for (size_t i = 0; i < COUNT(s); i++) {
		MUST(!i || s[i - 1].vaddr <= s[i].vaddr);
		MUST(!s[i].name || (s[i].name[0] && s[i].vaddr - s[i].start < s[i].size));
		seen += !!s[i].name;
		free(s[i].name);
	}
	MUST(found == seen);
	elf_close(debugfile_inside(e));
	elf_close(debugfile_find(e, "/folder/file", "/nowhere"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {};
	struct elf_file *e = elf_open(file_of(data, size), &err);
	uint64_t anywhere;
	struct input end = { size > 8 ? data + size - 8 : data, size > 8 ? 8 : size };

	if (!e) {
		MUST(err.text[0] && memchr(err.text, 0, sizeof(err.text)));
		return 0;
	}
	check_symbols(e);
	anywhere = take(&end, 8);
	check_reads(e, anywhere);
	check_linkage(e);
	check_names(e, anywhere);
	check_segments(e);
	elf_close(e);
	return 0;
}
