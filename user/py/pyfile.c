/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	symbols ─► version: debug offsets, Py_Version, Py_GetVersion's arguments
 *	       ├─► code: prologue of the interpreter, the variable with the thread state
 *	       ├─► C library: location of thread-specific data
 *	       └─► dynamic section, DT_DEBUG, build id: to find the file in other processes
 */
#include "py/pyfile.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "proc/ehtable.h"
#include "py/decode.h"
#include "py/layout.h"
#include "py/loop.h"
#include "py/pyversion.h"

static const char *const symbol_names[SYMBOLS] = {
	[SYM_RUNTIME] = "_PyRuntime",
	[SYM_CURRENT_36] = "_PyThreadState_Current",
	[SYM_KEY_36] = "autoTLSkey",
	[SYM_INTERPS_36] = "interp_head",
	[SYM_HEAD_36] = "PyInterpreterState_Head",
	[SYM_CODE_TYPE] = "PyCode_Type",
	[SYM_EVAL] = "_PyEval_EvalFrameDefault",
	[SYM_VERSION] = "Py_Version",
	[SYM_GET_VERSION] = "Py_GetVersion",
	[SYM_OWN_STATE] = "PyGILState_GetThisThreadState",
	[SYM_ATTACHED] = "_PyThreadState_GetCurrent",
	[SYM_DEBUG] = "_Py_NegativeRefcount",
	[SYM_FREE_THREADED] = "_Py_DecRefShared",
	[SYM_SPECIFIC] = "_thread_db_pthread_specific",
	[SYM_SIZEOF_PTHREAD] = "_thread_db_sizeof_pthread",
	[SYM_MUSL] = "_dlstart",
	[SYM_MUSL_STATIC] = "__init_tp",
	[SYM_SELF] = "pthread_self",
	[SYM_MAIN] = "Py_BytesMain",
	[SYM_MAIN_37] = "_Py_UnixMain",
	[SYM_MAIN_36] = "Py_Main",
	[SYM_PYPY] = "pypy_main_startup",
};

/* A new file may reuse the inode of a deleted one: its ctime tells them apart. */
struct file_key {
	uint64_t dev, inode;
	int64_t changed; /* ns */
};

struct pyfiles {
	struct hmap *by_key; /* struct file_key -> const struct pyfile * */
};

struct pyfiles *pyfiles_new(void)
{
	struct pyfiles *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	files->by_key = hmap_new(sizeof(struct file_key), sizeof(struct pyfile *));
	if (!files->by_key) {
		free(files);
		return NULL;
	}
	return files;
}

/* One empty result, shared by all files without anything of interest. */
static const struct pyfile silent;

void pyfile_free(const struct pyfile *f)
{
	if (!f || f == &silent)
		return;
	elf_close(f->elf);
	free(f->offsets);
	free((void *)f);
}

void pyfiles_free(struct pyfiles *files)
{
	size_t pos = 0;
	void *val;

	if (!files)
		return;
	while (hmap_each(files->by_key, &pos, NULL, &val))
		pyfile_free(*(const struct pyfile **)val);
	hmap_free(files->by_key);
	free(files);
}

/*
 * A stripped 3.6 has no symbol for its list of interpreters, but one for the function that returns
 * it. 0: the function was not understood.
 */
static uint64_t decode_head_36(struct elf_file *e, const struct elf_sym *fn)
{
	uint8_t code[24];

	if (!fn->value || elf_read(e, fn->value, code, sizeof(code)))
		return 0;
	return decode_variable(elf_machine(e), code, sizeof(code), fn->value);
}

static void read_offsets(struct pyfile *f, struct elf_file *e)
{
	_free_ uint8_t *block = calloc(1, LAYOUT_OFFSETS_MAX);
	uint64_t free_threaded;
	uint32_t hex;

	if (!block || elf_read(e, f->sym[SYM_RUNTIME].value, block, LAYOUT_OFFSETS_MAX))
		return;
	hex = layout_offsets_version(block, LAYOUT_OFFSETS_MAX, &free_threaded);
	if (!hex)
		return;
	f->hex = hex;
	f->offsets = take_ptr(block);
}

static void read_version(struct pyfile *f, struct elf_file *e)
{
	if (f->sym[SYM_RUNTIME].value && !f->hex)
		read_offsets(f, e);
	if (!f->hex && f->sym[SYM_VERSION].value &&
	    elf_read(e, f->sym[SYM_VERSION].value, &f->hex, sizeof(f->hex)))
		f->hex = 0;
	if (!f->hex)
		f->hex = pyversion_of_function(e, &f->sym[SYM_GET_VERSION]);
	if (elf_read(e, f->sym[SYM_EVAL].value, f->eval, sizeof(f->eval)))
		memset(f->eval, 0, sizeof(f->eval)); /* then the whole prologue counts */
}

