/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind information of an ELF file: whatever it is, the compiled chunk has the form that the walker
 * relies on. The input is
 *
 *	machine 1  length of the code 2  code ...  .eh_frame_hdr and .eh_frame, from FRAMES_HDR on
 */
#include <fcntl.h>

#include "file.h"
#include "frames.h"
#include "native/chunk.h"

enum { CODE = 0x1000 };

static struct pages *pages;
static struct chunk *chunk;
static uint16_t body[NATIVE_POOL];

static void set_up(void)
{
	pages = pages_new();
	chunk = chunk_new();
	MUST(pages && chunk);
}

/* --- seeds ------------------------------------------------------------------------------------ */

static const struct {
	const char *name, *program, *code;
	size_t n_program, n_code;
	uint16_t machine;
} seeds[] = {
#define SEED(name, machine, program, code)                                                         \
	{                                                                                          \
		name, program, code, sizeof(program) - 1, sizeof(code) - 1, machine                \
	}
	SEED("push", EM_X86_64, "\x41\x0e\x10\x86\2\x43\x0d\6\x02\x40\x0c\7\x8\xc6",
	     "\xff\x25\1\2\3\4\x66\x90"),
	SEED("states", EM_X86_64, "\x44\x0a\x0e\x40\x48\x0b\x02\x10\x12\7\x7e\x11\6\2\x41\x13\x7d",
	     "\xf3\x0f\x1e\xfa\xf2\xff\x25\1\2\3\4\x90"),
	SEED("expressions", EM_X86_64,
	     "\x41\x0f\3\x76\x78\6\x10\6\2\x76\0\x41\x0f\5\x77\x18\6\x23\x8\x41\x16\6\1\x30",
	     "\x48\xc7\xc0\x0f\0\0\0\x0f\5"),
	SEED("plt", EM_X86_64,
	     "\x0e\x10\x46\x0e\x18\x4a\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3b\x2a\x33\x24\x22",
	     "\xff\x35\1\2\3\4\xff\x25\1\2\3\4\x0f\x1f\x40\0\xff\x25\1\2\3\4\x68\0\0\0\0\xe9\1\2\3"
	     "\4"),
	SEED("registers", EM_X86_64, "\x07\x10\x41\x08\6\x09\6\x03\x14\6\1\x15\6\1\x2f\6\2\x2e\x10",
	     ""),
	SEED("record", EM_AARCH64, "\x41\x2d\x41\x0e\x10\x9d\2\x9e\1\x44\x0d\x1d\x41\xdd\xde\x0e\0",
	     "\x10\1\0\x90\x11\2\x40\xf9\x10\2\0\x91\x20\2\x1f\xd6\x68\x11\x80\xd2\1\0\0\xd4"),
};

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(seeds); i++) {
		struct buf seed = {};
		struct frames f;

		frames_init(&f, seeds[i].machine);
		frames_function(&f, FRAMES_TEXT, 0x80, seeds[i].program, seeds[i].n_program);
		frames_function(&f, FRAMES_TEXT + 0x100, 0x80, seeds[i].program,
				seeds[i].n_program);
		frames_headers(&f);
		frames_table(&f);
		give(&seed, seeds[i].machine == EM_AARCH64, 1);
		give(&seed, seeds[i].n_code, 2);
		buf_add(&seed, seeds[i].code, seeds[i].n_code);
		buf_add(&seed, f.file + FRAMES_HDR, f.at - FRAMES_HDR);
		seed_write(seeds[i].name, &seed);
		buf_done(&seed);
		frames_done(&f);
	}
}

/* --- checks ------------------------------------------------------------------------------------- */

static void check_view(const struct chunk_view *v)
{
	MUST(v->rows && v->rows <= NATIVE_MAX_ROWS && !v->offsets[0]);
	for (size_t i = 0; i < v->rows; i++) {
		MUST(!i || v->offsets[i] > v->offsets[i - 1]);
		MUST(!i || v->rules[i] != v->rules[i - 1]);
		MUST(v->rules[i] < NATIVE_WIDE || v->rules[i] - NATIVE_WIDE < (int)v->n_wides);
		MUST(v->rules[i] <= NATIVE_COMPLEX || v->rules[i] >= NATIVE_WIDE);
	}
	for (size_t i = 1; i < v->n_funcs; i++)
		MUST(v->funcs[i] > v->funcs[i - 1]);
}

static void check_packed(const struct chunk_view *v)
{
	struct native_chunk head;

	MUST(chunk_words(chunk) <= NATIVE_POOL);
	chunk_pack(chunk, body, &head);
	MUST(head.rows == v->rows && head.funcs == v->n_funcs && head.wides == v->n_wides);
	for (size_t i = 0; i <= NATIVE_BUCKETS; i++)
		MUST(body[i] < v->rows && (!i || body[i] >= body[i - 1]));
}

static void check_functions(struct ehframe *f)
{
	static const uint64_t at[] = { 0, 1, FRAMES_TEXT, FRAMES_TEXT + 0x7f, UINT64_MAX };
	struct fde fde;

	for (size_t i = 0; i < COUNT(at); i++) {
		MUST(ehframe_search(f, at[i]) <= ehframe_count(f));
		if (ehframe_function(f, at[i], &fde))
			MUST(at[i] >= fde.start && at[i] < fde.end);
	}
}

static void check(struct elf_file *e, struct ehframe *f)
{
	struct chunk_view v;

	for (uint64_t base = 0; base <= FRAMES_TEXT; base += NATIVE_CHUNK) {
		MUST(!chunk_compile(chunk, f, elf_machine(e), base));
		v = chunk_view(chunk);
		check_view(&v);
		check_packed(&v);
	}
	check_functions(f);
}

/* The file that the input describes; the size of its parts is that of frames.h. */
static struct elf_file *open_input(struct input *in)
{
	static uint8_t file[FRAMES_TEXT + CODE];
	struct frames f = {
		.machine = take(in, 1) ? EM_AARCH64 : EM_X86_64,
		.rows = 16,
		.file = file,
		.size = sizeof(file),
	};
	size_t n = take(in, 2) % (CODE - 0x80);

	memset(file, 0, sizeof(file));
	frames_headers(&f);
	n = n < in->left ? n : in->left;
	memcpy(file + FRAMES_TEXT + 0x80, in->at, n);
	in->at += n;
	in->left -= n;
	n = in->left < FRAMES_TEXT - FRAMES_HDR ? in->left : FRAMES_TEXT - FRAMES_HDR;
	memcpy(file + FRAMES_HDR, in->at, n);
	return elf_open_for(file_of(file, sizeof(file)), f.machine, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct elf_file *e = open_input(&in);
	struct ehframe *f;

	MUST(e);
	f = ehframe_open(e, pages);
	MUST(f);
	check(e, f);
	ehframe_close(f);
	elf_close(e);
	return 0;
}
