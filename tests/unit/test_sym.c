/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "bpf/native.h"
#include "base/cleanup.h"
#include "py/layout.h"
#include "py/linetable.h"
#include "sym/plumbing.h"
#include "sym/sym.h"
#include "tap.h"

struct symbols {
	struct codes *codes;
	struct sym *sym;
};

static struct symbols symbols_new(void)
{
	struct symbols s = { .codes = codes_new() };

	s.sym = sym_new(s.codes);
	CHECK(s.codes && s.sym);
	return s;
}

static void symbols_done(struct symbols *s)
{
	sym_free(s->sym);
	codes_free(s->codes);
}

#define _symbols_ _cleanup_(symbols_done)

enum { NOBODY = 0x7ffffff0 };

/* A code object with that id; @file may be NULL. Its line is 7, and 8 from offset 4 on. */
static void add_code(struct symbols *s, uint64_t id, const char *name, const char *file)
{
	static const uint8_t table[] = { 4, 1 };
	struct wire_code r = {
		.kind = RECORD_CODE, .id = id, .proc = { .tgid = NOBODY }, .first_line = 7
	};
	struct py_layout l;
	char data[256];
	size_t len;

	CHECK_EQ(layout_find(0x030912f0, 0, NULL, 0, &l, NULL), 0);
	len = (size_t)snprintf(data, sizeof(data), "%s%s", name, file ? file : "");
	memcpy(data + len, table, sizeof(table));
	r.len[CODE_NAME] = strlen(name);
	r.len[CODE_FILE] = file ? strlen(file) : 0;
	r.missing = file ? 0 : CODE_NO_FILE;
	memset(r.char_size, 1, sizeof(r.char_size));
	r.table_len = sizeof(table);
	CHECK_EQ(codes_add(s->codes, &r, (uint8_t *)data, &l, 0), 0);
}

static struct frame resolve(const struct symbols *s, uint32_t id)
{
	struct frame f = { .line = 12345 };

	sym_resolve(s->sym, id, &f);
	return f;
}

TEST(every_end_has_a_marker)
{
	_symbols_ struct symbols s = symbols_new();

	for (unsigned int end = WALK_COMPLETE + 1; end < WALK_ENDS; end++) {
		const char *name = sym_marker_name(end);
		struct frame f = resolve(&s, sym_marker(end));

		if (!CHECK(name != NULL)) {
			printf("# end %u\n", end);
			continue;
		}
		CHECK(name[0] == '[' && name[strlen(name) - 1] == ']');
		CHECK(!strpbrk(name, ";\n"));
		CHECK_STR(f.name, name);
		CHECK_EQ(f.kind, FRAME_MARK);
		CHECK_EQ(f.line, LINE_NONE);
		CHECK(f.file == NULL);
	}
	CHECK(sym_marker_name(WALK_COMPLETE) == NULL);
}

TEST(frames_are_numbered)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame a = { .code = 100, .addr = 1, .lasti = 0 };
	struct wire_frame b = { .code = 100, .addr = 1, .lasti = 2 };
	struct wire_frame c = { .code = 101, .addr = 1, .lasti = 0 };
	uint32_t id = sym_frame(s.sym, &a);

	CHECK(id != SYM_NONE && id >= WALK_ENDS);
	CHECK(sym_frame(s.sym, &b) != id);
	CHECK(sym_frame(s.sym, &c) != id);
	CHECK(sym_frame(s.sym, &c) != sym_frame(s.sym, &b));
	CHECK_EQ(sym_frame(s.sym, &a), id);
	a.addr = 2; /* the id alone decides */
	CHECK_EQ(sym_frame(s.sym, &a), id);
}

TEST(names_and_lines)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame first = { .code = 9, .lasti = 2 }, second = { .code = 9, .lasti = 4 };
	struct frame f;

	add_code(&s, 9, "f", "/x.py");
	f = resolve(&s, sym_frame(s.sym, &first));
	CHECK_STR(f.name, "f");
	CHECK_STR(f.file, "/x.py");
	CHECK_EQ(f.line, 7);
	CHECK_EQ(f.kind, FRAME_PYTHON);
	CHECK(!f.approximate);
	CHECK_EQ(resolve(&s, sym_frame(s.sym, &second)).line, 8);
}

/*
 * A compiled function notes the line of its last call, near the running one. Its first line means
 * that none was noted.
 */
