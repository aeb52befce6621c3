/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	/proc/PID/maps ─► each file with code (pyfile.c) ─► addresses, layout ─► live memory agrees?
 *
 * A symbol is taken from the first file that defines it, in the order of the mappings. An
 * executable comes before its libraries, so a variable that the linker copied into a non-PIE
 * executable is found in the copy that the program uses. With several interpreters, each one's
 * symbols are taken from its own file.
 */
#include "py/detect.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "proc/maps.h"
#include "proc/procfs.h"
#include "proc/rmem.h"
#include "py/codetype.h"
#include "py/layout.h"
#include "py/pyfile.h"
#include "py/pyname.h"
#include "py/tlsvar.h"
#include "py/window.h"

/*
 * Offsets in glibc 2.31 to 2.43 and musl 1.2, in bytes from pthread_self(); symbols of the target's
 * libc take precedence. On aarch64 the thread pointer is at the end of struct pthread; @base is its
 * size.
 */
struct libc_row {
	uint16_t machine;
	bool musl;
	uint32_t base, first, second; /* as in struct proc_info */
	int32_t dtv;                  /* from the thread pointer */
	uint32_t dtv_entry;           /* bytes of an entry */
};

static const struct libc_row libcs[] = {
	{ EM_X86_64, false, 0, 0x310, 0x510, 8, 16 },
	{ EM_X86_64, true, 0, 0x80, 0, 8, 8 },
	{ EM_AARCH64, false, 1856, 0x110, 0x310, 0, 16 },
	{ EM_AARCH64, true, 200, 0x70, 0, -8, 8 },
};

struct detect {
	struct pyfiles *files;
};

/* A file as this process maps it. */
struct placed {
	const struct pyfile *file;
	uint64_t bias;
	bool musl;
	char *path; /* of an interpreter, owned; else NULL */
};

/* Signs of Python in a process in which no CPython interpreter was found. */
struct hints {
	bool called;       /* the program or a library is named like Python's */
	const char *other; /* it is another Python: "PyPy" */
	uint8_t foreign;   /* enum pyfile_foreign */
	int unread;        /* -errno: a file with code cannot be opened */
	char path[128];    /* of that file, or its end */
};

struct image {
	VEC(struct placed) at;
	VEC(const struct pyfile *) own; /* read from memory */
	uint32_t interpreters;          /* with a known version */
	bool needs_python;
	struct placed program; /* the executable; its file is NULL if it was not found */
	struct hints hints;
};

static void image_done(struct image *im)
{
	struct placed *p;

	vec_each (&im->at, p)
		free(p->path);
	vec_done(&im->at);
	for (size_t i = 0; i < im->own.len; i++)
		pyfile_free(im->own.at[i]);
	vec_done(&im->own);
}

struct detect *detect_new(void)
{
	struct detect *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->files = pyfiles_new();
	if (!d->files) {
		free(d);
		return NULL;
	}
	return d;
}

void detect_free(struct detect *d)
{
	if (!d)
		return;
	pyfiles_free(d->files);
	free(d);
}

static bool is_interesting(const struct pyfile *f)
{
	return pyfile_has_addresses(f) || f->specific || f->sizeof_pthread;
}

/* The kernel prints both paths; @exe still has its " (deleted)". */
static bool is_program(const struct mapping *m, const char *exe)
{
	size_t len = strlen(m->path);

	return !strncmp(exe, m->path, len) && !strcmp(exe + len, m->deleted ? " (deleted)" : "");
}

/* A file may have several executable mappings. */
static bool is_there(const struct image *im, const struct placed *new)
{
	const struct placed *p;

	vec_each (&im->at, p)
		if (p->file == new->file && p->bias == new->bias)
			return true;
	return false;
}

/* Adds hints from a file's name and symbols. @unread: 0, or -errno if it could not be opened. */
static void hint_add(struct hints *h, const struct mapping *m, const struct pyfile *f, int unread)
{
	size_t len = strlen(m->path), most = sizeof(h->path) - 1;

	h->called |= pyname_is_python(m->path) || pyname_is_library(m->path);
	if (!h->other)
		h->other = pyname_other(m->path);
	if (!h->other && (f->sym[SYM_PYPY].value || f->sym[SYM_PYPY].needed))
		h->other = "PyPy";
	if (!h->foreign)
		h->foreign = f->foreign;
	if (!unread || unread == -EBADF || h->unread) /* EBADF: a device, not a file */
		return;
	h->unread = unread;
	snprintf(h->path, sizeof(h->path), "%s", m->path + (len > most ? len - most : 0));
}

