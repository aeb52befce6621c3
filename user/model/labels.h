/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The labels of a container as one text, with a line "KEY=VALUE" for each label. Keys contain no '=', and
 * neither keys nor values contain a newline. As one string, labels are interned and compared like every other
 * field of a container.
 */
#ifndef KRAIT_LABELS_H
#define KRAIT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

/* Pointers into the text, not NUL-terminated. */
struct label {
	const char *key, *value;
	size_t key_len, value_len;
};

/* Start with *@at = the text; false at the end. Lines without a '=' are skipped. */
bool label_next(const char **at, struct label *ret);

#endif
