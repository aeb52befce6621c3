/* SPDX-License-Identifier: BSD-2-Clause */
/* native/demangle: readable names of C++ and Rust, and names that ask for too much. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "native/demangle.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name, *readable; /* NULL: none */
} rows[] = {
	{ "_ZN4shop4cart5orderILi3EEEvi", "shop::cart::order<3>" },
	{ "_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size" },
	{ "_ZZN3fooIiEEvT_ENKUlvE_clEv", "foo<int>(int)::{lambda()#1}::operator()" },
	{ "_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo" },
	{ "_ZN4shop5orderEv.cold", "shop::order" },
	/* Rust, the hash left out */
	{ "_ZN4shop5order17h0123456789abcdefE", "shop::order" },
	{ "_ZN4shop5order17h0123456789abcdefE.llvm.123", "shop::order" },
	{ "_ZN47_$LT$shop..Cart$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
	  "<shop::Cart as core::fmt::Debug>::fmt" },
	{ "_RNvC4shop5order", "shop::order" },
	{ "_RNvMs_C4shopNtB4_4Cart5total", "<shop::Cart>::total" },
	{ "_RNqCs4fqI2P2rA04_11utf8_identsu5_bcher_kva", NULL }, /* its length is wrong */
	{ "_RNvC4shopu9bcher_kva", "shop::b\xc3\xbc"
				   "cher" },
	{ "_RNvC0b", NULL }, /* an empty name */
	{ "main", NULL },
	{ "_start", NULL },
	{ "_Zeppelin", NULL },
	{ "_ZN", NULL },
	{ "_R", NULL },
	{ "", NULL },
};

TEST(names)
{
	char got[DEMANGLE_MAX];
	unsigned int costly = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool done = demangle(rows[i].name, got, &costly);

		CHECK_STR(done ? got : NULL, rows[i].readable);
	}
	CHECK_EQ(costly, 0);
}

/* --- hostile names ------------------------------------------------------------------------------ */

/* The @n-th thing in a name, as later parts refer to it. */
static void add_reference(struct buf *b, unsigned int n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	buf_str(b, "S");
	if (n > 36)
		buf_add(b, &digits[(n - 1) / 36], 1);
	if (n > 0)
		buf_add(b, &digits[(n - 1) % 36], 1);
	buf_str(b, "_");
}

/* f<PACK a<b<c<int, int>, c<int, int>>, b<...>>>: each level twice the one below, @depth levels. */
static void add_doubled(struct buf *b, const char *pack, unsigned int depth)
{
	buf_printf(b, "_Z1fI%s", pack);
	for (unsigned int i = 0; i < depth; i++)
		buf_printf(b, "2%cxI", 'a' + i);
	buf_str(b, "iiE");
	for (unsigned int i = 1; i < depth; i++) {
		add_reference(b, depth + i);
		buf_str(b, "E");
	}
	buf_str(b, "EvT_");
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void nothing(int unused)
{
}

/* A pack is looked for in all 2^26 parts before the first byte is written: that is stopped by time. */
TEST(time)
{
	_cleanup_(buf_done) struct buf b = {};
	char got[DEMANGLE_MAX];
	unsigned int costly = 0;
	struct sigaction before = { .sa_handler = nothing }, after;
	int64_t start;

	sigaction(SIGVTALRM, &before, NULL);
	add_doubled(&b, "Dp", 26);
	start = cpu_ns();
	for (int i = 0; i < 5; i++)
		CHECK(!demangle(b.data, got, &costly));
	CHECK_EQ(costly, 5);
	CHECK(cpu_ns() - start < 5 * 100000000LL);
	sigaction(SIGVTALRM, NULL, &after);
	CHECK(after.sa_handler == nothing);
	CHECK(demangle("_Z1fv", got, &costly)); /* as ever */
	CHECK_STR(got, "f");
}

/* The same with signals blocked, as in krait's helper. */
TEST(blocked)
{
	_cleanup_(buf_done) struct buf b = {};
	char got[DEMANGLE_MAX];
	unsigned int costly = 0;
	sigset_t all, before, after;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	add_doubled(&b, "Dp", 26);
	CHECK(!demangle(b.data, got, &costly));
	CHECK_EQ(costly, 1);
	sigprocmask(SIG_SETMASK, &before, &after);
	CHECK(sigismember(&after, SIGVTALRM));
}

/* "B8_" refers to byte 9 behind "_R". */
static void add_back(struct buf *b, unsigned int at)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	buf_str(b, "B");
	if (at > 62)
		buf_add(b, &digits[(at - 1) / 62], 1);
	buf_add(b, &digits[(at - 1) % 62], 1);
	buf_str(b, "_");
}

/* a::b::<(((T, T), (T, T)), ((T, T), (T, T)))>, T being @part; the same in Rust. */
static void add_tuples(struct buf *b, const char *part, unsigned int depth)
{
	const unsigned int from = strlen("INvC1a1b");

	buf_str(b, "_RINvC1a1b");
	for (unsigned int i = 0; i < depth; i++)
		buf_str(b, "T");
	buf_printf(b, "%s%sE", part, part);
	for (unsigned int i = depth - 1; i > 0; i--) {
		add_back(b, from + i);
		buf_str(b, "E");
	}
	buf_str(b, "E");
}

static bool make(const char *part, unsigned int depth, char got[DEMANGLE_MAX], unsigned int *costly)
{
	_cleanup_(buf_done) struct buf b = {};

	add_tuples(&b, part, depth);
	return demangle(b.data, got, costly);
}

TEST(length)
{
	_cleanup_(buf_done) struct buf b = {};
	char got[DEMANGLE_MAX];
	unsigned int costly = 0;

	add_doubled(&b, "", 26);
	CHECK(!demangle(b.data, got, &costly));
	CHECK_EQ(costly, 1);

	CHECK(make("h", 2, got, &costly));
	CHECK_STR(got, "a::b::<((u8, u8), (u8, u8))>");
	CHECK(!make("h", 30, got, &costly));
	CHECK_EQ(costly, 2);
	/* Memory that the demangler has while it prints such a name is not lost. */
	CHECK(make("NtC4shopu9bcher_kva", 2, got, &costly));
	CHECK(strstr(got, "shop::b\xc3\xbc"
			  "cher"));
	for (unsigned int depth = 3; depth < 40; depth++)
		make("NtC4shopu9bcher_kva", depth, got, &costly);
	CHECK(costly > 30);
}

/* Deep names: libiberty's own bound, and what it leaves to the stack. */
TEST(depth)
{
	char got[DEMANGLE_MAX];
	unsigned int costly = 0;
	const char *const parts[] = { "P", "1aI", "XL", "N1a", "F", "Dp", "X", "TT", "MC", "Y" };

	for (size_t i = 0; i < COUNT(parts); i++) {
		_cleanup_(buf_done) struct buf cxx = {}, rust = {};

		buf_str(&cxx, "_Z1fI");
		buf_str(&rust, "_RINvC1a1b");
		for (int n = 0; n < 1800; n++) {
			buf_str(&cxx, parts[i]);
			buf_str(&rust, parts[i]);
		}
		demangle(cxx.data, got, &costly);
		demangle(rust.data, got, &costly);
	}
	CHECK(demangle("_Z1fv", got, &costly));
}
