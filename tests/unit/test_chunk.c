/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native/chunk, and through it native/cfa, rule, gap and ehframe: hand-written unwind information
 * whose rows are known, then information that no compiler writes.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "frames.h"
#include "rowtext.h"
#include "tap.h"

enum { SIZE = 0x100 }; /* of a function */

#define CODE(bytes) bytes, sizeof(bytes) - 1

static struct buf text;

/* The rows of the chunk at FRAMES_TEXT: "OFFSET RULE; ...". */
static const char *rows_of(struct frames *f)
{
	_cleanup_(elf_closep) struct elf_file *e = frames_open(f);
	_cleanup_(pages_freep) struct pages *pages = pages_new();
	_cleanup_(ehframe_closep) struct ehframe *frames = NULL;
	_cleanup_(chunk_freep) struct chunk *c = chunk_new();
	struct chunk_view v;

	buf_clear(&text);
	buf_str(&text, "");
	if (CHECK(e))
		frames = ehframe_open(e, pages);
	if (!CHECK(frames))
		return text.data;
	CHECK_EQ(chunk_compile(c, frames, f->machine, FRAMES_TEXT), 0);
	v = chunk_view(c);
	for (size_t i = 0; i < v.rows; i++) {
		buf_printf(&text, "%s%x ", i ? "; " : "", v.offsets[i]);
		rowtext_add(&text, f->machine, &v, i);
	}
	return text.data;
}

/* The rows of a function of SIZE bytes at the start of the chunk. */
static const char *rows(uint16_t machine, const void *program, size_t n)
{
	struct frames f;
	const char *ret;

	frames_init(&f, machine);
	frames_function(&f, FRAMES_TEXT, SIZE, program, n);
	ret = rows_of(&f);
	frames_done(&f);
	return ret;
}

/* --- programs --------------------------------------------------------------------------------- */

