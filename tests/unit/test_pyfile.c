/* SPDX-License-Identifier: BSD-2-Clause */
/* py/pyfile: what it learns about files, from mappings made by this test. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "py/pyfile.h"
#include "tap.h"

#define SYSTEM_PYTHON "/usr/bin/python3"
#define OTHER         "/bin/true"

static void pyfiles_freep(struct pyfiles **f)
{
	if (*f)
		pyfiles_free(*f);
}

#define _files_ _cleanup_(pyfiles_freep)

enum { PAGE = 4096 };

/* Maps the first page of a file; false: impossible. The mapping stays. */
static bool map_file(const char *path, struct mapping *ret)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at = MAP_FAILED;
	int err;

	if (fd >= 0)
		at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	maps = maps_open(getpid(), &err);
	if (at == MAP_FAILED || !maps)
		return false;
	while (maps_next(maps, ret) > 0)
		if (ret->start == (uintptr_t)at) {
			ret->path = path;
			return true;
		}
	return false;
}

static const struct pyfile *look(struct pyfiles *files, const char *path)
{
	struct mapping m;
	int err;

	return map_file(path, &m) ? pyfiles_get(files, getpid(), &m, &err) : NULL;
}

static uint32_t version_of(const char *python)
{
	char command[256];
	uint32_t hex = 0;
	FILE *f;

	snprintf(command, sizeof(command), "%s -c 'import sys; print(hex(sys.hexversion))'",
		 python);
	f = popen(command, "r");
	if (f) {
		if (fscanf(f, "%x", &hex) != 1)
			hex = 0;
		pclose(f);
	}
	return hex;
}

static bool write_file(const char *path, const void *data, size_t len)
{
	_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd >= 0 && write(fd, data, len) == (ssize_t)len;
}

/* Overwrites in place, so that the inode stays the same. */
static bool copy_over(const char *from, const char *to, size_t most)
{
	_close_ int in = open(from, O_RDONLY | O_CLOEXEC),
		    out = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
	char block[65536];
	ssize_t n = in < 0 || out < 0 ? -1 : 1;

	while (n > 0 && most) {
		n = read(in, block, most < sizeof(block) ? most : sizeof(block));
		if (n > 0 && write(out, block, n) != n)
			n = -1;
		most -= n > 0 ? n : 0;
	}
	return n >= 0;
}

#define SCRATCH(name)                                                                              \
	char name[] = "/tmp/krait-pyfile-XXXXXX";                                                  \
	close(mkostemp(name, O_CLOEXEC))

TEST(interpreter)
{
	_files_ struct pyfiles *files = pyfiles_new();
	uint32_t hex = version_of(SYSTEM_PYTHON);
	const struct pyfile *f;

	if (!hex)
		SKIP("no " SYSTEM_PYTHON);
	f = look(files, SYSTEM_PYTHON);
	CHECK(f);
	if (f->needs_python)
		SKIP(SYSTEM_PYTHON " has its interpreter in a library");
	CHECK(pyfile_is_interpreter(f) && pyfile_has_addresses(f) && pyfile_calls_main(f));
	CHECK(!pyfile_is_musl(f));
	CHECK_EQ(f->hex, hex);
	CHECK(f->sym[SYM_EVAL].value && f->elf);
	CHECK(f->dynamic && f->debug);
	CHECK(f->id_len && f->note);
	CHECK(look(files, SYSTEM_PYTHON) == f);
}

TEST(other_files)
{
	_files_ struct pyfiles *files = pyfiles_new();
	const struct pyfile *f = look(files, OTHER);

	CHECK(f && !pyfile_is_interpreter(f) && !pyfile_has_addresses(f) && !pyfile_calls_main(f));
	CHECK(!f->elf && !f->offsets && !f->needs_python);
	CHECK(look(files, "/bin/sleep") == f); /* one result for all of them */
}

TEST(not_elf)
{
	static const char *const contents[] = { "#!/bin/sh\nexit 0\n", "\177ELF",
						"\177ELF\2\1\1\0" };
	_files_ struct pyfiles *files = pyfiles_new();
	const struct pyfile *f, *silent = look(files, OTHER);
	SCRATCH(path);

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		CHECK(write_file(path, contents[i], strlen(contents[i])));
		f = look(files, path);
		CHECK(f == silent);
	}
	unlink(path);
}

