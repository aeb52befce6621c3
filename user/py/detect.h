/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this process CPython, which one, and where does it keep what the sampler reads? Found from its
 * mappings and the ELF files behind them; nothing of the target is run, and file names are no proof.
 */
#ifndef KRAIT_DETECT_H
#define KRAIT_DETECT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/pylayout.h"
#include "base/err.h"

struct detect;

enum detect_kind {
	DETECT_OTHER,    /* no interpreter is mapped */
	DETECT_EXPECTED, /* an interpreter that is not whole in its place yet: ask again */
	DETECT_UNSUPPORTED, /* an interpreter that cannot be read, or what is called as one; err says why */
	DETECT_PYTHON,
};

struct python {
	uint32_t hex;   /* PY_VERSION_HEX, 0 unknown */
	uint32_t count; /* interpreters in this process: libraries that were loaded side by side */
	uint32_t index; /* which of them this is */
	bool idle;      /* it has not been started (yet) */
	bool agrees;    /* its memory was seen to be as the layout says */
	bool doubt;     /* what was found, or not, may be otherwise in a moment */
	struct py_layout layout;
	struct proc_info info; /* kind, layout index and more are the caller's to set */
	/*
	 * What it tells of every process that executes the same file; its info and start_code are the
	 * caller's to set. Only if @reusable.
	 */
	bool reusable;
	struct program program;
};

/* What else there is to say of a process's interpreter. */
struct python_build {
	bool debug, free_threaded;
	bool embedded;       /* in a program that is not the command python */
	bool library;        /* it is in a library, not in the executable */
	char path[PATH_MAX]; /* of the file that it is in, as its list of mappings has it */
};

/* Remembers what it learned of files. NULL: out of memory. */
struct detect *detect_new(void);
void detect_free(struct detect *d);

/*
 * Looks at process @pid. An enum detect_kind, or -errno (-ESRCH: it is gone). @ret is filled for
 * DETECT_PYTHON, its doubt always, its hex also for DETECT_UNSUPPORTED; @err for DETECT_UNSUPPORTED and
 * DETECT_EXPECTED.
 */
int detect_process(struct detect *d, pid_t pid, struct python *ret, struct err *err);
/*
 * The same for the interpreter number @index of a process with several (that is number 0 of them).
 * -ENOENT: there is no such one any more.
 */
int detect_interpreter(struct detect *d, pid_t pid, uint32_t index, struct python *ret,
		       struct err *err);
/* Of a process for which that said DETECT_PYTHON or DETECT_UNSUPPORTED. 0, -ENOENT: none, -errno. */
int detect_build(struct detect *d, pid_t pid, struct python_build *ret);

#endif
