/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions as text, and their search in an executable without symbols: in copies of this one. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "py/pyversion.h"
#include "tap.h"

/* Constants of an executable; tests overwrite the first of them in a copy. */
static const char versions[][16] = { "@@@@@@@@@@@@@@@", "3.40.1", "13.11.2", "2.3.11.4", "3.12",
				     "3.9.2",           "3.13.0" };

/* The search would also find the texts of these tests; behind a dot they are none. */
#define TEXT(s) ("." s + 1)

TEST(versions_as_text)
{
	CHECK_EQ(pyversion_parse(TEXT("3.9.18")), 0x030912f0);
	CHECK_EQ(pyversion_parse(TEXT("3.12.0rc1")), 0x030c00a0);
	CHECK_EQ(pyversion_parse(TEXT("3.11.2+")), 0x030b02f0);
	CHECK_EQ(pyversion_parse(TEXT("3.11")), 0);
	CHECK_EQ(pyversion_parse(TEXT("4.1.1")), 0);
	CHECK_EQ(pyversion_parse(TEXT("3.11.2.1")), 0);
	CHECK_EQ(pyversion_parse(""), 0);
}

/* The version found in a copy of this program in which the first text is @text of @len bytes. */
static uint32_t search(const char *text, size_t len)
{
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	    copy = memfd_create("copy", MFD_CLOEXEC);
	struct stat st;
	char *map, *at;

	if (fd < 0 || copy < 0 || fstat(fd, &st) || ftruncate(copy, st.st_size))
		return -1;
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
	if (map == MAP_FAILED || read(fd, map, st.st_size) != st.st_size)
		return -1;
	at = memmem(map, st.st_size, versions[0], sizeof(versions[0]));
	if (at)
		memcpy(at, text, len);
	munmap(map, st.st_size);
	close(fd);
	e = elf_open(copy, NULL);
	return at && e ? pyversion_search(e) : (uint32_t)-1;
}

TEST(version_found_among_others)
{
	char twice[] = ".3.11.7.3.11.7";

	twice[7] = 0;
	memmove(twice, twice + 1, sizeof(twice) - 1);
	CHECK_EQ(search("", 0), 0);
	CHECK_EQ(search(TEXT("3.10.13"), 8), 0x030a0df0);
	CHECK_EQ(search(TEXT("3.12.1"), 7), 0x030c01f0);
	CHECK_EQ(search(twice, 14), 0x030b07f0);
	twice[12] = '8';
	CHECK_EQ(search(twice, 14), 0);
	CHECK_EQ(search(TEXT("3.13.1"), 7), 0);
	CHECK_EQ(search(TEXT("3.11.7"), 6), 0); /* other text follows */
}
