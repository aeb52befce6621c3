/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a terminal that a person reads. */
#ifndef KRAIT_TERM_H
#define KRAIT_TERM_H

#include <stddef.h>

/* Columns of the terminal behind @fd; 0: it is no terminal, or does not know. */
size_t term_columns(int fd);

#endif
