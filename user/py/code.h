/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captured code objects by id: name, file and line table, and the source line of an instruction.
 * They are kept after their process has ended.
 */
#ifndef KRAIT_CODE_H
#define KRAIT_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/pylayout.h"
#include "py/codefetch.h"

struct codes;

/* NULL: out of memory. */
struct codes *codes_new(void);
void codes_free(struct codes *c);

/*
 * Sets the function that fetches what a record lacks. @fn starts a codefetch_read() elsewhere and
 * returns 0 or -ENOMEM; its result goes to codes_found() later, with @len 0 if it failed. Without
 * @fn, codes_add() reads by itself.
 */
typedef int codes_fetcher(void *ctx, const struct code_wanted *w);
void codes_on_missing(struct codes *c, codes_fetcher *fn, void *ctx);
void codes_found(struct codes *c, uint64_t id, const void *data, size_t len);

/*
 * Adds a record, whose lengths the reader of the ring has checked. Missing parts are read from the
 * live process if the code object there still has the record's id. 0 or -ENOMEM.
 */
int codes_add(struct codes *c, const struct wire_code *record, const uint8_t *data,
	      const struct py_layout *l, uint64_t code_type);

/*
 * Strings are UTF-8; NULL: could not be read, "": empty in the program, too. Valid until the next
 * codes_add() or codes_found().
 */
struct code_text {
	const char *name; /* the qualified name if CPython has it */
	const char *file;
	int line;       /* LINE_NONE: none */
	int first_line; /* of the code object */
};

/* False: no such code object was captured. */
bool codes_text(const struct codes *c, uint64_t id, int lasti, struct code_text *ret);
/* Memory in use. */
size_t codes_bytes(const struct codes *c);
bool codes_known(const struct codes *c, uint64_t id);

/*
 * Of the code objects whose record lacked name, file or table: the number completed later, by the
 * task itself or by a second read, and the number that are still incomplete.
 */
uint64_t codes_refetched(const struct codes *c);
uint64_t codes_unresolved(const struct codes *c);

#endif
