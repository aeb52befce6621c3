/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The content of a .krait file, which `krait record -o x.krait` writes incrementally while it records, and which
 * restore.h reads.
 *
 * The file is a sequence of blocks (block.h). Each is a message in the encoding of protocol buffers, with the
 * fields below, and has what is new since the block before. Tables (texts, processes, threads, states,
 * containers, modules, frames, nodes) are numbered from 0 in the order of the file, and an entry precedes every reference
 * to it. Readers skip unknown fields, so fields can be added without a new version. Changing the meaning of a
 * field needs a new version.
 *
 * Why not pprof, which other tools can merge and read? A pprof file is one message with a string table, written
 * when all data is known: it cannot grow, so a crash would leave nothing. It has no fields for weights over
 * time, only labels on samples, so there would be a sample for each stack and bin. Nor has it fields for losses,
 * markers and approximate lines, only comments and names. So krait has a format of its own, and `krait report`
 * converts it to pprof.
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
	STORE_TEXT = 2,        /* bytes; text 0 is the empty text and is not written */
	STORE_PROCESS = 3,
	STORE_THREAD = 4,
	STORE_STATE = 5,       /* state 0, running, is not written */
	STORE_FRAME = 6,
	STORE_NODES = 7,       /* packed: (number - number of the parent, frame); node 0 is not written */
	STORE_COUNTS = 8,      /* packed: (thread, state, node, zigzag of ms since the previous count, weight) */
	STORE_LOSS = 9,        /* replaces an earlier loss of the same name */
	STORE_END = 10,        /* 1: the recording ended properly */
	STORE_PROCESS_IS = 11, /* these replace the values of an earlier entry */
	STORE_THREAD_IS = 12,
	STORE_FRAME_IS = 13,
	STORE_CONTAINER = 14, /* container 0, unknown, is not written */
	STORE_CONTAINER_IS = 15,
	STORE_MODULE = 17,
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
enum store_state { STATE_KIND = 1, STATE_HOLDS_GIL = 2, STATE_CALL = 3,
		   STATE_LEAF = 4, /* enum leaf_kind; files of older versions have none */
		   STATE_MODULE = 5, STATE_TASK = 6 };
/* FRAME_FILE: number of a text + 1, 0: none; FRAME_KIND: enum frame_kind. */
enum store_frame { FRAME_NAME = 1, FRAME_FILE = 2, FRAME_LINE = 3, FRAME_KIND = 4, FRAME_APPROXIMATE = 5, FRAME_NUMBER = 6,
		   FRAME_FIRST = 7, /* first line of the function */
		   FRAME_ADDRESS = 8, FRAME_MODULE = 9 /* number + 1, 0: unknown */ };
enum store_module { MODULE_PATH = 1 /* number of a text */, MODULE_BUILD_ID = 2 /* bytes */, MODULE_START = 3, MODULE_SIZE = 4, MODULE_OFFSET = 5 };
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
 * Appends to @to everything that is new since the last call; the first call also writes the head. New counts get
 * the time @ms after the start. 0, or -ENOMEM: this store is then unusable.
 */
int store_append(struct store *s, const struct profile *p, const struct stacks *stacks, uint64_t ms,
		 struct buf *to);
/* Appends the block that ends the file. */
int store_end(struct store *s, struct buf *to);

#endif
