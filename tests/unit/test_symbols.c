/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native/symbols and native/methods: functions of this program, whose table of methods looks like an
 * extension module's. t_symbols compares real files with nm, and has files with debug files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "native/methods.h"
#include "native/symbols.h"
#include "proc/rmem.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Aliases: the name with the fewest underscores is shown, of these the global one, of these the first. */
int symbols_test_function(int x);
int symbols_test_function(int x)
{
	return x + 1;
}
int __symbols_test_function(int x) __attribute__((alias("symbols_test_function")));
int symbols_test_again(int x) __attribute__((weak, alias("symbols_test_function")));

static struct elf_file *own_file(void)
{
	return elf_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), NULL);
}

/* The load bias of this program. */
static uint64_t own_bias(struct elf_file *e)
{
	static const char *const name = "symbols_test_function";
	struct elf_sym sym = {};

	CHECK_EQ(elf_symbols(e, &name, &sym, 1), 1);
	return (uintptr_t)symbols_test_function - sym.value;
}

static void forget(struct symbol *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i].name);
}

TEST(symbols)
{
	_cleanup_(elf_closep) struct elf_file *e = own_file();
	uint64_t at = (uintptr_t)symbols_test_function - own_bias(e);
	struct symbol s[] = { { .vaddr = at + 3 },
			      { .vaddr = 1 },
			      { .vaddr = UINT64_MAX },
			      { .vaddr = at },
			      { .vaddr = at - 1 } };

	CHECK(symbols_fill(e, s, COUNT(s)) >= 2);
	CHECK_EQ(s[0].vaddr, 1); /* sorted */
	CHECK(!s[0].name && !s[4].name);
	CHECK_STR(s[2].name, "symbols_test_function");
	CHECK_STR(s[3].name, "symbols_test_function");
	CHECK(s[3].start == at && s[3].size > 3);
	CHECK(!s[1].name || strcmp(s[1].name, "symbols_test_function"));
	forget(s, COUNT(s));
	CHECK_EQ(symbols_fill(e, NULL, 0), 0);
}

/* A name that is there already stays. */
TEST(known_names)
{
	_cleanup_(elf_closep) struct elf_file *e = own_file();
	struct symbol s = { .vaddr = (uintptr_t)symbols_test_function - own_bias(e) };

	s.name = strdup("known");
	CHECK_EQ(symbols_fill(e, &s, 1), 0);
	CHECK_STR(s.name, "known");
	forget(&s, 1);
}

/* --- methods -------------------------------------------------------------------------------------- */

/* As in CPython. */
struct method {
	const char *name;
	int (*function)(int);
	int flags;
	const char *doc;
};

static __attribute__((noinline)) int first(int x)
{
	return x * 3;
}

static __attribute__((noinline)) int second(int x)
{
	return x * 5;
}

static __attribute__((noinline)) int third(int x)
{
	return x * 7;
}

static __attribute__((noinline)) int fourth(int x)
{
	return x * 11;
}

extern struct method symbols_test_methods[];
struct method symbols_test_methods[] = {
	{ "sorted", first, 0x82, "sorted(iterable)" },
	{ "no_doc", second, 0x4, NULL },
	{ "not a name", third, 0x1, NULL },
	{ "no_flags", third, 0, NULL },
	{ "unknown_flags", third, 0x10001, NULL },
	{ "", third, 0x1, NULL },
	{ "a_name_of_more_than_sixty_three_bytes_which_no_method_of_python_has", third, 1, NULL },
	{ "bad_doc", fourth, 0x1, (const char *)0x123456789 },
	{},
};

static int read_self(void *ctx, void *to, size_t len, uint64_t addr)
{
	return rmem_read(getpid(), addr, to, len);
}

static int read_nothing(void *ctx, void *to, size_t len, uint64_t addr)
{
	return -EFAULT;
}

TEST(methods)
{
	_cleanup_(elf_closep) struct elf_file *e = own_file();
	_cleanup_(pages_freep) struct pages *pages = pages_new();
	_cleanup_(ehframe_closep) struct ehframe *f = ehframe_open(e, pages);
	uint64_t bias = own_bias(e);
	int (*const functions[])(int) = { first, second, third, fourth };
	struct symbol s[5];

	for (size_t i = 0; i < 4; i++)
		s[i] = (struct symbol){ .vaddr = (uintptr_t)functions[i] - bias };
	s[4] = (struct symbol){ .vaddr = s[0].vaddr + 2 };
	CHECK_EQ(methods_fill(e, f, bias, read_nothing, NULL, s, COUNT(s)), 0);
	CHECK_EQ(methods_fill(e, f, bias, read_self, NULL, s, COUNT(s)), 3);
	for (size_t i = 0; i < COUNT(s); i++) {
		uint64_t at = s[i].vaddr + bias;

		if (at == (uintptr_t)first || at == (uintptr_t)first + 2) {
			CHECK_STR(s[i].name, "sorted()");
			CHECK_EQ(s[i].start + bias, (uintptr_t)first);
		} else if (at == (uintptr_t)second) {
			CHECK_STR(s[i].name, "no_doc()");
		} else {
			CHECK(!s[i].name);
		}
	}
	CHECK_EQ(methods_fill(e, f, bias, read_self, NULL, s, COUNT(s)), 0);
	forget(s, COUNT(s));
}