/* Adds a file and its mapping @m. */
static int image_put(struct image *im, const struct pyfile *file, const struct mapping *m,
		     const char *exe)
{
	struct placed p = { .file = file };
	int err = 0;

	p.musl = pyfile_is_musl(p.file) || strstr(m->path, "/ld-musl");
	im->needs_python |= p.file->needs_python;
	if (p.file->elf)
		err = elf_bias(p.file->elf, m->start, m->offset, &p.bias);
	if (!err && (!im->program.file || file->from_memory) && is_program(m, exe))
		im->program = p;
	if (!is_interesting(p.file) && !p.musl)
		return 0;
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	if (is_there(im, &p))
		return 0;
	if (pyfile_is_interpreter(p.file)) {
		p.path = strdup(m->path);
		if (!p.path)
			return -ENOMEM;
	}
	err = vec_push(&im->at, p);
	if (err)
		free(p.path);
	else
		im->interpreters += pyfile_is_interpreter(p.file) && p.file->hex;
	return err;
}

/* An emulator maps the emulated program as data, so only the process's name tells of Python. */
static void hint_exe(struct hints *h, pid_t pid, const char *exe)
{
	const char *name = strrchr(exe, '/');
	struct proc_stat stat;

	h->called = pyname_is_python(exe);
	h->other = pyname_other(exe);
	if (name && !strncmp(name, "/qemu-", strlen("/qemu-")) && !procfs_stat(pid, &stat) &&
	    pyname_is_python(stat.comm)) {
		h->called = true;
		h->foreign = PYFILE_OTHER_MACHINE;
	}
}

static int image_add(struct image *im, struct detect *d, pid_t pid, const struct mapping *m,
		     const char *exe)
{
	int unread;
	const struct pyfile *f = pyfiles_get(d->files, pid, m, &unread);

	if (!f)
		return -ENOMEM;
	hint_add(&im->hints, m, f, unread);
	return image_put(im, f, m, exe);
}

/*
 * Interpreter number @index. A file with an interpreter's variables but no version is a program
 * that has copies of them.
 */
static const struct placed *interpreter(const struct image *im, uint32_t index)
{
	const struct placed *p;

	vec_each (&im->at, p)
		if (pyfile_is_interpreter(p->file) && (p->file->hex || !im->interpreters) &&
		    !index--)
			return p;
	return NULL;
}

/* --- interpreters whose file cannot be read, or whose code was moved -------------------------- */

/* Adds the ELF image that is loaded at m->start, read from memory. 0, 1 (none there) or -ENOMEM. */
static int image_add_memory(struct image *im, pid_t pid, const struct mapping *m, const char *exe)
{
	const struct pyfile *f = pyfile_of_memory(pid, m->start);
	int err;

	if (!f)
		return 1;
	err = vec_push(&im->own, f);
	if (err) {
		pyfile_free(f);
		return err;
	}
	return image_put(im, f, m, exe);
}

/* Examines all mappings of the start of a file, executable or not. */
static int search_mappings(struct image *im, struct detect *d, pid_t pid, const char *exe)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	const struct pyfile *f;
	struct mapping m;
	int err, unread;

	maps = maps_open(pid, &err);
	if (!maps)
		return err;
	while ((err = maps_next(maps, &m)) > 0) {
		if (!m.inode || m.offset || !m.read)
			continue;
		f = pyfiles_get(d->files, pid, &m, &unread);
		err = !f ? -ENOMEM : unread ? image_add_memory(im, pid, &m, exe) : 0;
		if (err == 1)
			hint_add(&im->hints, &m, f, unread);
		else if (!err)
			err = image_put(im, f, &m, exe);
		if (err < 0)
			return err;
	}
	return err;
}

/* The dynamic linker's struct link_map, of glibc and musl. */
struct library {
	uint64_t addr, name, dynamic, next;
};

