/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names are a target's, and short ones can ask for more work than there is time: each part of a name may
 * refer to earlier ones, twice. libiberty bounds the depth, what it lacks is added here:
 *
 *	length   what does not fit ─────────────────────► siglongjmp
 *	time     timer of the CPU time ─► signal ─► handler ─► siglongjmp
 *
 * The demangler of C++ has no memory on the heap while it prints to a function, so it can be left at any
 * instruction. That of Rust has some while it prints a name that is not ASCII, so it is left only
 * at other texts; it never works long without printing, and needs no timer.
 *
 * Its functions are declared here, because libiberty.h declares much of the C library again, in its own way.
 */
#include "native/demangle.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

typedef void text_fn(const char *text, size_t n, void *attempt);

int cplus_demangle_v3_callback(const char *name, int options, text_fn *print, void *attempt);
int rust_demangle_callback(const char *name, int options, text_fn *print, void *attempt);

enum { SIGNAL = SIGVTALRM };
static const long TIME_NS = 2000000; /* names of 2,000 bytes need 0.03 ms */

struct attempt {
	sigjmp_buf leave;
	char *text; /* of DEMANGLE_MAX bytes */
	size_t len;
};

/* --- length ----------------------------------------------------------------------------------- */

static bool fits(const struct attempt *a, size_t n)
{
	return n < DEMANGLE_MAX - a->len;
}

/* An empty text may be NULL. */
static void add(struct attempt *a, const char *text, size_t n)
{
	if (!n)
		return;
	memcpy(a->text + a->len, text, n);
	a->len += n;
}

static void print_cxx(const char *text, size_t n, void *attempt)
{
	if (!fits(attempt, n))
		siglongjmp(((struct attempt *)attempt)->leave, 1);
	add(attempt, text, n);
}

static bool is_ascii(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] & 0x80)
			return false;
	return true;
}

static void print_rust(const char *text, size_t n, void *attempt)
{
	struct attempt *a = attempt;

	if (fits(a, n))
		add(a, text, n);
	else if (is_ascii(text, n))
		siglongjmp(a->leave, 1);
	else
		a->len = DEMANGLE_MAX - 1; /* the next text does not fit, either */
}

/* --- time ------------------------------------------------------------------------------------- */

static void ring(int unused, siginfo_t *info, void *context)
{
	siglongjmp(((struct attempt *)info->si_value.sival_ptr)->leave, 1);
}

struct alarm_clock {
	timer_t timer;
	struct sigaction before;
	sigset_t mask, only;
};

/* False: there is no timer. */
static bool get_alarm(struct alarm_clock *c, struct attempt *a)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGNAL,
				  .sigev_value.sival_ptr = a };
	const struct sigaction action = { .sa_sigaction = ring, .sa_flags = SA_SIGINFO };

	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &c->timer))
		return false;
	sigemptyset(&c->only);
	sigaddset(&c->only, SIGNAL);
	sigprocmask(SIG_BLOCK, &c->only, &c->mask);
	sigaction(SIGNAL, &action, &c->before);
	return true;
}

/* From here on the attempt may be left at any instruction. */
static void set_alarm(const struct alarm_clock *c)
{
	const struct itimerspec time = { .it_value.tv_nsec = TIME_NS };

	timer_settime(c->timer, 0, &time, NULL);
	sigprocmask(SIG_UNBLOCK, &c->only, NULL);
}

/* The signal may have come just now: it must not be delivered later. */
static void stop_alarm(struct alarm_clock *c)
{
	const struct timespec now = {};

	sigprocmask(SIG_BLOCK, &c->only, NULL);
	timer_delete(c->timer);
	while (sigtimedwait(&c->only, NULL, &now) == SIGNAL)
		;
	sigaction(SIGNAL, &c->before, NULL);
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
}

/* --- languages -------------------------------------------------------------------------------- */

/* 1: done, 0: not a name of this language, -1: it costs too much. */
static int try_cxx(const char *name, struct attempt *a)
{
	struct alarm_clock clock;
	volatile int done = -1;

	if (!get_alarm(&clock, a))
		return 0;
	if (!sigsetjmp(a->leave, 0)) {
		set_alarm(&clock);
		done = cplus_demangle_v3_callback(name, 0, print_cxx, a);
	}
	stop_alarm(&clock);
	return done;
}

static int try_rust(const char *name, struct attempt *a)
{
	if (sigsetjmp(a->leave, 0))
		return -1;
	return rust_demangle_callback(name, 0, print_rust, a);
}

bool demangle(const char *name, char ret[DEMANGLE_MAX], unsigned int *costly)
{
	struct attempt a = { .text = ret };
	int done = 0;

	if (!strncmp(name, "_R", 2) || !strncmp(name, "_ZN", 3))
		done = try_rust(name, &a);
	if (!done && (!strncmp(name, "_Z", 2) || !strncmp(name, "_GLOBAL_", 8))) {
		a.len = 0;
		done = try_cxx(name, &a);
	}
	*costly += done < 0;
	ret[a.len] = '\0';
	return done > 0 && a.len;
}
