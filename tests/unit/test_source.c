/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/source: lines of files, and what is no regular file inside of the process's root. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/source.h"
#include "tap.h"

static char folder[PATH_MAX];

static void enter(void)
{
	char name[] = "/tmp/krait-source-XXXXXX";

	if (!*folder && (!mkdtemp(name) || !realpath(name, folder) || chdir(folder)))
		abort();
}

static void make(const char *name, const char *text, size_t len)
{
	_fclose_ FILE *f = fopen(name, "w");

	if (!f || fwrite(text, 1, len, f) != len)
		abort();
}

/* The line, "" and the error if there is none. The caller frees it. */
static char *line_of(const char *path, uint32_t line, int64_t started, int *ret_err,
		     bool *ret_newer)
{
	struct source_wanted w = { .pid = getpid(), .line = line, .started = started };
	struct source_found found = {};
	struct buf out = {};
	char *text;

	snprintf(w.path, sizeof(w.path), "%s", path);
	*ret_err = source_read(&w, &out);
	if (!*ret_err && out.len > sizeof(found))
		memcpy(&found, out.data, sizeof(found));
	*ret_newer = found.newer;
	text = *ret_err ? strdup("") : strndup(out.data + sizeof(found), out.len - sizeof(found));
	buf_done(&out);
	return text;
}

static void check(const char *path, uint32_t line, const char *want, int err)
{
	bool newer;
	int got;
	_free_ char *text = line_of(path, line, 0, &got, &newer);

	CHECK_STR(text, want);
	CHECK_EQ(got, err);
}

TEST(lines)
{
	static const char text[] = "one\n\t  two = 2  \r\n\n  \nlast";
	char path[PATH_MAX + 8];

	enter();
	make("a.py", text, sizeof(text) - 1);
	snprintf(path, sizeof(path), "%s/a.py", folder);
	check("a.py", 1, "one", 0);
	check(path, 1, "one", 0);
	check(path, 2, "two = 2", 0);
	check(path, 3, "", -ENOENT);
	check(path, 4, "", -ENOENT);
	check(path, 5, "last", 0);
	check(path, 6, "", -ENOENT);
	check(path, 0, "", -ENOENT);
	check(path, UINT32_MAX, "", -ENOENT);
	check("none.py", 1, "", -ENOENT);
}

TEST(a_long_line)
{
	_free_ char *text = malloc(100000), *got = NULL;
	bool newer;
	int err;

	enter();
	memset(text, 'x', 100000);
	make("long.py", text, 100000);
	got = line_of("long.py", 1, 0, &err, &newer);
	CHECK_EQ(strlen(got), 300);
}

TEST(newer)
{
	bool newer;
	int err;

	enter();
	make("b.py", "x", 1);
	free(line_of("b.py", 1, time(NULL) - 1000, &err, &newer));
	CHECK(newer);
	free(line_of("b.py", 1, time(NULL) + 1000, &err, &newer));
	CHECK(!newer);
}

TEST(no_regular_files)
{
	enter();
	if (mkfifo("fifo", 0600) && errno != EEXIST)
		abort();
	check("fifo", 1, "", -ENOENT);
	check(".", 1, "", -ENOENT);
	check("/dev/zero", 1, "", -ENOENT);
	check("", 1, "", -ENOENT);
}

/* A link is resolved inside of the root that the process has; magic links lead anywhere, and are refused. */
TEST(links)
{
	enter();
	make("c.py", "here", 4);
	if ((symlink("c.py", "link") || symlink("/proc/self/root/etc/passwd", "magic")) &&
	    errno != EEXIST)
		abort();
	check("link", 1, "here", 0);
	check("magic", 1, "", -ENOENT);
	check("/proc/self/root/etc/passwd", 1, "", -ELOOP);
}
