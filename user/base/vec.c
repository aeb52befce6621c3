/* SPDX-License-Identifier: BSD-2-Clause */
/* The one function behind VEC(): doubling growth, with the multiplication checked. */
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum { VEC_MIN_CAP = 8 };

int vec_reserve_(void **at, size_t *cap, size_t need, size_t size)
{
	size_t bytes, new_cap = *cap < VEC_MIN_CAP ? VEC_MIN_CAP : *cap;
	void *p;

	if (need <= *cap)
		return 0;
	while (new_cap < need)
		if (__builtin_mul_overflow(new_cap, 2, &new_cap))
			return -ENOMEM;
	if (__builtin_mul_overflow(new_cap, size, &bytes))
		return -ENOMEM;

	/* *at is the caller's T *, not a void *: strict aliasing allows only a copy of its bytes. */
	memcpy(&p, at, sizeof(p));
	p = realloc(p, bytes);
	if (!p)
		return -ENOMEM;
	memcpy(at, &p, sizeof(p));
	*cap = new_cap;
	return 0;
}