/* Finds libraries without a mapping of their file through the dynamic linker's list. */
static int search_libraries(struct image *im, pid_t pid, uint64_t debug)
{
	enum { LIBRARIES = 512, R_DEBUG_MAP = 8 };
	struct library l = {};
	uint64_t at = 0;
	int err = 0;

	if (rmem_read(pid, debug, &at, sizeof(at)) ||
	    rmem_read(pid, at + R_DEBUG_MAP, &l.next, sizeof(l.next)))
		return 0;
	for (int i = 0; i < LIBRARIES && l.next && err >= 0; i++) {
		struct mapping m = { .path = "", .start = 0 };

		if (rmem_read(pid, l.next, &l, sizeof(l)))
			return 0;
		m.start = l.addr;
		if (l.addr)
			err = image_add_memory(im, pid, &m, "");
	}
	return err < 0 ? err : 0;
}

/* Finds the executable through AT_PHDR, then its libraries. */
static int search_memory(struct image *im, pid_t pid, const char *exe)
{
	struct mapping m = { .path = exe };
	uint64_t headers;
	int err;

	if (!im->program.file) {
		err = procfs_headers(pid, &headers);
		if (err)
			return err == -ENOMEM ? err : 0;
		m.start = headers & -(uint64_t)sysconf(_SC_PAGESIZE);
		err = image_add_memory(im, pid, &m, exe);
		if (err < 0)
			return err;
	}
	if (interpreter(im, 0) || !im->program.file || !im->program.file->debug)
		return 0;
	return search_libraries(im, pid, im->program.bias + im->program.file->debug);
}

/*
 * Searches harder if there are signs of an interpreter that was not found: a name, an unreadable
 * file, a needed library that is not mapped, or an executable without executable mappings.
 */
static int search(struct image *im, struct detect *d, pid_t pid, const char *exe)
{
	struct hints *h = &im->hints;
	int err, unread;

	if (interpreter(im, 0) || h->foreign || h->other ||
	    !(h->called || h->unread || im->needs_python || !im->program.file))
		return 0;
	unread = h->unread;
	h->unread = 0;
	err = search_mappings(im, d, pid, exe);
	if (err && err != -ENOMEM && err != -ESRCH) { /* the list cannot be read now */
		h->unread = unread ?: err;
		return 0;
	}
	return err || interpreter(im, 0) ? err : search_memory(im, pid, exe);
}

static int image_read(struct image *im, struct detect *d, pid_t pid)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	char exe[PATH_MAX] = "";
	struct mapping m;
	int err;

	maps = maps_open(pid, &err);
	if (!maps)
		return err;
	/* With CAP_PERFMON, newer kernels show the mappings, but neither files nor memory. */
	err = procfs_exe(pid, exe, sizeof(exe));
	if (err == -EACCES || err == -EPERM)
		return -EACCES;
	hint_exe(&im->hints, pid, exe);
	while ((err = maps_next_code(maps, &m)) > 0) {
		err = image_add(im, d, pid, &m, exe);
		if (err)
			return err;
	}
	return err ?: search(im, d, pid, exe);
}

static uint64_t address_in(const struct placed *p, enum pyfile_symbol sym)
{
	return p->file->sym[sym].value ? p->bias + p->file->sym[sym].value : 0;
}

/* The symbol's address for the interpreter @own. */
static uint64_t address(const struct image *im, const struct placed *own, enum pyfile_symbol sym)
{
	const struct placed *p;

	if (im->interpreters > 1)
		return address_in(own, sym);
	vec_each (&im->at, p)
		if (p->file->sym[sym].value)
			return address_in(p, sym);
	return 0;
}

/* The row for the process's C library. */
static const struct libc_row *libc_of(const struct image *im, uint16_t machine)
{
	const struct placed *p;
	bool musl = false;

	vec_each (&im->at, p)
		musl |= p->musl;
	for (size_t i = 0; i < sizeof(libcs) / sizeof(libcs[0]); i++)
		if (libcs[i].machine == machine && libcs[i].musl == musl)
			return &libcs[i];
	return &libcs[0];
}

static void set_tss(const struct image *im, const struct libc_row *libc, struct proc_info *info)
{
	const struct placed *p;

	info->tss = libc->musl ? TSS_MUSL : TSS_GLIBC;
	info->tss_base = libc->base;
	info->tss_first = libc->first;
	info->tss_second = libc->second;
	vec_each (&im->at, p) {
		if (p->file->sizeof_pthread)
			info->tss_base = p->file->sizeof_pthread;
		if (p->file->specific >= 512 && !libc->musl) {
			info->tss_first = p->file->specific - 512;
			info->tss_second = p->file->specific;
		}
	}
}

enum { MODULES = 1 << 16 }; /* more than a process can have loaded */

