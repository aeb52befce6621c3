/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about CPython and the C library in one ELF file, valid for every process that maps it: its
 * symbols, the version and flavour of its interpreter, and variables without a symbol. Addresses
 * are those in the file; each process adds its load bias.
 */
#ifndef KRAIT_PYFILE_H
#define KRAIT_PYFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"
#include "proc/elf.h"
#include "proc/maps.h"
#include "py/tlsvar.h"
#include "py/window.h"

enum pyfile_symbol {
	SYM_RUNTIME,
	SYM_CURRENT_36, /* 3.6 has no _PyRuntime */
	SYM_KEY_36,
	SYM_INTERPS_36,
	SYM_HEAD_36,
	SYM_CODE_TYPE,
	SYM_EVAL,
	SYM_VERSION,
	SYM_GET_VERSION,
	SYM_OWN_STATE,
	SYM_ATTACHED,
	SYM_DEBUG,
	SYM_FREE_THREADED,
	SYM_SPECIFIC, /* tells debuggers where glibc has thread-specific data */
	SYM_SIZEOF_PTHREAD,
	SYM_MUSL, /* musl's loader; the next one: a program linked statically to musl */
	SYM_MUSL_STATIC,
	SYM_SELF,
	SYM_MAIN, /* called by the python command; up to 3.7 it calls one of the next two */
	SYM_MAIN_37,
	SYM_MAIN_36,
	SYM_PYPY,
	SYMBOLS,
};

/* An interpreter in an ELF file that cannot be read. */
enum pyfile_foreign {
	PYFILE_NATIVE,
	PYFILE_32_BIT,
	PYFILE_OTHER_MACHINE,
	PYFILE_STRIPPED, /* for this machine, but without the symbols that its version needs */
};

/* All zero for most files: nothing of CPython or libc is in them. */
struct pyfile {
	struct elf_sym sym[SYMBOLS];
	struct elf_file *elf; /* detached, for its bias; NULL if no process needs its addresses */
	uint32_t hex;         /* PY_VERSION_HEX of its interpreter */
	uint16_t machine;     /* EM_ of its code */
	uint32_t specific;    /* offset of struct pthread's second level, 0 unknown */
	uint32_t sizeof_pthread;   /* only if the thread pointer is at the end of struct pthread */
	uint8_t *offsets;          /* LAYOUT_OFFSETS_MAX bytes of _PyRuntime, NULL before 3.13 */
	uint8_t eval[WINDOW_CODE]; /* of _PyEval_EvalFrameDefault */
	struct proc_code code;     /* of its interpreter */
	struct tlsvar own_state;   /* variable with the thread's own state (3.15+) */
	struct tlsvar attached; /* variable with the state that the thread is attached to (3.12+) */
	bool needs_python;
	bool bare; /* the interpreter has no symbols; only the address of _PyRuntime is known */
	bool from_memory; /* read from one process's memory, and valid only for that process */
	uint8_t foreign;  /* enum pyfile_foreign: an interpreter that is not supported */
	uint64_t dynamic, debug; /* addresses of the dynamic section and of its DT_DEBUG; 0: none */
	uint64_t note;           /* address of the build id */
	uint32_t id_len;
	uint8_t id[WIRE_BUILD_ID];
};

struct pyfiles;

/* A cache of the files read. NULL: out of memory. */
struct pyfiles *pyfiles_new(void);
void pyfiles_free(struct pyfiles *files);

/*
 * The file behind a mapping of @pid, read once; valid as long as @files. NULL: out of memory. If it
 * cannot be opened, the result is empty and *@ret_err is -errno, else 0. That result is not cached:
 * the process may have ended, and another one may map the same file.
 */
const struct pyfile *pyfiles_get(struct pyfiles *files, pid_t pid, const struct mapping *m,
				 int *ret_err);

/*
 * Reads the ELF image that process @pid has loaded at @start from its memory. The caller frees it
 * with pyfile_free(). NULL: not an ELF image, or out of memory.
 */
const struct pyfile *pyfile_of_memory(pid_t pid, uint64_t start);
void pyfile_free(const struct pyfile *f);

bool pyfile_is_interpreter(const struct pyfile *f);
/* Does it define symbols whose addresses in a process are needed? */
bool pyfile_has_addresses(const struct pyfile *f);
/* Is it musl, or a program linked statically to it? By symbols: the file may be named libc.so. */
bool pyfile_is_musl(const struct pyfile *f);
bool pyfile_is_free_threaded(const struct pyfile *f);
/* Does the program call CPython's main function, as the python command does? */
bool pyfile_calls_main(const struct pyfile *program);

#endif
