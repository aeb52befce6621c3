/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/frames.h"

/* A record without any part, so that all parts are read from the process. */
static int want_code(const struct frames *fs, const struct wire_frame *f, const struct python *py)
{
	const struct wire_code record = {
		.kind = RECORD_CODE,
		.id = f->code,
		.addr = f->addr,
		.proc = fs->key,
		.missing = CODE_NO_OBJECT | CODE_NO_NAME | CODE_NO_QUALNAME | CODE_NO_FILE |
			   CODE_NO_TABLE,
	};

	if (codes_known(fs->codes, f->code))
		return 0;
	return codes_add(fs->codes, &record, NULL, &py->layout, py->info.code_type);
}

uint32_t frames_add(const struct frames *fs, const struct wire_frame *f, const struct python *py)
{
	uint32_t id = sym_frame(fs->sym, f);

	return id == SYM_NONE || want_code(fs, f, py) ? SYM_NONE : id;
}