static void set_static(struct tls_place *ret, int64_t offset)
{
	*ret = (struct tls_place){ .kind = TSS_STATIC_TLS, .offset = offset };
}

/* @where: module, and offset in its block. */
static void set_dynamic(struct tls_place *ret, const struct libc_row *libc, uint32_t base,
			const int64_t where[2], int64_t offset)
{
	if (where[0] <= 0 || where[0] >= MODULES)
		return;
	*ret = (struct tls_place){ .kind = TSS_DYNAMIC_TLS,
				   .first = where[0] * libc->dtv_entry,
				   .second = base + libc->dtv,
				   .offset = where[1] + offset };
}

/* A TLS descriptor's second word is an offset, or the address of module and offset. */
static void set_described(struct tls_place *ret, const struct libc_row *libc, uint32_t base,
			  pid_t pid, int64_t word)
{
	enum { FARTHEST = 1 << 20 };
	int64_t where[2];

	if (word > -FARTHEST && word < FARTHEST)
		set_static(ret, word);
	else if (!rmem_read(pid, word, where, sizeof(where)))
		set_dynamic(ret, libc, base, where, 0);
}

/* Locates the thread-local variable @v; @base as in struct libc_row. Leaves @ret alone if it cannot. */
static void find_variable(const struct tlsvar *v, uint64_t bias, const struct libc_row *libc,
			  uint32_t base, pid_t pid, struct tls_place *ret)
{
	size_t words = v->kind == TLSVAR_GOT ? 1 : 2;
	int64_t got[2] = {};

	if (v->kind == TLSVAR_OFFSET)
		set_static(ret, v->offset);
	if (v->kind == TLSVAR_NONE || v->kind == TLSVAR_OFFSET ||
	    rmem_read(pid, bias + v->got, got, 8 * words))
		return;
	if (v->kind == TLSVAR_GOT && got[0])
		set_static(ret, got[0]);
	else if (v->kind == TLSVAR_MODULE)
		set_dynamic(ret, libc, base, got, v->offset);
	else if (v->kind == TLSVAR_DESC && got[0])
		set_described(ret, libc, base, pid, got[1]);
}

/* Sets the variable with the thread state. Without one, the walker searches the list of states. */
static void set_variable(const struct placed *own, const struct libc_row *libc, pid_t pid,
			 struct proc_info *info)
{
	struct tls_place where = {};

	find_variable(&own->file->own_state, own->bias, libc, info->tss_base, pid, &where);
	if (!where.kind)
		return;
	info->tss = where.kind;
	info->tss_first = where.first;
	info->tss_second = where.second;
	info->tls = where.offset;
}

/* Sets the variable with the state that the thread is attached to (3.12+). */
static void set_attached(const struct placed *own, const struct libc_row *libc, pid_t pid,
			 struct python *py)
{
	if (py->layout.ts_status)
		find_variable(&own->file->attached, own->bias, libc, py->info.tss_base, pid,
			      &py->info.attached);
}

static void set_window(const struct placed *own, struct python *py)
{
	uint64_t size = own->file->sym[SYM_EVAL].size;
	uint32_t start = 0;

	if (py->layout.flags & PY_ENTRY_WINDOW)
		window_find(own->file->machine, &py->layout, own->file->eval,
			    sizeof(own->file->eval), &start, &py->info.at_entry);
	py->info.entry = address_in(own, SYM_EVAL) + start;
	if (size > start)
		py->info.at_entry.code = size - start < UINT16_MAX ? size - start : UINT16_MAX;
}

static void set_code(const struct placed *own, struct proc_info *info)
{
	info->code = own->file->code;
	if (info->code.text)
		info->code.text += own->bias;
}

/*
 * The C library of an interpreter without symbols is usually linked in and cannot be recognized, so
 * its slot for the thread state is not used: the walker searches the list of states.
 */
static void set_addresses(const struct image *im, const struct placed *own, pid_t pid,
			  struct python *py)
{
	const struct py_layout *l = &py->layout;
	uint64_t runtime = address(im, own, SYM_RUNTIME);

	memset(&py->info, 0, sizeof(py->info));
	if (runtime) {
		py->info.current = l->rt_current ? runtime + l->rt_current : 0;
		py->info.key = l->rt_key && !own->file->bare ? runtime + l->rt_key : 0;
		py->info.interps = runtime + l->rt_interps;
	} else {
		py->info.current = address(im, own, SYM_CURRENT_36);
		py->info.key = address(im, own, SYM_KEY_36);
		py->info.interps = address(im, own, SYM_INTERPS_36);
	}
	py->info.code_type = own->file->bare ? codetype_find(pid, l, py->info.interps)
					     : address(im, own, SYM_CODE_TYPE);
}

