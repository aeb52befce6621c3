/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the memory image of a stopped interpreter: walks its stacks as the BPF program would,
 * records the reads, and saves their bytes together with the threads and frames that the
 * interpreter reported (on stdin, in the format of image.h, with pthread_self() as the thread
 * pointer).
 *
 *	record PID IMAGE <THREADS
 *	record --check IMAGE
 */
#include "images/image.h"

#include <sys/types.h>

#include "base/err.h"
#include "proc/rmem.h"
#include "py/detect.h"

enum { OFFSETS_KEPT = 896, BYTES_A_LINE = 64 };

/*
 * The walker reads strings in blocks of fixed size and ignores the bytes after the string. Those
 * bytes may be anything, including paths of this machine, so the image has zeros there.
 */
enum { STRING_READ = 128, STRING_HEAD = 24 };

struct read {
	uint64_t addr, len;
};

struct recorder {
	pid_t pid;
	VEC(struct read) reads;
	VEC(struct read) content; /* the reads whose bytes are saved */
};

static void recorder_done(struct recorder *r)
{
	vec_done(&r->reads);
	vec_done(&r->content);
}

static int record_read(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct recorder *r = ctx;
	int err = rmem_read(r->pid, addr, to, len);

	if (err || !len)
		return err;
	err = vec_push(&r->reads, ((struct read){ addr, len }));
	if (len == STRING_READ)
		len = STRING_HEAD;
	return err ? err : vec_push(&r->content, ((struct read){ addr, len }));
}

static int by_address(const void *a, const void *b)
{
	const struct read *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Sorts the reads and joins those that overlap or touch. */
static void merge(struct recorder *r)
{
	size_t n = 0;

	qsort(r->reads.at, r->reads.len, sizeof(*r->reads.at), by_address);
	for (size_t i = 0; i < r->reads.len; i++) {
		const struct read next = r->reads.at[i];
		struct read *last = n ? &r->reads.at[n - 1] : NULL;

		if (!last || next.addr > last->addr + last->len)
			r->reads.at[n++] = next;
		else if (next.addr + next.len > last->addr + last->len)
			last->len = next.addr + next.len - last->addr;
	}
	r->reads.len = n;
}

static int keep(struct recorder *r, struct image *im)
{
	struct read *read;
	size_t had;

	merge(r);
	vec_each (&r->reads, read) {
		struct image_range range = { .addr = read->addr };
		_free_ char *zeros = calloc(1, read->len);

		if (!zeros)
			return -ENOMEM;
		buf_add(&range.bytes, zeros, read->len);
		if (vec_push(&im->ranges, range))
			return -ENOMEM;
	}
	vec_each (&r->content, read)
		if (rmem_read(r->pid, read->addr, image_at(im, read->addr, &had), read->len))
			return -EFAULT;
	return 0;
}

/* Detects the interpreter and saves what detection found. */
static int look_at(struct image *im, pid_t pid)
{
	struct detect *d = detect_new();
	struct python py = {};
	struct err err = {};
	uint8_t block[OFFSETS_KEPT];
	int kind = d ? detect_process(d, pid, &py, &err) : -ENOMEM;

	detect_free(d);
	if (kind != DETECT_PYTHON) {
		fprintf(stderr, "record: process %d: not Python (%d) %s\n", pid, kind, err.text);
		return -EINVAL;
	}
	im->hex = py.hex;
	im->flavour = py.layout.flavour;
	im->info = py.info;
	im->layout = py.layout;
	if (py.hex < 0x030d0000)
		return 0;
	if (rmem_read(pid, py.info.interps - py.layout.rt_interps, block, sizeof(block)))
		return -EFAULT;
	buf_add(&im->offsets, block, sizeof(block));
	return im->offsets.err;
}

/* Walks one stack and reads the names and lines of its frames. */
static void walk_thread(struct image *im, struct recorder *r, struct walk *w,
			struct image_thread *t)
{
	const struct image_memory m = { record_read, r };
	const struct wire_frame *frames;
	const struct wire_stack *s;
	struct walk_thread thread;

	t->pointer += im->info.tss_base;
	thread = image_walk_thread(t);
	s = walk_stack(w, &im->layout, &im->info, &thread, &frames);
	for (uint32_t i = 0; i < s->count; i++) {
		_cleanup_(image_text_done) struct image_text text = {};

		image_resolve(&m, &im->layout, &frames[i], &text);
	}
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_hex(FILE *out, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", (unsigned char)data[i]);
	fputc('\n', out);
}

static void write_range(FILE *out, const struct image_range *r)
{
	for (size_t at = 0; at < r->bytes.len; at += BYTES_A_LINE) {
		size_t left = r->bytes.len - at;

		fprintf(out, "bytes %#" PRIx64 " ", r->addr + at);
		write_hex(out, r->bytes.data + at, left < BYTES_A_LINE ? left : BYTES_A_LINE);
	}
}

static void write_thread(FILE *out, const struct image_thread *t)
{
	const struct image_frame *f;

	fprintf(out, "thread %s %#" PRIx64 "\n", t->name, t->pointer);
	vec_each (&t->frames, f)
		fprintf(out, "frame %#" PRIx64 " %d\t%s\t%s\n", f->code, f->line, f->name, f->file);
}

static int image_write(const struct image *im, const char *path)
{
	const struct proc_info *p = &im->info;
	const struct image_thread *t;
	const struct image_range *r;
	FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	fprintf(out, "python %#x %u\n", im->hex, im->flavour);
	fprintf(out,
		"info current %#llx key %#llx interps %#llx code_type %#llx "
		"tss %u base %#x first %#x second %#x tls %lld\n",
		p->current, p->key, p->interps, p->code_type, p->tss, p->tss_base, p->tss_first,
		p->tss_second, p->tls);
	if (im->offsets.len) {
		fputs("offsets ", out);
		write_hex(out, im->offsets.data, im->offsets.len);
	}
	vec_each (&im->threads, t)
		write_thread(out, t);
	vec_each (&im->ranges, r)
		write_range(out, r);
	return fclose(out) ? -errno : 0;
}

static int record(struct image *im, pid_t pid, const char *path)
{
	_cleanup_(recorder_done) struct recorder r = { .pid = pid };
	struct walk *w = walk_new(record_read, &r);
	struct image_thread *t;
	int err = w ? image_parse(im, stdin) : -ENOMEM;

	if (!err)
		err = look_at(im, pid);
	if (!err)
		vec_each (&im->threads, t)
			walk_thread(im, &r, w, t);
	walk_free(w);
	if (!err)
		err = keep(&r, im);
	return err ? err : image_write(im, path);
}

int main(int argc, char **argv)
{
	_cleanup_(image_done) struct image im = {};
	int err;

	if (argc != 3) {
		fputs("usage: record PID IMAGE <THREADS | record --check IMAGE\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--check")) {
		err = image_load(&im, argv[2]);
		return err ? 2 : image_check(&im, stdout) != 0;
	}
	err = record(&im, atoi(argv[1]), argv[2]);
	if (err)
		fprintf(stderr, "record: %s: %s\n", argv[2], strerror(-err));
	return err != 0;
}
