/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every Python process that can be seen now: what it is, where it runs, and whether krait can read it.
 * Made from /proc alone: it needs neither BPF nor a privilege, but without one only the caller's own
 * processes can be looked at.
 */
#ifndef KRAIT_SURVEY_H
#define KRAIT_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Lists that are empty select everything. Where several are given, all of them must match. */
struct survey_opts {
	const uint64_t *pids, *uids;
	const char *const *comms;
	size_t npids, nuids, ncomms;
};

enum survey_link {
	SURVEY_UNKNOWN, /* also: nothing else is known of its interpreter */
	SURVEY_STATIC,  /* it is in the executable */
	SURVEY_SHARED,
};

enum { SURVEY_MORE = 3 };

/* Texts are "" where there is none. They live as long as the survey, and hold any byte. */
struct survey_process {
	uint32_t pid, ns_pid; /* here, and in the innermost namespace of its own */
	uint32_t uid, threads;
	uint32_t hex;               /* PY_VERSION_HEX, 0 unknown */
	uint32_t more[SURVEY_MORE]; /* of further interpreters that run there; 0: no more of them */
	enum survey_link link;
	bool embedded, debug, free_threaded;
	const char *library;   /* the path of the file with the interpreter, if it is shared */
	const char *container; /* its whole id */
	const char *engine;    /* what runs the container */
	const char *name, *image;
	const char *pod, *ns, *pod_uid; /* of Kubernetes: names of the pod and of its namespace */
	const char *unit;               /* of systemd, the innermost */
	const char *labels;             /* of the container, as in model/labels.h */
	uint32_t place;                 /* the survey's own */
	const char *comm;
	const char *arguments; /* as many bytes as arguments_len, NULs between them; may be cut */
	size_t arguments_len;
	const char *reason; /* why it cannot be read, NULL: it can */
};

struct survey;

/* Looks at all processes, once. NULL: @err says why; free with survey_free(). */
struct survey *survey_new(const struct survey_opts *o, struct err *err);
void survey_free(struct survey *s);
static inline void survey_freep(struct survey **s)
{
	survey_free(*s);
}

/* By container, what is in none first; ascending by pid. */
const struct survey_process *survey_processes(const struct survey *s, size_t *ret_n);
/* Processes that may not be looked at and are not listed: nothing says that they are Python. */
uint32_t survey_refused(const struct survey *s);

#endif
