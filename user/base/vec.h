/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed growable arrays: VEC(int) v = {}; vec_push(&v, 3). A zeroed struct is empty; vec_done()
 * frees. Pointers into an array are valid until the next push.
 */
#ifndef KRAIT_VEC_H
#define KRAIT_VEC_H

#include <errno.h>
#include <stddef.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *at;                                                                          \
		size_t len, cap;                                                                   \
	}

/* Grows *@at to hold @need elements of @size bytes; 0 or -ENOMEM (the array stays as it was). */
int vec_reserve_(void **at, size_t *cap, size_t need, size_t size);

/* Appends @value; 0 or -ENOMEM. */
#define vec_push(v, value)                                                                         \
	({                                                                                         \
		int vec_err_ = vec_reserve_((void **)&(v)->at, &(v)->cap, (v)->len + 1,            \
					    sizeof(*(v)->at));                                     \
		if (!vec_err_)                                                                     \
			(v)->at[(v)->len++] = (value);                                             \
		vec_err_;                                                                          \
	})

#define vec_each(v, it) for (it = (v)->at; it && it < (v)->at + (v)->len; it++)

#define vec_done(v)                                                                                \
	do {                                                                                       \
		free((v)->at);                                                                     \
		(v)->at = NULL;                                                                    \
		(v)->len = (v)->cap = 0;                                                           \
	} while (0)

#endif
