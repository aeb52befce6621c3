/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of the Python processes that run now: what each is, where it runs, and whether krait can read it.
 * It comes from /proc alone, so it needs neither BPF nor privileges; but without privileges only the caller's
 * own processes can be examined.
 */
#ifndef KRAIT_SURVEY_H
#define KRAIT_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "session/chosen.h"

/* An empty list selects everything. If several lists are given, a process must match all of them. */
struct survey_opts {
	const uint64_t *pids, *uids;
	const char *const *comms;
	size_t npids, nuids, ncomms;
	struct chosen_opts places; /* of these lists, one match is enough */
};

enum survey_link {
	SURVEY_UNKNOWN, /* the other fields of the interpreter are unknown, too */
	SURVEY_STATIC,  /* the interpreter is part of the executable */
	SURVEY_SHARED,  /* the interpreter is a shared library */
};

enum { SURVEY_MORE = 3 };

/* Missing texts are "". Texts live as long as the survey and may contain any byte. */
struct survey_process {
	uint32_t pid, ns_pid; /* in krait's pid namespace, and in the process's own */
	uint32_t uid, threads;
	uint32_t hex;               /* PY_VERSION_HEX, 0 unknown */
	uint32_t more[SURVEY_MORE]; /* versions of further interpreters in the process; 0: end */
	enum survey_link link;
	bool embedded, debug, free_threaded;
	const char *library;   /* path of the shared library with the interpreter */
	const char *container; /* full id */
	const char *engine;    /* container engine */
	const char *name, *image;
	const char *pod, *ns, *pod_uid; /* Kubernetes: name of the pod and of its namespace */
	const char *unit;               /* innermost systemd unit */
	const char *labels;             /* of the container, as in model/labels.h */
	uint32_t place;                 /* used by survey.c only */
	const char *comm;
	const char *arguments; /* arguments_len bytes, separated by NULs; may be truncated */
	size_t arguments_len;
	const char *reason; /* why krait cannot read it, NULL: it can */
};

/* "release", "debug", "free-threaded" or "free-threaded debug"; NULL: unknown. */
static inline const char *survey_build(const struct survey_process *p)
{
	static const char *const words[2][2] = {
		{ "release", "debug" },
		{ "free-threaded", "free-threaded debug" },
	};

	return p->link == SURVEY_UNKNOWN ? NULL : words[p->free_threaded][p->debug];
}

struct survey;

/* Examines all processes once. NULL: @err says why; free with survey_free(). */
struct survey *survey_new(const struct survey_opts *o, struct err *err);
void survey_free(struct survey *s);
static inline void survey_freep(struct survey **s)
{
	survey_free(*s);
}

/* Sorted by container, processes outside of containers first, then by pid. */
const struct survey_process *survey_processes(const struct survey *s, size_t *ret_n);
/* The number of processes that krait is not permitted to read and that are not listed: nothing suggests Python. */
uint32_t survey_refused(const struct survey *s);

#endif
