/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of the user's terminal. */
#ifndef KRAIT_TERM_H
#define KRAIT_TERM_H

#include <stddef.h>

/* Width in columns of the terminal behind @fd; 0: not a terminal, or unknown. */
size_t term_columns(int fd);

#endif
