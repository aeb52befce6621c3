/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwindrows FILE: prints the unwind rows that user/native compiles from an ELF file of x86-64 or
 * aarch64, for comparison with another reader's: one row a line, "ADDRESS RULE" (tests/rowtext.h).
 *
 * unwindrows --time FILE: prints figures instead: functions, chunks, rows, bytes, and the time to
 * compile a chunk.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "native/chunk.h"
#include "tests/rowtext.h"

static void print_rows(const struct chunk *c, uint16_t machine, uint64_t base)
{
	struct chunk_view v = chunk_view(c);
	struct buf text = {};

	for (size_t i = 0; i < v.rows; i++) {
		buf_printf(&text, "%llx ", (unsigned long long)base + v.offsets[i]);
		rowtext_add(&text, machine, &v, i);
		buf_char(&text, '\n');
	}
	fputs(text.data ? text.data : "", stdout);
	buf_done(&text);
}

/* --- figures ---------------------------------------------------------------------------------- */

struct figures {
	size_t chunks, rows, bytes, most, text, none;
	VEC(double) us;
};

/* Of this thread's CPU time: the machine may be busy. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Bytes of [@from, @to) without a rule. */
static size_t without(const struct chunk_view *v, uint64_t base, uint64_t from, uint64_t to)
{
	size_t sum = 0;

	for (size_t i = 0; i < v->rows; i++) {
		uint64_t start = base + v->offsets[i],
			 end = i + 1 < v->rows ? base + v->offsets[i + 1] : base + NATIVE_CHUNK;

		start = start > from ? start : from;
		end = end < to ? end : to;
		if (v->rules[i] == NATIVE_NONE && end > start)
			sum += end - start;
	}
	return sum;
}

static void add_figures(struct figures *f, const struct chunk *c, uint64_t base,
			const struct elf_segment *s, double us)
{
	struct chunk_view v = chunk_view(c);
	size_t bytes = 2 * chunk_words(c);

	f->chunks++;
	f->rows += v.rows;
	f->bytes += bytes;
	f->most = bytes > f->most ? bytes : f->most;
	f->none += without(&v, base, s->vaddr, s->vaddr + s->size);
	if (vec_push(&f->us, us))
		exit(1);
}

static void print_figures(const char *path, struct ehframe *frames, struct figures *f)
{
	const char *slash = strrchr(path, '/');

	if (!f->chunks)
		return;
	qsort(f->us.at, f->us.len, sizeof(*f->us.at), by_value);
	printf("%-34.34s text %7zu KB, %6zu functions, %5zu chunks, %7zu rows, %8zu bytes "
	       "(largest %5zu), us: median %.1f, p99 %.1f, largest %.1f; without a row %zu bytes\n",
	       slash ? slash + 1 : path, f->text >> 10, ehframe_count(frames), f->chunks, f->rows,
	       f->bytes, f->most, f->us.at[f->us.len / 2], f->us.at[f->us.len * 99 / 100],
	       f->us.at[f->us.len - 1], f->none);
}

/* --- files ------------------------------------------------------------------------------------ */

/* @figures NULL: print the rows. */
static void each_chunk(struct chunk *c, struct elf_file *e, struct ehframe *f,
		       struct figures *figures)
{
	static uint16_t body[NATIVE_POOL];
	struct native_chunk head;
	struct elf_segment s;

	for (size_t i = 0; elf_segment(e, i, &s); i++) {
		uint64_t base = s.vaddr & -(uint64_t)NATIVE_CHUNK;

		if (!s.exec)
			continue;
		if (figures)
			figures->text += s.size;
		for (; base < s.vaddr + s.size; base += NATIVE_CHUNK) {
			double start = now_us();

			if (chunk_compile(c, f, elf_machine(e), base))
				exit(1);
			chunk_pack(c, body, &head);
			if (figures)
				add_figures(figures, c, base, &s, now_us() - start);
			else
				print_rows(c, elf_machine(e), base);
		}
	}
}

static struct elf_file *open_any(const char *path)
{
	struct elf_file *e = elf_open_for(open(path, O_RDONLY | O_CLOEXEC), EM_X86_64, NULL);

	return e ? e : elf_open_for(open(path, O_RDONLY | O_CLOEXEC), EM_AARCH64, NULL);
}

int main(int argc, char **argv)
{
	bool timed = argc > 2 && !strcmp(argv[1], "--time");
	_cleanup_(pages_freep) struct pages *pages = pages_new();
	_cleanup_(chunk_freep) struct chunk *c = chunk_new();

	for (int i = timed ? 2 : 1; i < argc; i++) {
		_cleanup_(elf_closep) struct elf_file *e = open_any(argv[i]);
		_cleanup_(ehframe_closep) struct ehframe *f = NULL;
		struct figures figures = {}, *count = timed ? &figures : NULL;

		if (!pages || !c)
			return 1;
		if (e)
			f = ehframe_open(e, pages);
		if (!f || !ehframe_count(f)) {
			fprintf(stderr, "%s: no ELF file with unwind information\n", argv[i]);
			return 1;
		}
		if (timed) /* brings the file into the kernel's cache */
			each_chunk(c, e, f, &(struct figures){});
		each_chunk(c, e, f, count);
		if (timed)
			print_figures(argv[i], f, &figures);
		vec_done(&figures.us);
	}
	return 0;
}
