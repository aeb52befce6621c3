/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording read from files, as a model that every format can write. Several files are merged into one
 * recording: their times are aligned by wall-clock time, equal frames and stacks become one, and processes stay
 * separate. Files with a different unit, mode, event or rate are refused.
 */
#ifndef KRAIT_FORMAT_RECORDING_H
#define KRAIT_FORMAT_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/profile.h"
#include "model/stacks.h"

struct recording;

/* NULL: out of memory. */
struct recording *recording_new(void);
void recording_free(struct recording *r);
static inline void recording_freep(struct recording **r)
{
	recording_free(*r);
}

struct profile *recording_profile(struct recording *r);
struct stacks *recording_stacks(struct recording *r);

/*
 * For restore.h: checks that the file @name with @meta can be merged. *@ret_ms: its start, relative to the start
 * of the recording. 0, or -EINVAL with @err.
 */
int recording_place(const struct recording *r, const char *name, const struct profile_meta *meta,
		    int64_t *ret_ms, struct err *err);
/* Completes a file: merges its @meta and adds its losses. 0 or -ENOMEM. */
int recording_finish(struct recording *r, const struct profile_meta *meta,
		     const struct profile_loss *losses, size_t n);

/* Texts, frames and nodes are stored without duplicates; *@ret: the number in this recording. 0 or -errno. */
int recording_add_text(struct recording *r, const char *text, size_t len, uint32_t *ret);
const char *recording_text(const struct recording *r, uint32_t text);

/* The texts of @module are those of this recording. *@ret: a copy that lives as long as the recording. */
int recording_add_module(struct recording *r, const struct module *module,
			 const struct module **ret);

struct recording_frame {
	uint64_t address;
	const struct module *module;
	uint32_t name; /* text number */
	uint32_t file; /* text number + 1; 0: none */
	int32_t line;
	int32_t first;
	uint16_t kind; /* enum frame_kind */
	uint16_t approximate;
};

int recording_add_frame(struct recording *r, const struct recording_frame *frame, uint32_t *ret);
/* Replaces a marker, whose symbol may follow later in the file. -EBADMSG: the frame is not a marker. */
int recording_set_frame(struct recording *r, uint32_t frame, const struct recording_frame *now);
/* -EBADMSG: too deep. */
int recording_add_node(struct recording *r, uint32_t parent, uint32_t frame, uint32_t *ret);

#endif