TEST(native_functions_and_their_markers)
{
	const struct module python = { "/usr/bin/python3", "beef", 0x1000, 0x2000, 0x800 },
			    other = { "/other", "", 0x1000, 0x2000, 0x800 },
			    none = { "", "", 0, 0, 0 };
	_symbols_ struct symbols s = symbols_new();
	uint32_t sort = sym_native(s.sym, "list_sort", 0x1234, &python), id;
	struct frame f = resolve(&s, sort);

	CHECK_STR(f.name, "list_sort");
	CHECK_STR(f.file, "/usr/bin/python3");
	CHECK_EQ(f.kind, FRAME_NATIVE);
	CHECK(f.line <= 0);
	CHECK_EQ(f.address, 0x1234);
	CHECK(f.module->start == 0x1000 && f.module->size == 0x2000 && f.module->offset == 0x800);
	CHECK_STR(f.module->build_id, "beef");
	CHECK(!frame_is_nameless(&f));
	CHECK_EQ(sym_native(s.sym, "list_sort", 0x1234, &python), sort);
	CHECK(sym_native(s.sym, "list_sort", 0x1234, &other) != sort);
	id = sym_native(s.sym, "list_sort", 0x1300, &python);
	CHECK(id != sort && resolve(&s, id).module == f.module);
	f = resolve(&s, sym_native(s.sym, "0x1400", 0x1400, &python));
	CHECK(frame_is_nameless(&f));
	f = resolve(&s, sym_native(s.sym, "f", 0, &none));
	CHECK(!f.file && !f.module);
	for (uint32_t end = 1; end < NATIVE_END_KINDS; end++) {
		id = sym_native_marker(s.sym, end);
		f = resolve(&s, id);
		CHECK_EQ(f.kind, FRAME_MARK);
		CHECK(!strncmp(f.name, "[native: ", 9) && f.name[strlen(f.name) - 1] == ']');
		CHECK_EQ(sym_native_marker(s.sym, end), id);
	}
}

TEST(the_interpreters_plumbing)
{
	CHECK(plumbing_is("_PyEval_Vector") && plumbing_is("method_vectorcall_O") &&
	      plumbing_is("_start"));
	CHECK(!plumbing_is("list_sort") && !plumbing_is("_starter") && !plumbing_is(""));
	CHECK(plumbing_is_loop("_PyEval_EvalFrameDefault.cold") &&
	      plumbing_is_loop("_TAIL_CALL_BINARY_OP"));
	CHECK(!plumbing_is_loop("_PyEval_Vector"));
}

TEST(line_of_compiled_functions)
{
	static const struct {
		int32_t noted;
		int line;
	} cases[] = { { 12, 12 }, { 7, LINE_NONE }, { 0, LINE_NONE } };
	_symbols_ struct symbols s = symbols_new();

	add_code(&s, 9, "f", "/x.py");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_frame frame = { .code = 9,
					    .lasti = cases[i].noted,
					    .flags = FRAME_LINE };
		struct frame f = resolve(&s, sym_frame(s.sym, &frame));

		CHECK_STR(f.name, "f");
		CHECK_EQ(f.line, cases[i].line);
		CHECK_EQ(f.approximate, cases[i].line != LINE_NONE);
		frame.flags = 0;
		CHECK(!resolve(&s, sym_frame(s.sym, &frame)).approximate);
	}
}

TEST(empty_name)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame frame = { .code = 9, .lasti = 4 };
	struct frame f;

	add_code(&s, 9, "", "/x.py");
	f = resolve(&s, sym_frame(s.sym, &frame));
	CHECK_STR(f.name, "");
	CHECK_STR(f.file, "/x.py");
	CHECK_EQ(f.line, 8);
	CHECK_EQ(f.kind, FRAME_PYTHON);
}

TEST(code_record_after_its_stack)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame frame = { .code = 9 };
	uint32_t id = sym_frame(s.sym, &frame);

	CHECK_STR(resolve(&s, id).name, "[unresolved]");
	CHECK_EQ(resolve(&s, id).kind, FRAME_MARK);
	add_code(&s, 9, "late", "/x.py");
	CHECK_STR(resolve(&s, id).name, "late");
	CHECK_EQ(sym_frame(s.sym, &frame), id);
}

TEST(code_without_a_file)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame frame = { .code = 9 };
	struct frame f;

	add_code(&s, 9, "f", NULL);
	f = resolve(&s, sym_frame(s.sym, &frame));
	CHECK_STR(f.name, "f");
	CHECK(f.file == NULL);
	CHECK_EQ(f.line, 7);
}

TEST(unknown_ids)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame frame = { .code = 9 };

	sym_frame(s.sym, &frame);
	CHECK_STR(resolve(&s, WALK_ENDS + 1).name, "[unresolved]");
	CHECK_STR(resolve(&s, SYM_NONE).name, "[unresolved]");
}

TEST(many_frames)
{
	_symbols_ struct symbols s = symbols_new();
	struct wire_frame frame = { .code = 9 };
	uint32_t first = sym_frame(s.sym, &frame);

	for (int i = 1; i < 5000; i++) {
		frame.lasti = i;
		CHECK_EQ(sym_frame(s.sym, &frame), first + i);
	}
	frame.lasti = 0;
	CHECK_EQ(sym_frame(s.sym, &frame), first);
}

TEST(freeing_nothing)
{
	sym_free(NULL);
}