/* Are all addresses in the interpreter's own file? A non-PIE executable may have copies of some. */
static bool is_whole(const struct image *im, const struct placed *own)
{
	static const enum pyfile_symbol used[] = { SYM_RUNTIME, SYM_CURRENT_36, SYM_KEY_36,
						   SYM_INTERPS_36, SYM_CODE_TYPE };

	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		if (address(im, own, used[i]) != address_in(own, used[i]))
			return false;
	return true;
}

/*
 * Decides whether other processes that execute the same file can use these addresses, relocated.
 * They cannot if there are several interpreters, or if the dynamic linker has placed the variable
 * with the thread state.
 */
static void set_program(const struct image *im, const struct placed *own, struct python *py)
{
	enum { LEAST_ID = 8 }; /* bytes of a build id that is unique enough */
	const struct placed *program = &im->program;
	const struct pyfile *f = own->file;
	enum tlsvar_kind variable = py->info.key ? TLSVAR_OFFSET : f->own_state.kind;
	bool fixed = variable == TLSVAR_OFFSET || variable == TLSVAR_NONE;

	if (!program->file || im->interpreters != 1 || !fixed || !is_whole(im, own) ||
	    f->from_memory || program->file->from_memory || f->bare)
		return;
	py->reusable = true;
	if (f == program->file)
		return;
	py->reusable = program->file->needs_python && program->file->debug && f->id_len >= LEAST_ID;
	py->program.debug = program->bias + program->file->debug;
	py->program.library = own->bias;
	py->program.dynamic = f->dynamic;
	py->program.note = f->note;
	py->program.id_len = f->id_len;
	memcpy(py->program.id, f->id, sizeof(f->id));
}

/*
 * False while an interpreter's variable in .bss is not set up. The loader first maps all of a
 * library, then puts anonymous memory over .bss; until then a read there returns the file's next
 * bytes, from a mapping that is usually not writable.
 */
static bool is_in_place(pid_t pid, uint64_t address)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct mapping m;
	int err;

	maps = maps_open(pid, &err);
	while (maps && maps_next(maps, &m) > 0)
		if (address >= m.start && address < m.end)
			return m.write;
	return false;
}

/*
 * Checks the layout against live memory: the first thread state must point back to its interpreter.
 * It does not while the interpreter is loaded or starts, so a mismatch may be gone in a moment.
 */
static int validate(pid_t pid, struct python *py, struct err *err)
{
	uint64_t interp = 0, state = 0, owner = 0;

	for (int tries = 0; tries < 5; tries++) {
		if (!py->info.interps || rmem_read(pid, py->info.interps, &interp, 8) || !interp)
			return DETECT_PYTHON; /* not initialized yet: nothing to check */
		if (rmem_read(pid, interp + py->layout.in_threads, &state, 8))
			continue;
		if (!state)
			return DETECT_PYTHON;
		if (rmem_read(pid, state + py->layout.ts_interp, &owner, 8) || owner != interp)
			continue;
		py->agrees = true;
		return DETECT_PYTHON;
	}
	py->doubt = true;
	err_set(err, -ENOTSUP,
		"CPython %u.%u.%u: memory layout differs from that version (a patched build?)",
		py->hex >> 24, (py->hex >> 16) & 0xff, (py->hex >> 8) & 0xff);
	return is_in_place(pid, py->info.interps) ? DETECT_UNSUPPORTED : DETECT_EXPECTED;
}

/* Has the process not initialized its interpreter, or finalized it? */
static bool is_idle(pid_t pid, const struct python *py)
{
	uint64_t interp = 0;

	return !rmem_read(pid, py->info.interps, &interp, sizeof(interp)) && !interp;
}

static int find_layout(const struct pyfile *f, struct py_layout *ret, struct err *err)
{
	int flavour = (f->sym[SYM_DEBUG].value ? PY_DEBUG : 0) |
		      (pyfile_is_free_threaded(f) ? PY_FREE_THREADED : 0);

	if (!f->hex)
		return err_set(err, -ENOTSUP, "interpreter of unknown version");
	return layout_find(f->hex, flavour, f->offsets, LAYOUT_OFFSETS_MAX, ret, err);
}

