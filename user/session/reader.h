/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads from other processes, and files that krait did not choose: memory, mappings, ELF files, arguments,
 * files of container engines. Any of them may be on a file system that does not respond (FUSE, NFS), so a
 * helper process reads them (base/aside.h). -ETIMEDOUT means that the read hangs, or did a moment ago; the
 * caller can ask again later, which returns at once while the hang lasts.
 */
#ifndef KRAIT_READER_H
#define KRAIT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "proc/runtime.h"
#include "proc/source.h"
#include "py/code.h"
#include "py/detect.h"
#include "py/gil.h"
#include "py/idents.h"
#include "py/stackread.h"
#include "py/asynctask.h"
#include "py/taskplace.h"
#include "py/threadname.h"

struct reader;

/* The caller must have one thread. NULL: out of memory. */
struct reader *reader_new(void);
void reader_free(struct reader *r);
/* After the caller has dropped capabilities: the helper process drops them too. 0 or -errno. */
int reader_follow(struct reader *r);

/*
 * look_process() in the helper process. A result of detect_process(), or -errno.
 */
int reader_look(struct reader *r, pid_t pid, pid_t tid, struct python *py, struct err *why);
/* Examines many processes at once; the next reader_look() of each returns the stored result. 0 or -ENOMEM. */
int reader_look_ahead(struct reader *r, const pid_t *pids, size_t n);
/* Forgets the results of reader_look_ahead() that were not collected. */
void reader_look_done(struct reader *r);
/* detect_interpreter() and detect_build(). */
int reader_interpreter(struct reader *r, pid_t pid, uint32_t index, struct python *py,
		       struct err *why);
int reader_build(struct reader *r, pid_t pid, struct python_build *ret);
/* procfs_arguments(). */
ssize_t reader_arguments(struct reader *r, pid_t pid, char *ret, size_t size);
/* idents_read() and stackread_thread(): their answer is appended to @out. */
int reader_idents(struct reader *r, const struct idents_wanted *w, struct buf *out);
int reader_stack(struct reader *r, const struct stack_wanted *w, struct buf *out);
/* tasklist_read() and taskread_tasks(), likewise. */
int reader_tasklist(struct reader *r, const struct tasklist_wanted *w, struct buf *out);
int reader_tasks(struct reader *r, const struct task_wanted *w, struct buf *out);
/* taskplace_read(). 0 or -errno. */
int reader_task_place(struct reader *r, const struct taskplace_wanted *w, struct task_place *ret);
/* source_read(), like reader_tasks(). */
int reader_source(struct reader *r, const struct source_wanted *w, struct buf *out);
/* gil_read(); 0 also if the process hangs. */
size_t reader_gil(struct reader *r, const struct gil_wanted *w, struct gil_now ret[GIL_MAX]);
/* runtime_names(). */
bool reader_names(struct reader *r, const char *root, const char *id, struct runtime_names *ret,
		  struct runtime_refused *refused);

/*
 * From now on reads the code objects that @c lacks and passes them to @c; if a process hangs, once it responds
 * again. To be called before the first record; @c must outlive @r.
 */
void reader_complete(struct reader *r, struct codes *c);
/* Faults a page in, in the background, and then increments *@count. 0 or -ENOMEM. */
int reader_touch(struct reader *r, pid_t pid, uint64_t addr, uint64_t *count);

/*
 * Reads a thread's name in the background, then calls @named with it; with NULL if the thread ended, or its process
 * hung, before its name was read. Does not call it if the thread has no name. 0 or -ENOMEM. @ctx must outlive the
 * reader.
 */
int reader_thread_name(struct reader *r, const struct threadname_wanted *w, uint32_t thread,
		       void (*named)(void *ctx, uint32_t thread, const char *name), void *ctx);

/* Continues background reads. Never blocks. */
void reader_turn(struct reader *r);
/* At the end of a recording: waits for the reads that can still finish. */
void reader_settle(struct reader *r);

/* Code objects of a process that were not read because it hangs. */
struct reader_missing {
	pid_t pid;
	uint32_t codes; /* how many; 0: all have been read by now */
};
const struct reader_missing *reader_missing(const struct reader *r, size_t *ret_n);
/* The file system that it may hang in: served_mapping(), "" if unknown. */
void reader_served(struct reader *r, pid_t pid, char *ret, size_t size);

#endif
