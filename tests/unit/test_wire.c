/* SPDX-License-Identifier: BSD-2-Clause */
/* What the BPF programs and user space both rely on. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *name, *text;
};

static const struct row fates[] = {
#define ROW(symbol, id, words) [symbol] = { id, words },
	WIRE_FATES(ROW)
#undef ROW
};

static const struct row notes[] = {
#define ROW(symbol, id) [symbol] = { id, NULL },
	WIRE_NOTES(ROW)
#undef ROW
};

static void check_names(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!CHECK(rows[i].name != NULL))
			continue;
		CHECK(rows[i].name[0] != '\0');
		CHECK_EQ(strspn(rows[i].name, "abcdefghijklmnopqrstuvwxyz_"), strlen(rows[i].name));
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(rows[i].name, rows[j].name) != 0);
	}
}

TEST(fates)
{
	CHECK_EQ(COUNT(fates), FATES);
	check_names(fates, COUNT(fates));
	for (size_t i = 0; i < COUNT(fates); i++)
		for (size_t j = 0; j < i; j++)
			CHECK(!fates[i].text || !fates[j].text ||
			      strcmp(fates[i].text, fates[j].text) != 0);
}

TEST(only_losses_have_texts)
{
	static const enum wire_fate fine[] = { FATE_IDLE, FATE_KERNEL, FATE_OTHER, FATE_FILTERED,
					       FATE_SHOWN };
	size_t losses = 0;

	for (size_t i = 0; i < COUNT(fine); i++)
		CHECK(fates[fine[i]].text == NULL);
	for (size_t i = 0; i < COUNT(fates); i++)
		losses += fates[i].text != NULL;
	CHECK_EQ(losses + COUNT(fine), FATES);
}

TEST(notes)
{
	CHECK_EQ(COUNT(notes), NOTES);
	check_names(notes, COUNT(notes));
}

/* Keys are compared as bytes, so they must not contain padding. */
TEST(keys_have_no_padding)
{
	CHECK_EQ(offsetof(struct proc_key, exec_id) + 4, sizeof(struct proc_key));
	CHECK_EQ(offsetof(struct count_key, library) + 4, sizeof(struct count_key));
	CHECK_EQ(offsetof(struct count_key, leaf), offsetof(struct count_key, state) + 4);
	CHECK_EQ(offsetof(struct count_key, stack), sizeof(struct proc_key));
	CHECK_EQ(offsetof(struct wire_frame, flags) + 4, sizeof(struct wire_frame));
}

/* The ring aligns records to 8 bytes; the data after a record's head must be aligned as well. */
TEST(records_are_whole_words)
{
	CHECK_EQ(sizeof(struct wire_stack) % 8, 0);
	CHECK_EQ(sizeof(struct wire_code) % 8, 0);
	CHECK_EQ(sizeof(struct wire_thread) % 8, 0);
	CHECK_EQ(sizeof(struct wire_event) % 8, 0);
	CHECK_EQ(sizeof(struct wire_stats) % 8, 0);
	CHECK_EQ(sizeof(struct proc_info) % 8, 0);
	CHECK_EQ(offsetof(struct wire_code, table_len) + 4, sizeof(struct wire_code));
	CHECK_EQ(offsetof(struct wire_stack, first) + 4, sizeof(struct wire_stack));
}

/* Every record starts with its kind, and then its process. */
TEST(records_start_alike)
{
	CHECK_EQ(offsetof(struct wire_stack, kind), 0);
	CHECK_EQ(offsetof(struct wire_code, kind), 0);
	CHECK_EQ(offsetof(struct wire_thread, kind), 0);
	CHECK_EQ(offsetof(struct wire_event, kind), 0);
	CHECK_EQ(offsetof(struct wire_stack, proc), 8);
	CHECK_EQ(offsetof(struct wire_code, proc), 8);
	CHECK_EQ(offsetof(struct wire_thread, proc), 8);
	CHECK_EQ(offsetof(struct wire_event, proc), 8);
}

/* Readers use these as masks, and lengths are 16 bits wide in records. */
TEST(limits)
{
	CHECK_EQ(WIRE_MAX_FRAMES & (WIRE_MAX_FRAMES - 1), 0);
	CHECK_EQ(PY_TS_MAX & (PY_TS_MAX - 1), 0);
	CHECK_EQ(PY_FRAME_MAX & (PY_FRAME_MAX - 1), 0);
	CHECK(WIRE_MAX_WALK > WIRE_MAX_FRAMES);
	CHECK(WIRE_MAX_NAME <= UINT16_MAX && WIRE_MAX_FILE <= UINT16_MAX);
	CHECK_EQ(CODE_STRINGS, COUNT(((struct wire_code *)0)->len));
	CHECK_EQ(PROC_PENDING, 0); /* the value of a zeroed entry */
	CHECK_EQ(WALK_COMPLETE, 0);
}

TEST(flags_are_distinct_bits)
{
	static const unsigned int missing[] = { CODE_NO_OBJECT,    CODE_NO_NAME,  CODE_NO_QUALNAME,
						CODE_NO_FILE,      CODE_NO_TABLE, CODE_CUT_NAME,
						CODE_CUT_QUALNAME, CODE_CUT_FILE, CODE_CUT_TABLE };
	static const unsigned int layout[] = { PY_IFRAME,       PY_CFRAME,        PY_LASTI_UNITS,
					       PY_SHIM,         PY_IS_ENTRY,      PY_CONTIGUOUS,
					       PY_ENTRY_WINDOW, PY_CODE_VERSION,  PY_INIT_CLEANUP,
					       PY_KEY_FLAG,     PY_GEN_NEEDS_BACK };
	unsigned int seen = 0;

	for (size_t i = 0; i < COUNT(missing); i++) {
		CHECK(missing[i] && !(missing[i] & (missing[i] - 1)) && !(seen & missing[i]));
		seen |= missing[i];
	}
	seen = 0;
	for (size_t i = 0; i < COUNT(layout); i++) {
		CHECK(layout[i] && !(layout[i] & (layout[i] - 1)) && !(seen & layout[i]));
		seen |= layout[i];
	}
}
