/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resources are freed at the end of their scope: every acquisition carries a cleanup attribute, and
 * ownership leaves a scope only through take_ptr() or take_fd(). Cleanup functions accept NULL and
 * -1.
 */
#ifndef KRAIT_CLEANUP_H
#define KRAIT_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _free_   _cleanup_(free_ptr)
#define _close_  _cleanup_(close_fd)
#define _fclose_ _cleanup_(close_file)

#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
