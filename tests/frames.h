/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files with hand-written unwind information, for tests. Everything is one segment, whose
 * addresses are offsets in the file:
 *
 *	0 headers     FRAMES_HDR .eh_frame_hdr     FRAMES_CIE .eh_frame     FRAMES_TEXT code ...
 */
#ifndef KRAIT_FRAMES_H
#define KRAIT_FRAMES_H

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "native/ehframe.h"

enum {
	FRAMES_HDR = 0x400,
	FRAMES_CIE = 0x2000,
	FRAMES_TEXT = 0x10000,
	FRAMES_SIZE = 0x40000,
	FRAMES_MAX = 512, /* functions */
};

struct frames {
	uint16_t machine;
	bool no_table; /* the header says that there is no table */
	uint8_t *file; /* FRAMES_SIZE bytes */
	uint32_t size; /* how many of them are the file */
	uint32_t at;   /* where the next record of .eh_frame goes */
	uint32_t cie;  /* of the following functions */
	uint32_t rows;
	int32_t row[FRAMES_MAX][2];
};

static inline void frames_put(struct frames *f, const void *bytes, size_t n)
{
	memcpy(f->file + f->at, bytes, n);
	f->at += n;
}

static inline void frames_number(struct frames *f, uint64_t v, size_t n)
{
	frames_put(f, &v, n);
}

/* A record of .eh_frame: @id, then what @body holds. Returns its address. */
static inline uint32_t frames_record(struct frames *f, uint32_t id, const void *body, size_t n)
{
	uint32_t start = f->at;

	frames_number(f, 4 + n, 4);
	frames_number(f, id, 4);
	frames_put(f, body, n);
	return start;
}

/* A CIE with these bytes after its version, for the following functions. */
static inline void frames_cie_bytes(struct frames *f, const void *bytes, size_t n)
{
	uint8_t body[256] = { 1 };

	memcpy(body + 1, bytes, n);
	f->cie = frames_record(f, 0, body, n + 1);
}

/* What compilers write: "zR", addresses relative to their place. */
static inline void frames_cie(struct frames *f)
{
	if (f->machine == EM_AARCH64) /* alignments 4 and -8; DW_CFA_def_cfa sp, 0 */
		frames_cie_bytes(f, "zR\0\4\x78\x1e\1\x1b\x0c\x1f\0", 11);
	else /* alignments 1 and -8; DW_CFA_def_cfa rsp, 8; DW_CFA_offset rip, 1 */
		frames_cie_bytes(f, "zR\0\1\x78\x10\1\x1b\x0c\7\x8\x90\1", 13);
}

/* A function of @size bytes at @start with these instructions. */
static inline void frames_function(struct frames *f, uint32_t start, uint32_t size,
				   const void *program, size_t n)
{
	uint8_t body[9 + 4096];
	int32_t rel = start - (f->at + 8);

	memcpy(body, &rel, 4);
	memcpy(body + 4, &size, 4);
	body[8] = 0; /* length of augmentation data */
	memcpy(body + 9, program, n);
	f->row[f->rows][0] = start - FRAMES_HDR;
	f->row[f->rows++][1] = frames_record(f, f->at + 4 - f->cie, body, 9 + n) - FRAMES_HDR;
}

static inline void frames_init(struct frames *f, uint16_t machine)
{
	*f = (struct frames){ .machine = machine, .at = FRAMES_CIE, .size = FRAMES_SIZE };
	f->file = calloc(1, FRAMES_SIZE);
	frames_cie(f);
}

static inline void frames_headers(struct frames *f)
{
	Elf64_Ehdr *h = (void *)f->file;
	Elf64_Phdr *ph = (void *)(f->file + sizeof(*h));

	*h = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_DYN,
		.e_machine = f->machine,
		.e_version = 1,
		.e_phoff = sizeof(*h),
		.e_ehsize = sizeof(*h),
		.e_phentsize = sizeof(*ph),
		.e_phnum = 2,
	};
	ph[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = f->size, .p_memsz = f->size
	};
	ph[1] = (Elf64_Phdr){ .p_type = PT_GNU_EH_FRAME,
			      .p_offset = FRAMES_HDR,
			      .p_vaddr = FRAMES_HDR,
			      .p_filesz = 12 + 8 * f->rows,
			      .p_memsz = 12 + 8 * f->rows };
}

static inline int frames_by_start(const void *a, const void *b)
{
	return *(const int32_t *)a - *(const int32_t *)b;
}

static inline void frames_table(struct frames *f)
{
	uint8_t head[] = { 1, 0x1b, f->no_table ? 0xff : 0x03, f->no_table ? 0xff : 0x3b };
	int32_t frame = FRAMES_CIE - (FRAMES_HDR + 4);

	qsort(f->row, f->rows, sizeof(f->row[0]), frames_by_start);
	frames_number(f, 0, 4); /* the end of .eh_frame */
	memcpy(f->file + FRAMES_HDR, head, 4);
	memcpy(f->file + FRAMES_HDR + 4, &frame, 4);
	memcpy(f->file + FRAMES_HDR + 8, &f->rows, 4);
	memcpy(f->file + FRAMES_HDR + 12, f->row, sizeof(f->row[0]) * f->rows);
}

/* Writes headers and table as far as @f has none, and opens the file. */
static inline struct elf_file *frames_open(struct frames *f)
{
	int fd = memfd_create("frames", MFD_CLOEXEC);

	if (!f->file[0]) {
		frames_headers(f);
		frames_table(f);
	}
	if (pwrite(fd, f->file, f->size, 0) != f->size)
		abort();
	return elf_open_for(fd, f->machine, NULL);
}

static inline void frames_done(struct frames *f)
{
	free(f->file);
}

#endif
