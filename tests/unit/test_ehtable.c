/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/ehtable: the functions of this program, and a table whose rows are wrong. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/ehtable.h"
#include "tap.h"

int ehtable_test_function(int x);
__attribute__((noinline)) int ehtable_test_function(int x)
{
	for (int i = 0; i < 3; i++)
		x = x * x - i;
	return x;
}

static struct elf_file *open_path(const char *path)
{
	struct err err = {};

	return elf_open(open(path, O_RDONLY | O_CLOEXEC), &err);
}

/* The symbol of the function above. */
static struct elf_sym own(struct elf_file *e)
{
	static const char *const name = "ehtable_test_function";
	struct elf_sym sym = {};

	elf_symbols(e, &name, &sym, 1);
	return sym;
}

static bool find(struct elf_file *e, uint64_t at, struct elf_sym *ret)
{
	_cleanup_(ehtable_closep) struct ehtable *t = ehtable_open(e);

	return t && ehtable_function(t, at, ret);
}

TEST(is_part)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	_cleanup_(ehtable_closep) struct ehtable *t = NULL;

	CHECK(e);
	t = ehtable_open(e);
	CHECK(t && !ehtable_is_part(t, own(e).value));
	CHECK(!ehtable_is_part(t, own(e).value + 1));
	CHECK(!ehtable_is_part(t, 0));
}

TEST(function)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	struct elf_sym sym, found = {};

	CHECK(e);
	sym = own(e);
	CHECK(sym.value && sym.size);
	for (uint64_t at = sym.value; at < sym.value + sym.size; at++) {
		CHECK(find(e, at, &found));
		CHECK_EQ(found.value, sym.value);
		CHECK(found.size >= sym.size && found.size < sym.size + 64);
	}
	CHECK(find(e, sym.value - 1, &found) && found.value < sym.value);
}

TEST(outside)
{
	_cleanup_(elf_closep) struct elf_file *e = open_path("/proc/self/exe");
	struct elf_sym found;

	CHECK(e);
	CHECK(!find(e, 0, &found));
	CHECK(!find(e, UINT64_MAX, &found));
}

/* Every byte of the head is changed, then every row is made absurd: no wrong function is returned. */
TEST(hostile)
{
	char path[] = "/tmp/krait-ehtable-XXXXXX";
	_close_ int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_close_ int out = mkostemp(path, O_CLOEXEC);
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	struct elf_sym table, sym, found;
	uint32_t most = UINT32_MAX;
	struct stat st;
	uint8_t *map;

	CHECK(in >= 0 && out >= 0 && !fstat(in, &st) && !ftruncate(out, st.st_size));
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
	CHECK(map != MAP_FAILED && pread(in, map, st.st_size, 0) == st.st_size);
	e = open_path(path);
	CHECK(e && elf_section(e, ".eh_frame_hdr", &table));
	sym = own(e);
	CHECK(find(e, sym.value, &found));
	for (int i = 0; i < 4; i++) { /* read-only data lies in the file at its address */
		map[table.value + i] ^= 0x40;
		CHECK(!find(e, sym.value, &found));
		map[table.value + i] ^= 0x40;
	}
	memcpy(map + table.value + 8, &most, sizeof(most));
	CHECK(!find(e, sym.value, &found));
	most = (table.size - 12) / 8;
	memcpy(map + table.value + 8, &most, sizeof(most));
	memset(map + table.value + 12, 0x7f, table.size - 12);
	CHECK(!find(e, sym.value, &found));
	memset(map + table.value + 12, 0, table.size - 12);
	CHECK(!find(e, sym.value, &found));
	munmap(map, st.st_size);
	unlink(path);
}