static struct tlsvar read_variable(struct pyfile *f, struct elf_file *e, enum pyfile_symbol returns)
{
	uint64_t at = f->sym[returns].value;
	uint8_t code[TLSVAR_CODE];

	if (!at || elf_read(e, at, code, sizeof(code)))
		return (struct tlsvar){};
	return tlsvar_find(f->machine, code, sizeof(code), at);
}

/* Needed only on aarch64, where pthread_self() is not the thread pointer. */
static void read_sizeof_pthread(struct pyfile *f, struct elf_file *e)
{
	uint8_t code[24];

	if (f->machine != EM_AARCH64)
		return;
	if (f->sym[SYM_SIZEOF_PTHREAD].value &&
	    elf_read(e, f->sym[SYM_SIZEOF_PTHREAD].value, &f->sizeof_pthread,
		     sizeof(f->sizeof_pthread)))
		f->sizeof_pthread = 0;
	if (!f->sizeof_pthread && f->sym[SYM_SELF].value &&
	    !elf_read(e, f->sym[SYM_SELF].value, code, sizeof(code)))
		f->sizeof_pthread = decode_self(f->machine, code, sizeof(code));
}

static void read_libc(struct pyfile *f, struct elf_file *e)
{
	uint32_t specific[3]; /* bits, elements, offset */

	if (f->sym[SYM_SPECIFIC].value &&
	    !elf_read(e, f->sym[SYM_SPECIFIC].value, specific, sizeof(specific)))
		f->specific = specific[2];
	read_sizeof_pthread(f, e);
}

bool pyfile_is_interpreter(const struct pyfile *f)
{
	return f->sym[SYM_RUNTIME].value || f->sym[SYM_CURRENT_36].value;
}

bool pyfile_has_addresses(const struct pyfile *f)
{
	return pyfile_is_interpreter(f) || f->sym[SYM_CODE_TYPE].value;
}

/* DT_DEBUG leads to the dynamic linker's list; the build id identifies the library in it. */
static void read_linkage(struct pyfile *f, struct elf_file *e)
{
	elf_dynamic(e, &f->dynamic, &f->debug);
	f->id_len = elf_build_id(e, f->id, sizeof(f->id), &f->note);
}

/* Do the first MOST bytes of the file contain a name that only CPython has? */
static bool mentions_python(int fd)
{
	static const char word[] = "PyEval_EvalFrame"; /* ...Ex up to 3.5, ...Default since */
	enum { BLOCK = 64 << 10, MOST = 64 << 20, LEN = sizeof(word) - 1 };
	_free_ char *text = malloc(LEN + BLOCK);
	size_t kept = 0, len;
	ssize_t n;

	for (off_t at = 0; text && at < MOST; at += n) {
		n = pread(fd, text + kept, BLOCK, at);
		if (n <= 0)
			return false;
		if (memmem(text, kept + n, word, LEN))
			return true;
		len = kept + n;
		kept = len < LEN ? len : LEN;
		memmove(text, text + len - kept, kept);
	}
	return false;
}

/* Examines an ELF file that elf_open() refuses. */
static void read_foreign(struct pyfile *f, int fd)
{
	unsigned char ident[EI_NIDENT];

	if (pread(fd, ident, sizeof(ident), 0) != sizeof(ident) || memcmp(ident, ELFMAG, SELFMAG))
		return;
	if (mentions_python(fd))
		f->foreign = ident[EI_CLASS] == ELFCLASS32 ? PYFILE_32_BIT : PYFILE_OTHER_MACHINE;
}

/* Finds the interpreter's prologue without its symbol, if this version needs it (py/window.h). */
static bool find_prologue(struct pyfile *f, struct elf_file *e)
{
	enum { MOST = 64 << 20 };
	_cleanup_(ehtable_closep) struct ehtable *functions = NULL;
	_free_ uint8_t *code = NULL;
	struct elf_sym text;
	struct py_layout l;
	size_t at;

	if (layout_find(f->hex, 0, f->offsets, LAYOUT_OFFSETS_MAX, &l, NULL))
		return false;
	if (!(l.flags & PY_ENTRY_WINDOW))
		return true;
	if (!elf_section(e, ".text", &text) || text.size > MOST)
		return false;
	code = malloc(text.size);
	if (!code || elf_read(e, text.value, code, text.size) ||
	    !window_search(f->machine, &l, code, text.size, &at))
		return false;
	/* Without the function's size, resumed generators are marked more often (bpf/pywalk.h). */
	functions = ehtable_open(e);
	if (!functions || !ehtable_function(functions, text.value + at, &f->sym[SYM_EVAL]))
		f->sym[SYM_EVAL].value = text.value + (at > WINDOW_BEFORE ? at - WINDOW_BEFORE : 0);
	return true;
}

