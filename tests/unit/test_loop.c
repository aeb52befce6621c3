/* SPDX-License-Identifier: BSD-2-Clause */
/* py/loop: the loops of the interpreters that are installed, whole or divided by the compiler. */
#include "py/loop.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tap.h"

enum { LEAST = 30000 }; /* bytes of the smallest loop: 3.6 */

static struct elf_file *open_path(const char *path)
{
	struct err err = {};

	return elf_open(open(path, O_RDONLY | O_CLOEXEC), &err);
}

static struct elf_sym symbol(struct elf_file *e)
{
	static const char *const name = "_PyEval_EvalFrameDefault";
	struct elf_sym sym = {};

	elf_symbols(e, &name, &sym, 1);
	return sym;
}

static void check_loop(struct elf_file *e, const struct elf_sym *sym)
{
	struct proc_code code;
	uint64_t sum = 0;

	loop_find(e, sym, &code);
	CHECK(code.parts);
	CHECK_EQ(code.text + code.loop[0].from, sym->value);
	CHECK_EQ(code.loop[0].len, sym->size);
	for (uint32_t i = 0; i < WIRE_LOOP_PARTS; i++) {
		CHECK_EQ(code.loop[i].len != 0, i < code.parts);
		CHECK(code.loop[i].from + code.loop[i].len <= code.len);
		sum += code.loop[i].len;
	}
	CHECK(sum >= LEAST && sum < 1 << 20);
}

/* Checks all files of a pattern; returns how many have a loop. */
static int check_files(const char *format)
{
	char pattern[512];
	glob_t found = {};
	int n = 0;

	snprintf(pattern, sizeof(pattern), format, getenv("HOME") ? getenv("HOME") : "");
	if (!glob(pattern, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++) {
			_cleanup_(elf_closep) struct elf_file *e = open_path(found.gl_pathv[i]);
			struct elf_sym sym = e ? symbol(e) : (struct elf_sym){};

			if (!sym.size)
				continue;
			printf("# %s\n", found.gl_pathv[i]);
			check_loop(e, &sym);
			n++;
		}
	globfree(&found);
	return n;
}

TEST(installed)
{
	int n = check_files("%s/.pyenv/versions/3.*/lib/libpython3.*.so.1.0") +
		check_files("/usr/bin/python3.[0-9]*");

	if (!n)
		SKIP("no interpreter here");
}

/* Debian's 3.11 has 14 KB of its loop elsewhere, and no symbol for them. */
TEST(divided)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/usr/bin/python3.11");
	struct elf_sym sym = e ? symbol(e) : (struct elf_sym){};
	struct proc_code code;

	if (!sym.size)
		SKIP("no python3.11 of Debian here");
	loop_find(e, &sym, &code);
	CHECK_EQ(code.parts, 2);
	CHECK(code.loop[1].len > 8000 && code.loop[1].len < sym.size);
}

/* Without the loop, or with a function that is too small to be one, only the text is known. */
TEST(unknown)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	static const char *const name = "main";
	struct elf_sym none = {}, sym = {};
	struct proc_code code;

	CHECK(e && elf_symbols(e, &name, &sym, 1) == 1);
	loop_find(e, &none, &code);
	CHECK(code.text && code.len && !code.parts && !code.loop[0].len);
	loop_find(e, &sym, &code);
	CHECK(code.text && code.len && !code.parts && !code.loop[0].len);
	CHECK(sym.value - code.text < code.len);
}