static int describe(const struct image *im, uint32_t index, pid_t pid, struct python *ret,
		    struct err *err)
{
	const struct placed *own = interpreter(im, index);
	const struct libc_row *libc = libc_of(im, own->file->machine);

	memset(ret, 0, sizeof(*ret));
	ret->hex = own->file->hex;
	ret->count = im->interpreters;
	ret->index = index;
	if (find_layout(own->file, &ret->layout, err))
		return DETECT_UNSUPPORTED;
	if (libc->machine == EM_AARCH64 && !libc->musl)
		layout_long_mutexes(&ret->layout);
	set_addresses(im, own, pid, ret);
	set_tss(im, libc, &ret->info);
	if (!ret->info.key)
		set_variable(own, libc, pid, &ret->info);
	set_attached(own, libc, pid, ret);
	set_window(own, ret);
	set_code(own, &ret->info);
	if (!ret->info.code_type && own->file->bare) {
		err_set(err, -ENOTSUP,
			"a CPython without symbols that has not run Python code yet");
		ret->doubt = true;
		return DETECT_EXPECTED;
	}
	if (!ret->info.code_type) {
		err_set(err, -ENOTSUP, "an interpreter without the symbol PyCode_Type");
		return DETECT_UNSUPPORTED;
	}
	if (!ret->info.interps) {
		err_set(err, -ENOTSUP, "a stripped CPython 3.6 whose threads cannot be found");
		return DETECT_UNSUPPORTED;
	}
	ret->idle = is_idle(pid, ret);
	set_program(im, own, ret);
	return validate(pid, ret, err);
}

/* No supported interpreter was found: decides the kind and the message from the hints. */
static int explain(const struct image *im, struct python *ret, struct err *err)
{
	const struct hints *h = &im->hints;

	memset(ret, 0, sizeof(*ret));
	ret->doubt = h->unread || im->needs_python;
	if (h->other) {
		err_set(err, -ENOTSUP, "%s is not supported, only CPython is", h->other);
	} else if (h->foreign == PYFILE_32_BIT) {
		err_set(err, -ENOTSUP, "a 32-bit CPython is not supported");
	} else if (h->foreign == PYFILE_STRIPPED) {
		err_set(err, -ENOTSUP, "a CPython without any symbols is not supported");
	} else if (h->foreign) {
		err_set(err, -ENOTSUP,
			"an emulated CPython for another architecture is not supported");
	} else if (im->needs_python) {
		err_set(err, -ENOTSUP, "the program links libpython, but it is not mapped");
		return DETECT_EXPECTED;
	} else if (h->called && h->unread) {
		err_set(err, -ENOTSUP, "interpreter not found: cannot read '%s': %s", h->path,
			strerror(-h->unread));
	} else if (h->called) {
		ret->doubt = true; /* it may load an interpreter later */
		err_set(err, -ENOTSUP,
			"named like Python, but contains no known interpreter (no symbols?)");
	} else {
		return DETECT_OTHER;
	}
	return DETECT_UNSUPPORTED;
}

int detect_process(struct detect *d, pid_t pid, struct python *ret, struct err *err)
{
	_cleanup_(image_done) struct image im = {};
	int code = image_read(&im, d, pid);

	if (code)
		return code;
	if (!interpreter(&im, 0))
		return explain(&im, ret, err);
	return describe(&im, 0, pid, ret, err);
}

int detect_interpreter(struct detect *d, pid_t pid, uint32_t index, struct python *ret,
		       struct err *err)
{
	_cleanup_(image_done) struct image im = {};
	int code = image_read(&im, d, pid);

	if (code)
		return code;
	return interpreter(&im, index) ? describe(&im, index, pid, ret, err) : -ENOENT;
}

int detect_build(struct detect *d, pid_t pid, struct python_build *ret)
{
	_cleanup_(image_done) struct image im = {};
	const struct placed *found;
	int err = image_read(&im, d, pid);

	if (err)
		return err;
	found = interpreter(&im, 0);
	if (!found)
		return -ENOENT;
	*ret = (struct python_build){
		.debug = found->file->sym[SYM_DEBUG].value,
		.free_threaded = pyfile_is_free_threaded(found->file),
		.library = found->file != im.program.file,
		.embedded = im.program.file && !pyfile_calls_main(im.program.file),
	};
	snprintf(ret->path, sizeof(ret->path), "%s", found->path);
	return 0;
}
