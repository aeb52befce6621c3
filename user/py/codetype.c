/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	list of interpreters ─► interpreter ─► thread states ─► frames ─► code object ─► its type
 *
 * A type is believed if its name is "code". The memory is hostile and changes while it is read:
 * all loops are bounded, and a wrong result is harmless, because the sampler rejects frames whose
 * code objects are of another type.
 */
#include "py/codetype.h"

#include <string.h>

#include "proc/rmem.h"

enum { STATES = 64, FRAMES = 16 }; /* examined at most */

static uint64_t word(pid_t pid, uint64_t at)
{
	uint64_t ret;

	return at && !rmem_read(pid, at, &ret, sizeof(ret)) ? ret : 0;
}

/* The type of @object; 0: its name is not "code". */
static uint64_t type_of(pid_t pid, const struct py_layout *l, uint64_t object)
{
	static const char name[] = "code";
	uint64_t type = object ? word(pid, object + l->ob_type) : 0, at;
	char text[sizeof(name)];

	/* tp_name is the first field after PyVarObject, whose last one follows ob_type. */
	at = type ? word(pid, type + l->ob_type + 16) : 0;
	return at && !rmem_read(pid, at, text, sizeof(text)) && !memcmp(text, name, sizeof(name))
		       ? type
		       : 0;
}

static uint64_t type_in_frames(pid_t pid, const struct py_layout *l, uint64_t state)
{
	uint64_t frame = word(pid, state + l->ts_frame), type = 0;

	if ((l->flags & PY_CFRAME) && frame)
		frame = word(pid, frame + l->cf_frame);
	for (int i = 0; i < FRAMES && frame && !type; i++) {
		/* The lowest bits are a tag (3.14+). */
		type = type_of(pid, l, word(pid, frame + l->fr_code) & ~3ULL);
		frame = word(pid, frame + l->fr_back);
	}
	return type;
}

uint64_t codetype_find(pid_t pid, const struct py_layout *l, uint64_t interps)
{
	uint64_t interp = word(pid, interps), type = 0, state;

	state = interp ? word(pid, interp + l->in_threads) : 0;
	for (int i = 0; i < STATES && state && !type; i++) {
		type = type_in_frames(pid, l, state);
		state = word(pid, state + l->ts_next);
	}
	return type;
}
