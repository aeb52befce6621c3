/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people have stuck to a container, as one text: a line "KEY=VALUE" for each label. Keys hold no '=', and neither
 * of both a line end. One text is interned, kept and compared like every other fact of a container.
 */
#ifndef KRAIT_LABELS_H
#define KRAIT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of the text: no NUL behind them. */
struct label {
	const char *key, *value;
	size_t key_len, value_len;
};

/* Start with *@at = the text; false at the end. Lines without a '=' are skipped. */
bool label_next(const char **at, struct label *ret);

#endif
