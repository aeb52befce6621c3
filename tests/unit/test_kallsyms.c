/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/kallsyms: functions by address, their modules, and files that say nothing. */
#include "proc/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static struct kallsyms *of(const char *text)
{
	char path[] = "/tmp/test_kallsyms.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct kallsyms *k;

	fputs(text, f);
	fclose(f);
	k = kallsyms_new(path);
	unlink(path);
	return k;
}

TEST(names)
{
	struct kallsyms *k = of("ffffffff81000100 T second\n"
				"ffffffff81000000 t first\n"
				"ffffffff81000080 d data\n"
				"not a line\n"
				"ffffffffc0000000 t of_module\t[nf_tables]\n");
	const char *module = "";

	CHECK_STR(kallsyms_name(k, 0xffffffff81000000, &module), "first");
	CHECK(!module);
	CHECK_STR(kallsyms_name(k, 0xffffffff810000ff, &module), "first");
	CHECK_STR(kallsyms_name(k, 0xffffffff81000100, &module), "second");
	CHECK_STR(kallsyms_name(k, 0xffffffffc0000010, &module), "of_module");
	CHECK_STR(module, "nf_tables");
	CHECK(!kallsyms_name(k, 0xffffffff80ffffff, &module));
	CHECK_EQ(kallsyms_error(k), 0);
	kallsyms_free(k);
}

TEST(hidden)
{
	struct kallsyms *k = of("0000000000000000 T first\n0000000000000000 t second\n");
	const char *module;

	CHECK(!kallsyms_name(k, 0xffffffff81000000, &module));
	CHECK_EQ(kallsyms_error(k), -EPERM);
	kallsyms_free(k);
}

TEST(absent)
{
	struct kallsyms *k = kallsyms_new("/nonexistent");
	const char *module;

	CHECK(!kallsyms_name(k, 0xffffffff81000000, &module));
	CHECK_EQ(kallsyms_error(k), -ENOENT);
	kallsyms_free(k);
	kallsyms_free(NULL);
}
