/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code objects by identity: what was captured of each, and which line an instruction is on. They
 * outlive their process.
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
 * Has what records lack read by @fn, which is to hand it to codes_found() once it is there: with the bytes
 * of codefetch_read(), or none where that failed. Without it codes_add() reads. @fn: 0 or -ENOMEM.
 */
typedef int codes_fetcher(void *ctx, const struct code_wanted *w);
void codes_on_missing(struct codes *c, codes_fetcher *fn, void *ctx);
void codes_found(struct codes *c, uint64_t id, const void *data, size_t len);

/*
 * Takes a record (its lengths are checked by the reader of the ring); what it lacks is read from
 * the live process, if the code object there still has that identity. 0 or -ENOMEM.
 */
int codes_add(struct codes *c, const struct wire_code *record, const uint8_t *data,
	      const struct py_layout *l, uint64_t code_type);

/*
 * UTF-8; NULL where it could not be had, empty where the program has it so. Valid until the next
 * codes_add() or codes_found().
 */
struct code_text {
	const char *name; /* qualified where CPython knows it */
	const char *file;
	int line;       /* LINE_NONE: none */
	int first_line; /* at which it begins */
};

/* False: no such code object was captured. */
bool codes_text(const struct codes *c, uint64_t id, int lasti, struct code_text *ret);
/* Memory that they use. */
size_t codes_bytes(const struct codes *c);
bool codes_known(const struct codes *c, uint64_t id);

/*
 * Code objects that came without their name, file or table: those that were made whole later, by the task
 * itself or by codes_add(), and those that were not.
 */
uint64_t codes_refetched(const struct codes *c);
uint64_t codes_unresolved(const struct codes *c);

#endif
