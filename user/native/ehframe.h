/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of an ELF file as .eh_frame describes them (LSB Core, "Exception Frames"): where each
 * begins and ends, and the program of call frame instructions that says how to unwind it. A part of
 * a function that the compiler moved elsewhere (.cold) is a function here.
 *
 * The file is hostile: what is absurd is an error or no function, and an answer takes a bounded time.
 */
#ifndef KRAIT_EHFRAME_H
#define KRAIT_EHFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/image.h"

/* What functions have in common: a common information entry. */
struct cie {
	uint64_t address;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra; /* DWARF's number of the return address */
	uint8_t encoding;
	bool augmented; /* FDEs have augmentation data */
	bool signal;    /* signal handlers return to here */
	uint64_t program, program_end;
};

/* A function: a frame description entry. */
struct fde {
	uint64_t start, end; /* of its code */
	struct cie cie;
	uint64_t program, program_end;
};

struct ehframe;

/*
 * @file and @pages belong to the caller, and must live longer. A file without unwind information has
 * no functions. NULL: out of memory.
 */
struct ehframe *ehframe_open(struct elf_file *file, struct pages *pages);
void ehframe_close(struct ehframe *f);
static inline void ehframe_closep(struct ehframe **f)
{
	ehframe_close(*f);
}

const struct image *ehframe_image(const struct ehframe *f);
/* The number of functions; they are sorted by their start. */
size_t ehframe_count(const struct ehframe *f);
/* How many functions begin at or before @vaddr: the last of them is the one before the answer. */
size_t ehframe_search(struct ehframe *f, uint64_t vaddr);
/* Where function @i begins. False: it cannot be read. */
bool ehframe_start(struct ehframe *f, size_t i, uint64_t *ret);
/* 0 or -EINVAL. */
int ehframe_get(struct ehframe *f, size_t i, struct fde *ret);
/* The function with the code at @vaddr. False: none. */
bool ehframe_function(struct ehframe *f, uint64_t vaddr, struct fde *ret);

#endif
