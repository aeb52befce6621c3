/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit test framework with TAP output. A test program is one .c file that includes this once:
 *
 *   TEST(name)
 *   {
 *           CHECK(cond);
 *           CHECK_EQ(got, want);      integers and pointers
 *           CHECK_STR(got, want);     strings; NULL is allowed
 *           if (...)
 *                   SKIP("reason");
 *   }
 *
 * A failed check is recorded and the test goes on. Checks are expressions, true if held. TEST()
 * adds a row to a section of the program, and main(), defined here, runs the rows in the order of
 * their lines. The plan is printed first, so the test runner notices a program that dies early.
 */
#ifndef KRAIT_TAP_H
#define KRAIT_TAP_H

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_case {
	const char *name;
	int line;
	void (*run)(void);
};

static struct {
	unsigned int failures; /* of the running case */
	const char *skip;      /* its reason; NULL: not skipped */
} tap;

#define TEST(id)                                                                                   \
	static void test_##id(void);                                                               \
	static const struct tap_case tap_##id                                                      \
		__attribute__((used, section("tap_cases"),                                         \
			       aligned(sizeof(void *)))) = { #id, __LINE__, test_##id };           \
	static void test_##id(void)

#define CHECK(cond) tap_check(!!(cond), __FILE__, __LINE__, #cond)

#define CHECK_EQ(a, b)                                                                             \
	tap_check_eq((long long)(a), (long long)(b), __FILE__, __LINE__, #a " == " #b)

#define CHECK_STR(a, b) tap_check_str((a), (b), __FILE__, __LINE__, #a " == " #b)

#define SKIP(reason)                                                                               \
	do {                                                                                       \
		tap.skip = (reason);                                                               \
		return;                                                                            \
	} while (0)

static inline bool tap_check(bool held, const char *file, int line, const char *what)
{
	if (held)
		return true;
	tap.failures++;
	printf("# %s:%d: %s\n", file, line, what);
	return false;
}

static inline bool tap_check_eq(long long a, long long b, const char *file, int line,
				const char *what)
{
	if (!tap_check(a == b, file, line, what))
		printf("#   got %lld (%#llx), want %lld (%#llx)\n", a, a, b, b);
	return a == b;
}

static inline bool tap_check_str(const char *a, const char *b, const char *file, int line,
				 const char *what)
{
	bool same = a && b ? !strcmp(a, b) : a == b;

	if (!tap_check(same, file, line, what))
		printf("#   got '%s', want '%s'\n", a ? a : "(null)", b ? b : "(null)");
	return same;
}

extern const struct tap_case __start_tap_cases[], __stop_tap_cases[];

/* The first case after line @line whose name matches @glob; NULL: none. */
static inline const struct tap_case *tap_next(int line, const char *glob)
{
	const struct tap_case *c, *next = NULL;

	for (c = __start_tap_cases; c < __stop_tap_cases; c++)
		if (c->line > line && (!next || c->line < next->line) && !fnmatch(glob, c->name, 0))
			next = c;
	return next;
}

static inline bool tap_run(const struct tap_case *c, unsigned int number)
{
	tap.failures = 0;
	tap.skip = NULL;
	c->run();
	if (tap.failures)
		printf("not ok %u - %s\n", number, c->name);
	else if (tap.skip)
		printf("ok %u - %s # SKIP %s\n", number, c->name, tap.skip);
	else
		printf("ok %u - %s\n", number, c->name);
	return !tap.failures;
}

static inline int tap_list(void)
{
	const struct tap_case *c;

	for (c = tap_next(0, "*"); c; c = tap_next(c->line, "*"))
		puts(c->name);
	return 0;
}

int main(int argc, char **argv)
{
	const char *glob = argc == 3 && !strcmp(argv[1], "--run") ? argv[2] : "*";
	const struct tap_case *c;
	unsigned int n = 0;
	bool passed = true;

	/* Children of tests would print buffered output a second time. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return tap_list();
	if (argc != 1 && argc != 3) {
		fprintf(stderr, "usage: %s [--list | --run GLOB]\n", argv[0]);
		return 2;
	}
	for (c = tap_next(0, glob); c; c = tap_next(c->line, glob))
		n++;
	printf("1..%u\n", n);
	n = 0;
	for (c = tap_next(0, glob); c; c = tap_next(c->line, glob))
		passed &= tap_run(c, ++n);
	return !passed;
}

#endif
