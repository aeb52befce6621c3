/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one ELF file says of CPython and of the C library, whoever maps it: which symbols it defines, the
 * version and flavour of the interpreter in it, where its code keeps what no symbol names. Addresses are
 * those of the file; a process adds its bias.
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
	SYM_CURRENT_36, /* up to 3.6 there is no _PyRuntime */
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
	SYM_SPECIFIC, /* glibc tells debuggers where thread-specific data is */
	SYM_SIZEOF_PTHREAD,
	SYM_MUSL, /* of its loader, and of a program that is linked to it for good */
	SYM_MUSL_STATIC,
	SYM_SELF,
	SYM_MAIN, /* what the command python calls; up to 3.7 one of the others */
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
	PYFILE_STRIPPED, /* of this machine, without a symbol by which anything could be found */
};

/* All zero: it says nothing, as most files do. */
struct pyfile {
	struct elf_sym sym[SYMBOLS];
	struct elf_file *elf;    /* detached; of a file whose addresses are asked for, else NULL */
	uint32_t hex;            /* of the interpreter in it */
	uint16_t machine;        /* EM_ of its code */
	uint32_t specific;       /* offset of struct pthread's second level, 0 unknown */
	uint32_t sizeof_pthread; /* where the thread pointer is behind it */
	uint8_t *offsets;        /* LAYOUT_OFFSETS_MAX bytes of _PyRuntime, NULL before 3.13 */
	uint8_t eval[WINDOW_CODE]; /* of _PyEval_EvalFrameDefault */
	struct tlsvar own_state;   /* the variable with a thread's state (3.15+) */
	struct tlsvar attached;    /* and with the one that it is attached to (3.12+) */
	bool needs_python;
	bool from_memory; /* of one process, and true of that one alone */
	uint8_t foreign;  /* enum pyfile_foreign: what CPython is in it that is not read further */
	uint64_t dynamic, debug; /* addresses of the dynamic section and of its DT_DEBUG; 0: none */
	uint64_t note;           /* and of the build id */
	uint32_t id_len;
	uint8_t id[WIRE_BUILD_ID];
};

struct pyfiles;

/* Remembers the files that were read. NULL: out of memory. */
struct pyfiles *pyfiles_new(void);
void pyfiles_free(struct pyfiles *files);

/*
 * The file behind a mapping of @pid, read once; it lives as long as @files. NULL: out of memory. One that
 * cannot be opened says nothing, but only this time: its process may have ended, and the next one has
 * the same file. *@ret_err is 0, or -errno: why it cannot be opened.
 */
const struct pyfile *pyfiles_get(struct pyfiles *files, pid_t pid, const struct mapping *m,
				 int *ret_err);

/*
 * What process @pid has loaded at @start, read from its memory. The caller's, who frees it with
 * pyfile_free(). NULL: that is no ELF file, or out of memory.
 */
const struct pyfile *pyfile_of_memory(pid_t pid, uint64_t start);
void pyfile_free(const struct pyfile *f);

bool pyfile_is_interpreter(const struct pyfile *f);
/* Is it asked where a process has it? */
bool pyfile_has_addresses(const struct pyfile *f);
/* Is it musl, or a program that is linked to it for good? Its file may be called libc.so. */
bool pyfile_is_musl(const struct pyfile *f);
bool pyfile_is_free_threaded(const struct pyfile *f);
/* Does it call what the command python calls, and that does nothing else? */
bool pyfile_calls_main(const struct pyfile *program);

#endif
