/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All files belong to a target: their sizes are bounded, and a path must not lead out of the root.
 *
 *	file /opt/app/lib.so    build id 123456...    .gnu_debuglink "lib.debug", CRC
 *
 *	/usr/lib/debug/.build-id/12/3456.debug        its build id must be the same
 *	/opt/app/lib.debug                            \
 *	/opt/app/.debug/lib.debug                      } likewise; without a build id, the CRC of all of it
 *	/usr/lib/debug/opt/app/lib.debug              /
 */
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
#include <zlib.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum {
	MAX_PACKED = 64 << 20, /* bytes of .gnu_debugdata; large programs have 2 MB */
	MAX_UNPACKED = 256 << 20,
	MAX_MEMORY = 128 << 20, /* of the decompressor; 9 MB are usual */
	FIRST = 1 << 20,        /* room that is tried first, then twice as much, ... */
	MAX_ID = 64,
	MAX_LINK = 256,         /* bytes of a file's name, its NUL among them */
	MAX_SUMMED = 256 << 20, /* a larger file needs a build id: its CRC takes 0.1 s */
	PIECE = 64 << 10,
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

/* --- outside -------------------------------------------------------------------------------------- */

/* What identifies a file's debug file. */
struct wanted {
	uint16_t machine;
	uint8_t id[MAX_ID];
	size_t id_len;       /* 0: none */
	char link[MAX_LINK]; /* "": none */
	uint32_t crc;        /* of the file that @link names */
};

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

/*
 * 1: it has the wanted build id, -1: another one, 0: one of the two has none. The debug file's own note is in no
 * segment that has bytes, so it is looked for as a section.
 */
static int has_id(struct elf_file *e, const struct wanted *w)
{
	uint8_t note[16 + MAX_ID];
	struct range at;

	if (!w->id_len || !elf_section_range(e, ".note.gnu.build-id", &at))
		return 0;
	return at.size == 16 + w->id_len &&
			       !elf_source_read(elf_from(e), at.offset, note, at.size) &&
			       !memcmp(note + 16, w->id, w->id_len)
		       ? 1
		       : -1;
}

static bool has_crc(int fd, uint32_t wanted)
{
	_free_ uint8_t *piece = malloc(PIECE);
	uint32_t crc = 0;
	off_t at = 0;
	ssize_t n = 1;

	for (; piece && n > 0 && at <= MAX_SUMMED; at += n) {
		n = pread(fd, piece, PIECE, at);
		crc = n > 0 ? crc32(crc, piece, n) : crc;
	}
	return !n && crc == wanted;
}

/* The file at @path, if it is the wanted one. NULL: it is not. */
static struct elf_file *open_wanted(const struct wanted *w, const char *root, const char *path)
{
	_cleanup_(elf_closep) struct elf_file *found = NULL;
	int fd = open_below(root, path), id;

	if (fd < 0)
		return NULL;
	found = elf_open_for(dup(fd), w->machine, NULL);
	id = found ? has_id(found, w) : -1;
	if (!id)
		id = *w->link && has_crc(fd, w->crc) ? 1 : -1;
	close(fd);
	return id > 0 ? take_ptr(found) : NULL;
}

static struct elf_file *find_by_id(const struct wanted *w, const char *root)
{
	_cleanup_(buf_done) struct buf path = {};

	if (w->id_len < 2)
		return NULL;
	buf_str(&path, "/usr/lib/debug/.build-id/");
	for (size_t i = 0; i < w->id_len; i++)
		buf_printf(&path, i ? "%02x" : "%02x/", w->id[i]);
	buf_str(&path, ".debug");
	return path.err ? NULL : open_wanted(w, root, path.data);
}

static struct elf_file *find_by_link(const struct wanted *w, const char *root, const char *of)
{
	static const char *const places[][2] = {
		{ "", "" },
		{ "", ".debug/" },
		{ "/usr/lib/debug", "" },
	};
	const char *slash = strrchr(of, '/');
	struct elf_file *found = NULL;

	if (!*w->link || !slash)
		return NULL;
	for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
		_cleanup_(buf_done) struct buf path = {};

		buf_str(&path, places[i][0]);
		buf_add(&path, of, slash + 1 - of);
		buf_str(&path, places[i][1]);
		buf_str(&path, w->link);
		found = path.err ? NULL : open_wanted(w, root, path.data);
	}
	return found;
}

/* .gnu_debuglink: a name without folders, padded with NULs to a multiple of 4, and the CRC. */
static void read_link(struct elf_file *e, struct wanted *w)
{
	char bytes[MAX_LINK + 4];
	struct range at;
	size_t len;

	if (!elf_section_range(e, ".gnu_debuglink", &at) || at.size < 8 ||
	    at.size > sizeof(bytes) || elf_source_read(elf_from(e), at.offset, bytes, at.size))
		return;
	len = strnlen(bytes, at.size);
	if ((len & ~3) + 8 != at.size || memchr(bytes, '/', len))
		return;
	memcpy(w->link, bytes, len + 1);
	memcpy(&w->crc, bytes + at.size - 4, 4);
}

struct elf_file *debugfile_find(struct elf_file *e, const char *path, const char *root)
{
	struct wanted w = { .machine = elf_machine(e) };
	struct elf_file *found;
	uint64_t address;

	w.id_len = elf_build_id(e, w.id, sizeof(w.id), &address);
	read_link(e, &w);
	found = find_by_id(&w, root);
	return found ? found : find_by_link(&w, root, path);
}

/* --- both ----------------------------------------------------------------------------------------- */

/* Each question for names comes here, and a file may be large. So there are few attempts. */
void debugfiles_look(struct debugfiles *d, struct elf_file *e, const char *path, const char *root)
{
	if (!d->tries)
		d->inside = debugfile_inside(e);
	if (d->outside || d->tries >= DEBUGFILES_TRIES)
		return;
	d->tries++;
	d->outside = debugfile_find(e, path, root);
	if (!d->outside)
		d->outside = debugfile_find(e, path, "/");
}

void debugfiles_done(struct debugfiles *d)
{
	elf_close(d->inside);
	elf_close(d->outside);
}
