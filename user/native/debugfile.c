/* SPDX-License-Identifier: BSD-2-Clause */
/* Both files belong to a target: their sizes are bounded, and a path must not lead out of the root. */
#include "native/debugfile.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum {
	MAX_PACKED = 64 << 20, /* bytes of .gnu_debugdata; large programs have 2 MB */
	MAX_UNPACKED = 256 << 20,
	MAX_MEMORY = 128 << 20, /* of the decompressor; 9 MB are usual */
	FIRST = 1 << 20,        /* room that is tried first, then twice as much, ... */
	MAX_ID = 64,
};

/* --- inside of the file --------------------------------------------------------------------------- */

/* Unpacks one xz stream into @ret (@room bytes); its length, or 0: damaged or larger. */
static size_t unpack(const uint8_t *packed, size_t n, uint8_t *ret, size_t room, bool *ret_larger)
{
	uint64_t memory = MAX_MEMORY;
	size_t in = 0, out = 0;
	lzma_ret got = lzma_stream_buffer_decode(&memory, 0, NULL, packed, &in, n, ret, &out, room);

	*ret_larger = got == LZMA_BUF_ERROR;
	return got == LZMA_OK ? out : 0;
}

/* A descriptor of a file in memory with these bytes, or -1. */
static int file_of(const void *bytes, size_t n)
{
	_close_ int fd = memfd_create("debugdata", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		return -1;
	return take_fd(&fd);
}

/* What .gnu_debugdata contains as a file, or -1. */
static int unpack_file(const uint8_t *packed, size_t n)
{
	bool larger = true;
	size_t len = 0;

	for (size_t room = FIRST; larger && room <= MAX_UNPACKED; room *= 2) {
		_free_ uint8_t *bytes = malloc(room);

		if (!bytes)
			return -1;
		len = unpack(packed, n, bytes, room, &larger);
		if (len)
			return file_of(bytes, len);
	}
	return -1;
}

struct elf_file *debugfile_inside(struct elf_file *e)
{
	_free_ uint8_t *packed = NULL;
	struct range at;
	int fd;

	if (!elf_section_range(e, ".gnu_debugdata", &at) || !at.size || at.size > MAX_PACKED)
		return NULL;
	packed = malloc(at.size);
	if (!packed || elf_source_read(elf_from(e), at.offset, packed, at.size))
		return NULL;
	fd = unpack_file(packed, at.size);
	return fd < 0 ? NULL : elf_open_for(fd, elf_machine(e), NULL);
}

/* --- by build id ---------------------------------------------------------------------------------- */

/* "/usr/lib/debug/.build-id/12/3456.debug" */
static void path_of(const uint8_t *id, size_t n, struct buf *ret)
{
	buf_str(ret, "/usr/lib/debug/.build-id/");
	for (size_t i = 0; i < n; i++)
		buf_printf(ret, i ? "%02x" : "%02x/", id[i]);
	buf_str(ret, ".debug");
}

/* A descriptor of a regular file below @root, or < 0. Opening a device may already have effects. */
static int open_below(const char *root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_close_ int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int place = -1;
	char self[32];
	struct stat st;

	if (folder < 0)
		return -1;
	place = syscall(SYS_openat2, folder, path, &how, sizeof(how));
	if (place < 0 || fstat(place, &st) || !S_ISREG(st.st_mode))
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	return open(self, O_RDONLY | O_CLOEXEC);
}

/* The debug file's own note is in no segment that has bytes, so it is looked for as a section. */
static bool has_id(struct elf_file *e, const uint8_t *id, size_t n)
{
	uint8_t note[16 + MAX_ID];
	struct range at;

	return elf_section_range(e, ".note.gnu.build-id", &at) && at.size == 16 + n &&
	       !elf_source_read(elf_from(e), at.offset, note, at.size) && !memcmp(note + 16, id, n);
}

struct elf_file *debugfile_by_id(struct elf_file *e, const char *root)
{
	_cleanup_(buf_done) struct buf path = {};
	_cleanup_(elf_closep) struct elf_file *found = NULL;
	uint8_t id[MAX_ID];
	uint64_t address;
	size_t n = elf_build_id(e, id, sizeof(id), &address);
	int fd;

	if (n < 2)
		return NULL;
	path_of(id, n, &path);
	fd = path.err ? -1 : open_below(root, path.data);
	if (fd < 0)
		return NULL;
	found = elf_open_for(fd, elf_machine(e), NULL);
	return found && has_id(found, id, n) ? take_ptr(found) : NULL;
}
