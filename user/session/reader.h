/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that krait reads from other processes and from files that it did not choose: memory,
 * mappings, ELF files, arguments, files of container engines. Any of it may be on a file system that
 * does not answer (FUSE, NFS): another process reads (base/aside.h), and -ETIMEDOUT means that it hangs,
 * now or a moment ago; it can be asked for again later, at no cost while that lasts.
 */
#ifndef KRAIT_READER_H
#define KRAIT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "proc/runtime.h"
#include "py/code.h"
#include "py/detect.h"

struct reader;

/* The caller must have one thread. NULL: out of memory. */
struct reader *reader_new(void);
void reader_free(struct reader *r);
/* After the caller gave up capabilities: who reads does so, too. 0 or -errno. */
int reader_follow(struct reader *r);

/*
 * detect_process(), where a process whose first thread has ended is known by its thread @tid (0: no
 * other is known), and one that must not be read is DETECT_UNSUPPORTED, with @why->code telling.
 */
int reader_look(struct reader *r, pid_t pid, pid_t tid, struct python *py, struct err *why);
/* Looks at many at once; reader_look() then has the answer, once. 0 or -ENOMEM. */
int reader_look_ahead(struct reader *r, const pid_t *pids, size_t n);
/* Forgets the answers that nobody came for. */
void reader_look_done(struct reader *r);
/* detect_interpreter() and detect_build(). */
int reader_interpreter(struct reader *r, pid_t pid, uint32_t index, struct python *py,
		       struct err *why);
int reader_build(struct reader *r, pid_t pid, struct python_build *ret);
/* procfs_arguments(). */
ssize_t reader_arguments(struct reader *r, pid_t pid, char *ret, size_t size);
/* runtime_names(). */
bool reader_names(struct reader *r, const char *root, const char *id, struct runtime_names *ret,
		  struct runtime_refused *refused);

/*
 * Has what @c lacks read, now or when its process answers again, and handed to @c. To be called before
 * the first record; @c must outlive @r.
 */
void reader_complete(struct reader *r, struct codes *c);
/* Brings a page in; *@count is one more when it is there. 0 or -ENOMEM. */
int reader_touch(struct reader *r, pid_t pid, uint64_t addr, uint64_t *count);

/* Goes on with what nobody waits for. Never waits itself. */
void reader_turn(struct reader *r);
/* The end: waits for what can still be read. */
void reader_settle(struct reader *r);

/* Code objects of a process that were not read because it hangs. */
struct reader_missing {
	pid_t pid;
	uint32_t codes; /* 0: by now they are */
};
const struct reader_missing *reader_missing(const struct reader *r, size_t *ret_n);
/* What it may hang in: served_mapping(), "" if that is not known. */
void reader_served(struct reader *r, pid_t pid, char *ret, size_t size);

#endif
