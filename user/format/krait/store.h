/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as a file that grows: what `krait record -o x.krait` writes while it records, and what
 * restore.h reads again.
 *
 * It is a row of blocks (block.h), each a message in the encoding of protocol buffers, whose fields are the enums
 * below. Each names what is new since the one before. Tables (texts, processes, threads, states, containers, frames,
 * nodes) are numbered from 0 in the order of the file, and nothing is named before it is there. A reader skips fields
 * that it does not know, so a field may be added without a new version; what changes the meaning of one needs a new
 * version.
 *
 * Why not pprof, which could be merged and read by others as it is? It is one message with its table of
 * texts, written when all is known: it cannot grow, so nothing of it is left after a crash. It has no field for
 * a course over time but a label on each sample, which makes as many samples as stacks times bins; none for
 * losses, markers and approximate lines but comments and names. So a .krait file is ours, and pprof is
 * one of the formats that `krait report` makes of it.
 */
#ifndef KRAIT_FORMAT_STORE_H
#define KRAIT_FORMAT_STORE_H

#include "base/buf.h"
#include "model/profile.h"
#include "model/stacks.h"

/* clang-format off */
/* Never renumbered. */
enum store_field {
	STORE_META = 1,
	STORE_TEXT = 2,        /* bytes; text 0 is the empty one and not written */
	STORE_PROCESS = 3,
	STORE_THREAD = 4,
	STORE_STATE = 5,       /* state 0, running, is not written */
	STORE_FRAME = 6,
	STORE_NODES = 7,       /* packed: (its number - its parent's, frame) of each; node 0 is not written */
	STORE_COUNTS = 8,      /* packed: (thread, state, node, zigzag of ms since the one before, weight) */
	STORE_LOSS = 9,        /* replaces that of the same name */
	STORE_END = 10,        /* the recording ended; 1 */
	STORE_PROCESS_IS = 11, /* the same as before, now with other values */
	STORE_THREAD_IS = 12,
	STORE_FRAME_IS = 13,
	STORE_CONTAINER = 14, /* container 0, not known, is not written */
	STORE_CONTAINER_IS = 15,
};
enum store_meta {
	META_HOST = 1, META_MODE = 2, META_EVENT = 3, META_UNIT = 4, META_KRAIT = 5, /* texts */
	META_ASKED_HZ = 6, META_ACHIEVED_HZ = 7, META_SECONDS = 8,                   /* doubles */
	META_STARTED_S = 9, META_STARTED_NS = 10, META_BOOT = 11,
};
enum store_process { PROCESS_PID = 1, PROCESS_COMM = 2, PROCESS_VERSION = 3, PROCESS_FLAVOUR = 4, PROCESS_NUMBER = 5, PROCESS_CONTAINER = 6,
		     PROCESS_START = 7, PROCESS_BOOT = 8 /* 0: META_BOOT, and where there is none, the host */ };
enum store_container { CONTAINER_ID = 1, CONTAINER_NAME = 2, CONTAINER_ENGINE = 3, CONTAINER_IMAGE = 4, CONTAINER_POD = 5,
		       CONTAINER_NS = 6, CONTAINER_POD_UID = 7, CONTAINER_UNIT = 8, CONTAINER_NUMBER = 9, CONTAINER_LABELS = 10 };
enum store_thread { THREAD_PROCESS = 1, THREAD_TID = 2, THREAD_COMM = 3, THREAD_NUMBER = 5, THREAD_START = 6 };
enum store_state { STATE_KIND = 1, STATE_HOLDS_GIL = 2, STATE_CALL = 3 };
/* FRAME_FILE is the number of a text and 1, 0: none; FRAME_KIND an enum frame_kind. */
enum store_frame { FRAME_NAME = 1, FRAME_FILE = 2, FRAME_LINE = 3, FRAME_KIND = 4, FRAME_APPROXIMATE = 5, FRAME_NUMBER = 6,
		   FRAME_FIRST = 7 /* line at which the function begins */ };
enum store_loss { LOSS_NAME = 1, LOSS_TEXT = 2, LOSS_COUNT = 3 };
/* clang-format on */

struct store;

/* NULL: out of memory. */
struct store *store_new(void);
void store_free(struct store *s);
static inline void store_freep(struct store **s)
{
	store_free(*s);
}

/*
 * Appends to @to what the recording has that was not appended before, with the head at first. What is counted
 * since then is of the time @ms after the beginning. 0, or -ENOMEM: this store is of no use any more.
 */
int store_append(struct store *s, const struct profile *p, const struct stacks *stacks, uint64_t ms,
		 struct buf *to);
/* The block that ends it. */
int store_end(struct store *s, struct buf *to);

#endif
