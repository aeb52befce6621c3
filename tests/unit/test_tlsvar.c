/* SPDX-License-Identifier: BSD-2-Clause */
/* py/tlsvar: the code of real interpreters and what compilers write besides. */
#include <string.h>

#include "py/tlsvar.h"
#include "tap.h"

enum { AT = 0x1000 };

static struct tlsvar find(const char *code, size_t len)
{
	return tlsvar_find((const uint8_t *)code, len, AT);
}

#define FIND(bytes) find(bytes, sizeof(bytes) - 1)

/* Debian's 3.15.2: endbr64; mov %fs:-0x28,%rax; ret. */
TEST(executable)
{
	struct tlsvar v = FIND("\xf3\x0f\x1e\xfa\x64\x48\x8b\x04\x25\xd8\xff\xff\xff\xc3");

	CHECK_EQ(v.kind, TLSVAR_OFFSET);
	CHECK_EQ(v.offset, -0x28);
}

/* mov 0x2000(%rip),%rax; mov %fs:(%rax),%rax; ret. */
TEST(initial_exec)
{
	struct tlsvar v = FIND("\x48\x8b\x05\x00\x20\x00\x00\x64\x48\x8b\x00\xc3");

	CHECK_EQ(v.kind, TLSVAR_GOT);
	CHECK_EQ(v.got, AT + 7 + 0x2000);
}

/* push; [66] lea 0x2000(%rip),%rdi; call; mov DISP(%rax),%rax; pop; ret. */
TEST(library)
{
	static const char plain[] = "\x55\x66\x48\x8d\x3d\x00\x20\x00\x00\x66\x66\x48\xe8"
				    "\x01\x02\x03\x04\x48\x8b\x00\x5d\xc3",
			  near[] = "\x55\x66\x48\x8d\x3d\x00\x20\x00\x00\x66\x66\x48\xe8"
				   "\x01\x02\x03\x04\x48\x8b\x40\xf8\x5d\xc3",
			  far[] = "\x55\x48\x8d\x3d\x00\x20\x00\x00\xe8\x01\x02\x03\x04"
				  "\x48\x8b\x80\x00\x01\x00\x00\x5d\xc3";
	struct tlsvar v = FIND(plain);

	CHECK_EQ(v.kind, TLSVAR_MODULE);
	CHECK_EQ(v.got, AT + 9 + 0x2000);
	CHECK_EQ(v.offset, 0);
	CHECK_EQ(FIND(near).offset, -8);
	CHECK_EQ(FIND(far).offset, 0x100);
	CHECK_EQ(FIND(far).got, AT + 8 + 0x2000);
}

/* 3.14's looks for a key: nothing here reads a variable of the thread. */
TEST(other_code)
{
	CHECK_EQ(FIND("\xf3\x0f\x1e\xfa\x83\x3d\x3b\x49\x77\x00\x00\x74\x0a\xbf\xe0\x10"
		      "\xba\x00\xe9\x7f\x2e\x11\x00\x31\xc0\xc3")
			 .kind,
		 TLSVAR_NONE);
	CHECK_EQ(find("", 0).kind, TLSVAR_NONE);
	CHECK_EQ(FIND("\xc3\x64\x48\x8b\x04\x25\xd8\xff\xff\xff").kind, TLSVAR_NONE);
	/* A load of a global is no load through the GOT. */
	CHECK_EQ(FIND("\x48\x8b\x05\x00\x20\x00\x00\x48\x8b\x00\xc3").kind, TLSVAR_NONE);
}

TEST(cut_code)
{
	static const char whole[] = "\x55\x48\x8d\x3d\x00\x20\x00\x00\xe8\x01\x02\x03\x04"
				    "\x48\x8b\x80\x00\x01\x00\x00\x5d\xc3";

	for (size_t len = 0; len < sizeof(whole) - 3; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, whole, len);
		CHECK_EQ(find(copy, len).kind, TLSVAR_NONE);
		free(copy);
	}
}