/*
 * An executable that is stripped and exports nothing has no symbols, but since 3.10 a section with
 * the interpreter's variables.
 */
static void read_bare(struct pyfile *f, struct elf_file *e)
{
	struct elf_sym section;

	if (!elf_section(e, ".PyRuntime", &section))
		return;
	f->sym[SYM_RUNTIME] = section;
	read_offsets(f, e);
	if (!f->hex)
		f->hex = pyversion_search(e);
	f->bare = f->hex && find_prologue(f, e);
	if (!f->bare) {
		f->sym[SYM_RUNTIME] = (struct elf_sym){};
		f->foreign = PYFILE_STRIPPED;
	}
}

/* Fills @f from a file or from memory. Takes over @elf. */
static void read_elf(struct pyfile *f, struct elf_file *elf)
{
	_cleanup_(elf_closep) struct elf_file *e = elf;

	f->machine = elf_machine(e);
	elf_symbols(e, symbol_names, f->sym, SYMBOLS);
	if (!pyfile_is_interpreter(f))
		read_bare(f, e);
	f->needs_python = elf_needs(e, "libpython");
	if (pyfile_is_interpreter(f)) {
		read_version(f, e);
		f->own_state = read_variable(f, e, SYM_OWN_STATE);
		f->attached = read_variable(f, e, SYM_ATTACHED);
		loop_find(e, &f->sym[SYM_EVAL], &f->code);
	}
	if (f->sym[SYM_CURRENT_36].value && !f->sym[SYM_INTERPS_36].value)
		f->sym[SYM_INTERPS_36].value = decode_head_36(e, &f->sym[SYM_HEAD_36]);
	read_libc(f, e);
	if (pyfile_has_addresses(f) || f->needs_python) {
		read_linkage(f, e);
		elf_detach(e);
		f->elf = take_ptr(e);
	} else {
		f->machine = 0; /* not needed; makes most files equal to silent */
	}
}

/* A file that is not ELF gives an empty result. NULL: out of memory. Takes over @fd. */
static struct pyfile *file_read(int fd)
{
	_close_ int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct elf_file *e = elf_open(fd, NULL);
	struct pyfile *f = calloc(1, sizeof(*f));

	if (f && e)
		read_elf(f, e);
	else if (f)
		read_foreign(f, again);
	else
		elf_close(e);
	return f;
}

const struct pyfile *pyfile_of_memory(pid_t pid, uint64_t start)
{
	struct elf_file *e = elf_open_memory(pid, start, NULL);
	struct pyfile *f = e ? calloc(1, sizeof(*f)) : NULL;

	if (!f) {
		elf_close(e);
		return NULL;
	}
	f->from_memory = true;
	read_elf(f, e);
	return f;
}

const struct pyfile *pyfiles_get(struct pyfiles *files, pid_t pid, const struct mapping *m,
				 int *ret_err)
{
	struct file_key key = { .dev = m->dev, .inode = m->inode };
	const struct pyfile **slot, *f;
	struct stat st;
	int fd;

	*ret_err = maps_stat_file(pid, m, &st);
	if (*ret_err)
		return &silent;
	key.changed = st.st_ctim.tv_sec * 1000000000LL + st.st_ctim.tv_nsec;
	slot = hmap_get(files->by_key, &key);
	if (slot)
		return *slot;
	fd = maps_open_file(pid, m);
	if (fd < 0) {
		*ret_err = fd;
		return &silent;
	}
	f = file_read(fd);
	if (f && !memcmp(f, &silent, sizeof(silent))) {
		pyfile_free(f);
		f = &silent;
	}
	slot = f ? hmap_put(files->by_key, &key, NULL) : NULL;
	if (slot)
		*slot = f;
	else
		pyfile_free(f);
	return slot ? f : NULL;
}

/* glibc has neither symbol. */
bool pyfile_is_musl(const struct pyfile *f)
{
	return f->sym[SYM_MUSL].value || f->sym[SYM_MUSL_STATIC].value;
}

bool pyfile_is_free_threaded(const struct pyfile *f)
{
	uint64_t flag = 0;

	if (f->offsets)
		layout_offsets_version(f->offsets, LAYOUT_OFFSETS_MAX, &flag);
	return flag || f->sym[SYM_FREE_THREADED].value;
}

bool pyfile_calls_main(const struct pyfile *program)
{
	static const enum pyfile_symbol mains[] = { SYM_MAIN, SYM_MAIN_37, SYM_MAIN_36 };

	for (size_t i = 0; i < sizeof(mains) / sizeof(mains[0]); i++)
		if (program->sym[mains[i]].value || program->sym[mains[i]].needed)
			return true;
	return false;
}
