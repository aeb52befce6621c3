/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a coroutine or generator stands, and what it awaits, read from outside of the process. */
#ifndef KRAIT_CORO_H
#define KRAIT_CORO_H

#include <stdint.h>

#include "py/value.h"

enum coro_state {
	CORO_NONE,    /* the object is none */
	CORO_CREATED, /* has not begun to run */
	CORO_SUSPENDED,
	CORO_RUNNING, /* it, or what it has called */
	CORO_DONE,
};

struct coro {
	enum coro_state state;
	uint64_t frame;  /* address of its frame, of a PyFrameObject up to 3.10; 0: none */
	uint64_t awaits; /* the object that it awaits; 0: none, or it is not suspended */
};

/*
 * Reads the coroutine, generator or asynchronous generator @object. Objects that only pass it on, such as what
 * __anext__() returns, stand for it.
 */
void coro_read(struct value_reader *r, uint64_t object, struct coro *ret);

#endif
