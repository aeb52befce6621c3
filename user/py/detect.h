/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds out whether a process runs CPython, which version, and the addresses that the sampler
 * reads, from its mappings and the ELF files behind them. No code of the target is run, and file
 * names prove nothing.
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
	DETECT_EXPECTED, /* an interpreter that is not completely loaded yet: ask again */
	DETECT_UNSUPPORTED, /* an interpreter that cannot be read, or a name like one's; err says why */
	DETECT_PYTHON,
};

struct python {
	uint32_t hex;   /* PY_VERSION_HEX, 0 unknown */
	uint32_t count; /* interpreters in this process, from libraries loaded side by side */
	uint32_t index; /* of this one among them */
	bool idle;      /* it is not initialized (yet) */
	bool agrees;    /* its memory was checked to match the layout */
	bool doubt;     /* the result may change in a moment */
	struct py_layout layout;
	struct proc_info info; /* the caller sets kind, layout index and more */
	/*
	 * If @reusable: facts that hold for every process that executes the same file. The caller
	 * sets its info and start_code.
	 */
	bool reusable;
	struct program program;
};

/* Facts about a process's interpreter for the user. */
struct python_build {
	bool debug, free_threaded;
	bool embedded;       /* the program is not the python command */
	bool library;        /* the interpreter is in a library, not in the executable */
	char path[PATH_MAX]; /* its file, as /proc/PID/maps has it */
};

/* Caches its knowledge of files. NULL: out of memory. */
struct detect *detect_new(void);
void detect_free(struct detect *d);

/*
 * Examines process @pid. Returns an enum detect_kind, or -errno (-ESRCH: it is gone). @ret is
 * filled for DETECT_PYTHON; its doubt is always set, its hex also for DETECT_UNSUPPORTED. @err is
 * set for DETECT_UNSUPPORTED and DETECT_EXPECTED.
 */
int detect_process(struct detect *d, pid_t pid, struct python *ret, struct err *err);
/*
 * The same for interpreter number @index of a process with several; detect_process() examines
 * number 0. -ENOENT: it is gone.
 */
int detect_interpreter(struct detect *d, pid_t pid, uint32_t index, struct python *ret,
		       struct err *err);
/* Call it after DETECT_PYTHON or DETECT_UNSUPPORTED. 0, -ENOENT (no interpreter) or -errno. */
int detect_build(struct detect *d, pid_t pid, struct python_build *ret);

#endif