static const struct {
	const char *what, *program;
	size_t len;
	const char *want; /* without the end, "; 100 none" */
} x86[] = {
	{ "nothing", CODE(""), "0 cfa=7+8 fp=same ra=-8" },
	{ "push rbp; mov rsp,rbp; leave", CODE("\x41\x0e\x10\x86\2\x43\x0d\6\x02\x40\x0c\7\x8"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+16 fp=-16 ra=-8; 4 cfa=6+16 fp=-16 ra=-8; "
	  "44 cfa=7+8 fp=-16 ra=-8" },
	{ "remember and restore", CODE("\x44\x0a\x0e\x40\x48\x0b"),
	  "0 cfa=7+8 fp=same ra=-8; 4 cfa=7+64 fp=same ra=-8; c cfa=7+8 fp=same ra=-8" },
	{ "longer advances", CODE("\x02\x20\x0e\x10\x03\x10\0\x0e\x18\x04\x10\0\0\0\x0e\x20"),
	  "0 cfa=7+8 fp=same ra=-8; 20 cfa=7+16 fp=same ra=-8; 30 cfa=7+24 fp=same ra=-8; "
	  "40 cfa=7+32 fp=same ra=-8" },
	{ "restore rbp", CODE("\x41\x0e\x10\x86\2\x41\x0e\x08\xc6"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+16 fp=-16 ra=-8; 2 cfa=7+8 fp=same ra=-8" },
	{ "the same, extended", CODE("\x41\x0e\x10\x05\6\2\x41\x0e\x08\x06\6"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+16 fp=-16 ra=-8; 2 cfa=7+8 fp=same ra=-8" },
	{ "signed factored", CODE("\x41\x12\7\x7e\x11\6\2\x41\x13\x7d"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+16 fp=-16 ra=-8; 2 cfa=7+24 fp=-16 ra=-8" },
	{ "rbp undefined, then in a register, then the same",
	  CODE("\x41\x07\6\x41\x08\6\x41\x09\6\x03"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+8 fp=lost ra=-8; 2 cfa=7+8 fp=same ra=-8; "
	  "3 cfa=7+8 fp=lost ra=-8" },
	{ "the outermost function", CODE("\x07\x10"), "0 outermost" },
	{ "return address in a register", CODE("\x41\x09\x10\x01"),
	  "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "return address elsewhere on the stack", CODE("\x41\x90\2"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+8 fp=same ra=-16" },
	{ "caller's stack pointer elsewhere", CODE("\x41\x09\7\x8\x41\xc7"),
	  "0 cfa=7+8 fp=same ra=-8; 1 complex; 2 cfa=7+8 fp=same ra=-8" },
	{ "stack realigned: *(rbp-8), rbp where it points",
	  CODE("\x41\x0f\3\x76\x78\6\x10\6\2\x76\0"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=*(6-8)+0 fp=at-fp ra=-8" },
	{ "*(rsp+24)+8", CODE("\x41\x0f\5\x77\x18\6\x23\x8"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=*(7+24)+8 fp=same ra=-8" },
	{ "CFA by r10", CODE("\x41\x0c\x0a\0"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=10+0 fp=same ra=-8" },
	{ "a large frame", CODE("\x41\x0e\xf8\x3f\x41\x0e\x80\x40\x41\x0e\x80\x80\x80\x10"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+8184 fp=same ra=-8; 2 cfa=7+8192 fp=same ra=-8; "
	  "3 cfa=7+33554432 fp=same ra=-8" },
	{ "a large frame by rbp", CODE("\x41\x0c\6\xf8\x3d\x41\x0e\x80\x3e"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=6+7928 fp=same ra=-8; 2 cfa=6+7936 fp=same ra=-8" },
	{ "rbp far from the CFA", CODE("\x41\x86\x1f\x41\x86\x20"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+8 fp=-248 ra=-8; 2 cfa=7+8 fp=-256 ra=-8" },
	{ "an odd offset", CODE("\x41\x0e\x0c"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+12 fp=same ra=-8" },
	{ "PLT", CODE("\x0e\x10\x46\x0e\x18\x4a\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3b\x2a\x33\x24\x22"),
	  "0 cfa=7+16 fp=same ra=-8; 6 cfa=7+24 fp=same ra=-8; 10 plt11" },
	{ "PLT with endbr64", CODE("\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3a\x2a\x33\x24\x22"),
	  "0 plt10" },
	{ "size of arguments", CODE("\x2e\x10\x41\x0e\x10"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+16 fp=same ra=-8" },
	{ "negative offset", CODE("\x2f\6\2"), "0 cfa=7+8 fp=16 ra=-8" },
	/* What nobody writes. */
	{ "unknown instruction", CODE("\x41\x0e\x10\x41\x3f"),
	  "0 cfa=7+8 fp=same ra=-8; 1 cfa=7+16 fp=same ra=-8; 2 complex" },
	{ "aarch64's instruction", CODE("\x41\x2d"), "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "restore of nothing", CODE("\x41\x0b"), "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "an operand is missing", CODE("\x41\x0e"), "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "past the end of the function", CODE("\x03\0\2\x0e\x10"), "0 cfa=7+8 fp=same ra=-8" },
	{ "far past it", CODE("\x04\xff\xff\xff\xff\x0e\x10"), "0 cfa=7+8 fp=same ra=-8" },
	{ "expression longer than the program", CODE("\x41\x0f\x20\x77\x08"),
	  "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "expression of unknown form", CODE("\x41\x0f\2\x30\x30"),
	  "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "offset of the lowest number", CODE("\x41\x11\6\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"),
	  "0 cfa=7+8 fp=same ra=-8; 1 complex" },
	{ "number of more than 64 bits",
	  CODE("\x41\x0e\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
	  "0 cfa=7+8 fp=same ra=-8; 1 complex" },
};

static const char *without_end(const char *got)
{
	char *end = strstr(text.data, "; 100 none");

	if (end && !end[10])
		*end = '\0';
	return got;
}

TEST(x86)
{
	for (size_t i = 0; i < sizeof(x86) / sizeof(*x86); i++)
		if (!CHECK_STR(without_end(rows(EM_X86_64, x86[i].program, x86[i].len)),
			       x86[i].want))
			printf("#   %s\n", x86[i].what);
}

static const struct {
	const char *what, *program;
	size_t len;
	const char *want;
} a64[] = {
	{ "nothing", CODE(""), "0 cfa=31+0 fp=same ra=same" },
	{ "stp x29, x30, [sp, #-32]!; mov x29, sp", CODE("\x41\x0e\x20\x9d\4\x9e\3\x41\x0d\x1d"),
	  "0 cfa=31+0 fp=same ra=same; 4 cfa=31+32 fp=-32 ra=-24; 8 cfa=29+32 fp=-32 ra=-24" },
	{ "signed return address",
	  CODE("\x41\x2d\x41\x0e\x10\x9d\2\x9e\1\x44\xdd\xde\x0e\0\x41\x2d"),
	  "0 cfa=31+0 fp=same ra=same; 8 cfa=31+16 fp=-16 ra=-8; 18 cfa=31+0 fp=same ra=same" },
	{ "the same with the address of the instruction", CODE("\x41\x2c\x41\x0e\x10"),
	  "0 cfa=31+0 fp=same ra=same; 8 cfa=31+16 fp=same ra=same" },
	{ "record far from the CFA, at the stack pointer", CODE("\x41\x0e\xa0\x04\x9d\x44\x9e\x43"),
	  "0 cfa=31+0 fp=same ra=same; 4 cfa=31+544 fp=-544 ra=-536" },
	{ "record far from both", CODE("\x41\x0e\xc0\x04\x9d\x44\x9e\x43"),
	  "0 cfa=31+0 fp=same ra=same; 4 cfa=31+576 fp=-544 ra=-536" },
	{ "return address alone", CODE("\x41\x0e\x10\x9e\2"),
	  "0 cfa=31+0 fp=same ra=same; 4 cfa=31+16 fp=same ra=-16" },
	{ "registers apart", CODE("\x41\x0e\x20\x9d\4\x9e\1"),
	  "0 cfa=31+0 fp=same ra=same; 4 cfa=31+32 fp=-32 ra=-8" },
	{ "the outermost function", CODE("\x07\x1e"), "0 outermost" },
	{ "CFA by x16", CODE("\x41\x0c\x10\x10"),
	  "0 cfa=31+0 fp=same ra=same; 4 cfa=16+16 fp=same ra=same" },
	{ "PLT is x86-64's", CODE("\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3b\x2a\x33\x24\x22"),
	  "0 complex" },
};

TEST(aarch64)
{
	for (size_t i = 0; i < sizeof(a64) / sizeof(*a64); i++)
		if (!CHECK_STR(without_end(rows(EM_AARCH64, a64[i].program, a64[i].len)),
			       a64[i].want))
			printf("#   %s\n", a64[i].what);
}

/* --- functions and gaps ------------------------------------------------------------------------- */

TEST(functions)
{
	struct frames f;

	frames_init(&f, EM_X86_64);
	/* From the chunk before into this one, two neighbours, a gap, and from here into the next. */
	frames_function(&f, FRAMES_TEXT - 0x100, 0x108,
			CODE("\x02\x80\x0e\x10\x03\x82\x00\x0e\x18"));
	frames_function(&f, FRAMES_TEXT + 0x10, 0x10, CODE("\x44\x0e\x10"));
	frames_function(&f, FRAMES_TEXT + 0x20, 0x10, CODE(""));
	frames_function(&f, FRAMES_TEXT + 0xfff0, 0x100, CODE("\x48\x0e\x20\x50\x0e\x28"));
	CHECK_STR(rows_of(&f),
		  "0 cfa=7+16 fp=same ra=-8; 2 cfa=7+24 fp=same ra=-8; 10 cfa=7+8 fp=same ra=-8; "
		  "14 cfa=7+16 fp=same ra=-8; 20 cfa=7+8 fp=same ra=-8; 30 none; "
		  "fff0 cfa=7+8 fp=same ra=-8; fff8 cfa=7+32 fp=same ra=-8");
	f.no_table = true;
	memset(f.file, 0, FRAMES_CIE);
	CHECK_STR(rows_of(&f), text.data); /* by a scan */
	CHECK(strstr(text.data, "fff8"));
	frames_done(&f);
}

static const struct {
	uint16_t machine;
	const char *code;
	size_t len;
	const char *want; /* of the gap, from offset 0x100 on */
} gaps[] = {
	{ EM_X86_64, CODE("\xff\x25\1\2\3\4\x66\x90"), "100 cfa=7+8 fp=same ra=-8; 106 none" },
	{ EM_X86_64,
	  CODE("\xff\x35\1\2\3\4\xff\x25\1\2\3\4\x0f\x1f\x40\0\xff\x25\1\2\3\4\x68\0\0\0\0"
	       "\xe9\1\2\3\4"),
	  "100 cfa=7+16 fp=same ra=-8; 106 cfa=7+24 fp=same ra=-8; 10c none; "
	  "110 cfa=7+8 fp=same ra=-8; 11b cfa=7+16 fp=same ra=-8; 120 none" },
	{ EM_X86_64, CODE("\xf3\x0f\x1e\xfa\xf2\xff\x25\1\2\3\4\x90"),
	  "100 cfa=7+8 fp=same ra=-8; 10b none" },
	{ EM_X86_64, CODE("\xf3\x0f\x1e\xfa\x68\1\0\0\0\xf2\xe9\1\2\3\4\x90"),
	  "100 cfa=7+8 fp=same ra=-8; 109 cfa=7+16 fp=same ra=-8; 10f none" },
	{ EM_X86_64, CODE("\xc3\x90\x48\xc7\xc0\x0f\0\0\0\x0f\5"),
	  "100 none; 101 signal; 10b none" },
	{ EM_X86_64, CODE("\x48\xc7\xc0\x0e\0\0\0\x0f\5"), "100 none" },
	{ EM_AARCH64,
	  CODE("\xf0\x7b\xbf\xa9\x10\1\0\x90\x11\xfe\x47\xf9\x10\xe2\x3f\x91\x20\2\x1f\xd6"
	       "\x10\1\0\x90\x11\2\x40\xf9\x10\2\0\x91\x20\2\x1f\xd6"),
	  "100 none; 114 cfa=31+0 fp=same ra=same; 124 none" },
	{ EM_AARCH64,
	  CODE("\x5f\x24\3\xd5\x10\1\0\x90\x11\2\x40\xf9\x10\2\0\x91\x9f\x21\3\xd5\x20\2\x1f\xd6"),
	  "100 cfa=31+0 fp=same ra=same; 118 none" },
	{ EM_AARCH64, CODE("\x1f\x20\3\xd5\x68\x11\x80\xd2\1\0\0\xd4"), "100 signal; 10c none" },
};

TEST(gaps)
{
	for (size_t i = 0; i < sizeof(gaps) / sizeof(*gaps); i++) {
		const char *got;
		struct frames f;

		frames_init(&f, gaps[i].machine);
		frames_function(&f, FRAMES_TEXT, SIZE, CODE("\x0e\x20"));
		memcpy(f.file + FRAMES_TEXT + SIZE, gaps[i].code, gaps[i].len);
		got = strstr(rows_of(&f), "; 100");
		if (!CHECK_STR(got ? got + 2 : text.data, gaps[i].want))
			printf("#   gap %zu\n", i);
		frames_done(&f);
	}
}

TEST(signal_frame)
{
	struct frames f;

	frames_init(&f, EM_X86_64);
	frames_cie_bytes(&f, CODE("zRS\0\1\x78\x10\1\x1b"));
	frames_function(&f, FRAMES_TEXT + 15, 10, CODE("\x0f\2\x77\x28"));
	CHECK_STR(rows_of(&f), "0 none; f signal; 19 none");
	frames_done(&f);
}

/* --- the file ----------------------------------------------------------------------------------- */

/* CIEs of unknown or absurd form: their functions are not known. */
TEST(cies)
{
	static const struct {
		const char *cie;
		size_t len;
	} bad[] = {
		{ CODE("eh\0\0\0\0\0\0\0\0\0\1\x78\x10") },   /* an old augmentation */
		{ CODE("zQR\0\1\x78\x10\2\0\x1b") },          /* an unknown letter */
		{ CODE("zR\0\1\x78\x10\x7f\x1b") },           /* data longer than the record */
		{ CODE("zR\0\1\x78\x10\0\x1b") },             /* data shorter than what it holds */
		{ CODE("zR\0\1\x78\x10\1\x9b") },             /* an indirect address */
		{ CODE("zRRRRRRRRRRRRRRRRRRRRRRRR\0\1\x78") } /* too many letters */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct frames f;

		frames_init(&f, EM_X86_64);
		frames_cie_bytes(&f, bad[i].cie, bad[i].len);
		frames_function(&f, FRAMES_TEXT, SIZE, CODE(""));
		if (!CHECK_STR(rows_of(&f), "0 none"))
			printf("#   CIE %zu\n", i);
		frames_done(&f);
	}
}

/* A personality and a place for language data are passed by. */
TEST(augmentation)
{
	struct frames f;

	frames_init(&f, EM_X86_64);
	frames_cie_bytes(&f, CODE("zPLR\0\1\x78\x10\7\x9b\1\2\3\4\x1b\x1b\x0c\7\x8\x90\1"));
	frames_function(&f, FRAMES_TEXT, SIZE, CODE(""));
	CHECK_STR(without_end(rows_of(&f)), "0 cfa=7+8 fp=same ra=-8");
	frames_done(&f);
}

/* Absurd tables: no function, but no read outside either. */
TEST(tables)
{
	static const struct {
		unsigned int at; /* in .eh_frame_hdr */
		uint32_t value;
	} bad[] = { { 0, 0x3b031b02 },  { 8, UINT32_MAX },  { 8, 1000000 },
		    { 12, 0x7fffffff }, { 16, 0x7fffffff }, { 16, 0 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct frames f;

		frames_init(&f, EM_X86_64);
		frames_function(&f, FRAMES_TEXT, SIZE, CODE(""));
		frames_headers(&f);
		frames_table(&f);
		memcpy(f.file + FRAMES_HDR + bad[i].at, &bad[i].value, 4);
		rows_of(&f);
		if (i == 1 || i == 2) /* the count is absurd: a scan finds the function */
			CHECK_STR(without_end(text.data), "0 cfa=7+8 fp=same ra=-8");
		else if (!CHECK_STR(text.data, "0 none"))
			printf("#   table %zu\n", i);
		frames_done(&f);
	}
}

/* More rows than a chunk can have: the rest is not known, and says so. */
TEST(too_many_rows)
{
	enum { EACH = 1024, PROGRAM = 3 * EACH };
	uint8_t program[PROGRAM];
	struct frames f;

	for (size_t i = 0; i < EACH; i++) {
		program[3 * i] = 0x41;
		program[3 * i + 1] = 0x0e;
		program[3 * i + 2] = i % 2 ? 8 : 16;
	}
	frames_init(&f, EM_X86_64);
	for (size_t i = 0; i < 20; i++)
		frames_function(&f, FRAMES_TEXT + i * EACH, EACH, program, PROGRAM - 3);
	rows_of(&f);
	CHECK(strstr(text.data, "; 3ffe complex") || strstr(text.data, "; 3fff complex"));
	frames_done(&f);
}

/* --- packing -------------------------------------------------------------------------------------- */

TEST(pack)
{
	static uint16_t body[NATIVE_POOL];
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	_cleanup_(pages_freep) struct pages *pages = pages_new();
	_cleanup_(ehframe_closep) struct ehframe *frames = NULL;
	_cleanup_(chunk_freep) struct chunk *c = chunk_new();
	struct native_chunk head = {};
	struct chunk_view v;
	struct frames f;
	const uint16_t *offsets = body + NATIVE_BUCKETS + 1;

	frames_init(&f, EM_X86_64);
	frames_function(&f, FRAMES_TEXT + 0x80, 0x300, CODE("\x41\x0e\x10\x02\x80\x0e\x0c"));
	frames_function(&f, FRAMES_TEXT + 0x400, 0x10, CODE(""));
	e = frames_open(&f);
	frames = ehframe_open(e, pages);
	CHECK(frames);
	CHECK_EQ(chunk_compile(c, frames, EM_X86_64, FRAMES_TEXT + 1), -EINVAL);
	CHECK_EQ(chunk_compile(c, frames, EM_X86_64, -(uint64_t)NATIVE_CHUNK), -EINVAL);
	CHECK_EQ(chunk_compile(c, frames, EM_S390, FRAMES_TEXT), -ENOTSUP);
	CHECK_EQ(chunk_compile(c, frames, EM_X86_64, FRAMES_TEXT), 0);
	chunk_pack(c, body, &head);
	v = chunk_view(c);
	CHECK_EQ(head.rows, 7);
	CHECK_EQ(head.funcs, 2);
	CHECK_EQ(head.wides, 1);
	CHECK_EQ(chunk_words(c), NATIVE_BUCKETS + 1 + 14 + 2 + NATIVE_WIDE_WORDS);
	CHECK(!memcmp(offsets, v.offsets, 2 * v.rows));
	CHECK(!memcmp(offsets + v.rows, v.rules, 2 * v.rows));
	CHECK_EQ(offsets[2 * v.rows], 0x80);
	CHECK_EQ(offsets[2 * v.rows + 1], 0x400);
	CHECK(!memcmp(offsets + 2 * v.rows + 2, v.wides, sizeof(*v.wides)));
	for (size_t bucket = 0; bucket < NATIVE_BUCKETS; bucket++) {
		size_t row = body[bucket];

		CHECK(v.offsets[row] <= bucket << NATIVE_BUCKET_BITS);
		CHECK(row + 1 == v.rows || v.offsets[row + 1] > bucket << NATIVE_BUCKET_BITS);
	}
	CHECK_EQ(body[NATIVE_BUCKETS], v.rows - 1);
	frames_done(&f);
}

/* --- real files ------------------------------------------------------------------------------------ */

/* This program: the rows of a function of its own begin where a call leaves the stack. */
TEST(own_program)
{
	_cleanup_(elf_closep) struct elf_file *e =
		elf_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), NULL);
	_cleanup_(pages_freep) struct pages *pages = pages_new();
	_cleanup_(ehframe_closep) struct ehframe *frames = NULL;
	_cleanup_(chunk_freep) struct chunk *c = chunk_new();
	static const char *const name = "main";
	struct elf_sym sym;
	struct fde fde;

	CHECK(e);
	CHECK_EQ(elf_symbols(e, &name, &sym, 1), 1);
	frames = ehframe_open(e, pages);
	CHECK(frames && ehframe_count(frames) > 100);
	CHECK(ehframe_function(frames, sym.value, &fde) && fde.start == sym.value);
	CHECK(ehframe_function(frames, sym.value + sym.size - 1, &fde) && fde.start == sym.value);
	CHECK(!ehframe_function(frames, 0, &fde) && !ehframe_function(frames, UINT64_MAX, &fde));
	CHECK_EQ(chunk_compile(c, frames, elf_machine(e), sym.value & -(uint64_t)NATIVE_CHUNK), 0);
	CHECK(chunk_view(c).rows > 10 && chunk_view(c).n_funcs > 10);
	buf_done(&text);
}