/* Like a program that contains CPython and has no symbols. */
TEST(stripped)
{
	static char runtime[64] __attribute__((section(".PyRuntime"), used)) = "runtime";
	_files_ struct pyfiles *files = pyfiles_new();
	const struct pyfile *f = look(files, "/proc/self/exe");

	CHECK(runtime[0] && f);
	CHECK_EQ(f->foreign, PYFILE_STRIPPED);
	CHECK(!pyfile_is_interpreter(f));
	CHECK_EQ(look(files, OTHER)->foreign, PYFILE_NATIVE);
}

/* A 32-bit file is not parsed, but one word in it, at any offset, betrays CPython. */
TEST(foreign)
{
	static const size_t places[] = { 64, 65536 - 8, 65536 - 16, 70000, 131072 - 1 };
	static const char word[] = "_PyEval_EvalFrameDefault";
	_files_ struct pyfiles *files = pyfiles_new();
	_free_ char *data = calloc(1, 200000);
	const struct pyfile *f;
	SCRATCH(path);

	memcpy(data, "\177ELF\1\1\1", 7);
	CHECK(write_file(path, data, 200000));
	CHECK_EQ(look(files, path)->foreign, PYFILE_NATIVE);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memset(data + 64, 0, 200000 - 64);
		memcpy(data + places[i], word, sizeof(word));
		data[4] = 1 + i % 2; /* or 64-bit for an unknown machine */
		CHECK(write_file(path, data, 200000));
		f = look(files, path);
		CHECK_EQ(f->foreign, i % 2 ? PYFILE_OTHER_MACHINE : PYFILE_32_BIT);
		CHECK(!pyfile_is_interpreter(f) && !f->elf);
	}
	unlink(path);
}

/* A file cut at any length gives less information or none. */
TEST(cut)
{
	static const size_t cuts[] = { 64, 4096, 100000, 1000000, 3000000 };
	_files_ struct pyfiles *files = pyfiles_new();
	SCRATCH(path);

	if (access(SYSTEM_PYTHON, R_OK))
		SKIP("no " SYSTEM_PYTHON);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		CHECK(copy_over(SYSTEM_PYTHON, path, cuts[i]));
		CHECK(look(files, path) != NULL);
	}
	unlink(path);
}

/* The inode stays the same; its ctime tells that the file has changed. */
TEST(overwritten_in_place)
{
	_files_ struct pyfiles *files = pyfiles_new();
	const struct pyfile *f;
	SCRATCH(path);

	if (!version_of(SYSTEM_PYTHON))
		SKIP("no " SYSTEM_PYTHON);
	CHECK(copy_over(SYSTEM_PYTHON, path, SIZE_MAX));
	f = look(files, path);
	CHECK(f && (pyfile_is_interpreter(f) || f->needs_python));
	CHECK(copy_over(OTHER, path, SIZE_MAX));
	f = look(files, path);
	CHECK(f && !pyfile_is_interpreter(f) && !f->needs_python);
	unlink(path);
}

/* A file that cannot be opened gives no information, and is opened again next time. */
TEST(cannot_be_opened_for_now)
{
	_files_ struct pyfiles *files = pyfiles_new();
	struct mapping m = {}, none;
	const struct pyfile *f;
	int err;

	if (!version_of(SYSTEM_PYTHON) || !map_file(SYSTEM_PYTHON, &m))
		SKIP("no " SYSTEM_PYTHON);
	none = m;
	none.start = none.end = 0;
	none.path = "/nowhere/python3";
	f = pyfiles_get(files, getpid(), &none, &err);
	CHECK(err == -ENOENT || err == -ESRCH);
	CHECK(f && !pyfile_is_interpreter(f) && !f->needs_python);
	f = pyfiles_get(files, getpid(), &m, &err);
	CHECK_EQ(err, 0);
	CHECK(f && (pyfile_is_interpreter(f) || f->needs_python));
}

/* glibc tells debuggers where thread-specific data is; musl has symbols that glibc lacks. */
TEST(libc)
{
	static const char *const paths[] = { "/lib/x86_64-linux-gnu/libc.so.6",
					     "/lib/aarch64-linux-gnu/libc.so.6" };
	_files_ struct pyfiles *files = pyfiles_new();
	const struct pyfile *f = NULL;

	for (size_t i = 0; !f && i < sizeof(paths) / sizeof(paths[0]); i++)
		f = look(files, paths[i]);
	if (!f)
		SKIP("no Debian libc here");
	CHECK(f->specific > 0 && f->specific < PAGE);
	CHECK(!pyfile_is_musl(f) && !pyfile_is_interpreter(f));
	f = look(files, "/lib/ld-musl-x86_64.so.1");
	if (!f)
		SKIP("no musl here");
	CHECK(pyfile_is_musl(f));
}
