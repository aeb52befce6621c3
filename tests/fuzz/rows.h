/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the walker relies on in a row of offsets, whatever its source. The walker masks instead of
 * comparing, so it would silently read another field if a row exceeded these bounds.
 */
#ifndef KRAIT_FUZZ_ROWS_H
#define KRAIT_FUZZ_ROWS_H

#include "bpf/pylayout.h"
#include "fuzz.h"

/* The @width bytes at @at are within the @size bytes that the walker reads. */
static inline void must_fit(unsigned int at, unsigned int width, unsigned int size)
{
	MUST(at + width <= size);
}

static inline void must_fit_state(const struct py_layout *l)
{
	MUST(l->ts_size && l->ts_size < PY_TS_MAX);
	must_fit(l->ts_next, 8, l->ts_size);
	must_fit(l->ts_interp, 8, l->ts_size);
	must_fit(l->ts_thread_id, 8, l->ts_size);
	must_fit(l->ts_native_id, 8, l->ts_size);
	must_fit(l->ts_frame, 8, l->ts_size);
	must_fit(l->ts_chunk, 8, l->ts_size);
}

static inline void must_fit_frame(const struct py_layout *l)
{
	MUST(l->fr_size && l->fr_size < PY_FRAME_MAX);
	must_fit(l->fr_code, 8, l->fr_size);
	must_fit(l->fr_back, 8, l->fr_size);
	must_fit(l->fr_instr, l->co_bytecode ? 8 : 4, l->fr_size);
	must_fit(l->fr_owner, 1, l->fr_size);
	must_fit(l->fr_entry, 1, l->fr_size);
	must_fit(l->fr_stacktop, 4, l->fr_size);
	must_fit(l->fr_return, 2, l->fr_size);
}

static inline void must_fit_code(const struct py_layout *l)
{
	MUST(l->co_size && l->co_size < 256);
	must_fit(l->ob_type, 8, l->co_size);
	must_fit(l->co_flags, 4, l->co_size);
	must_fit(l->co_firstline, 4, l->co_size);
	must_fit(l->co_file, 8, l->co_size);
	must_fit(l->co_name, 8, l->co_size);
	must_fit(l->co_qualname, 8, l->co_size);
	must_fit(l->co_table, 8, l->co_size);
	must_fit(l->co_stacksize, 4, l->co_size);
	must_fit(l->co_nlocalsplus, 4, l->co_size);
	for (int i = 0; i < PY_IDENTS; i++)
		must_fit(l->co_ident[i], 8, l->co_size);
}

/* The walker reads a str's head with one read from us_length on, of 24 bytes at worst. */
static inline void must_fit_str(const struct py_layout *l)
{
	MUST(l->us_hash >= l->us_length && l->us_hash - l->us_length <= 16);
	MUST(l->us_state > l->us_length && l->us_state - l->us_length <= 28);
	MUST(l->us_ascii > l->us_state && l->us_compact > l->us_state);
}

static inline void must_be_row(const struct py_layout *l)
{
	must_fit_state(l);
	must_fit_frame(l);
	must_fit_code(l);
	must_fit_str(l);
}

#endif
