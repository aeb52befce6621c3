/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files are looked up by full path, functions by name and file, names by themselves. All texts are cleaned as in
 * struct frames (TEXT_WHOLE), so that frames of both kinds find the same entries.
 */
#include "format/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/path.h"
#include "format/text.h"

#define NO_TEXT UINT32_MAX
#define MODULE  "<module>"

/* A file, and where the shown part of its path begins. */
struct path {
	const char *whole;
	size_t from;
};

struct function_key {
	uint32_t name;
	uint32_t file; /* + 1; 0: none */
};

/* The first line of a function, or the file of a name; many: more than one. */
struct place {
	uint32_t at;
	bool known, many;
};

/* The shown name and number of a process or thread; below, what identifies it. */
struct shown_key {
	char comm[PROFILE_NAME];
	uint32_t id;
	uint32_t pad;
};

struct being_key {
	uint32_t shown;
	uint32_t pid;
	uint64_t boot, process_start, start;
};

struct names {
	const struct profile *profile;
	struct strpool *texts;
	struct hmap *files;               /* text id -> struct path */
	struct hmap *functions;           /* struct function_key -> struct place: first line */
	struct hmap *names;               /* text id -> struct place: file */
	VEC(uint32_t) processes, threads; /* numbers among equal names, from 1 */
	struct buf text;
};

void names_free(struct names *n)
{
	if (!n)
		return;
	strpool_free(n->texts);
	hmap_free(n->files);
	hmap_free(n->functions);
	hmap_free(n->names);
	vec_done(&n->processes);
	vec_done(&n->threads);
	buf_done(&n->text);
	free(n);
}

static uint32_t text_of(struct names *n, const char *s)
{
	buf_clear(&n->text);
	text_add_as(&n->text, s, strlen(s), TEXT_WHOLE);
	return n->text.err ? NO_TEXT : strpool_add(n->texts, n->text.data, n->text.len);
}

static void note(struct place *p, uint32_t at)
{
	p->many |= p->known && p->at != at;
	p->at = at;
	p->known = true;
}

/* --- files ------------------------------------------------------------------------------------ */

static int add_file(struct names *n, uint32_t text)
{
	struct path *p;
	bool fresh;

	p = hmap_put(n->files, &text, &fresh);
	if (!p)
		return -ENOMEM;
	if (fresh) {
		p->whole = strpool_str(n->texts, text);
		p->from = path_short(p->whole) - p->whole;
	}
	return 0;
}

static int by_shown(const void *pa, const void *pb)
{
	const struct path *const *a = pa, *const *b = pb;

	return strcmp((*a)->whole + (*a)->from, (*b)->whole + (*b)->from);
}

/* Shows one more directory of the path. False: all are shown already. */
static bool lengthen(struct path *p)
{
	size_t i = p->from;

	if (!i)
		return false;
	while (i && p->whole[i - 1] == '/')
		i--;
	while (i && p->whole[i - 1] != '/')
		i--;
	p->from = i;
	return true;
}

/* Lengthens all paths that read the same; @whole: to their full length. False: none was lengthened. */
static bool lengthen_equal(struct path **paths, size_t n, bool whole)
{
	bool any = false;

	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && !by_shown(&paths[from], &paths[to]);)
			to++;
		for (size_t i = from; to - from > 1 && i < to; i++) {
			any |= lengthen(paths[i]);
			if (whole)
				paths[i]->from = 0;
		}
	}
	return any;
}

static int tell_files_apart(struct names *n)
{
	enum { STEPS = 16 };
	size_t count = hmap_count(n->files), i = 0;
	_free_ struct path **paths = calloc(count + 1, sizeof(struct path *));
	bool more = paths;
	void *value;

	for (size_t pos = 0; paths && hmap_each(n->files, &pos, NULL, &value); i++)
		paths[i] = value;
	for (int step = 0; more; step++) {
		qsort(paths, count, sizeof(struct path *), by_shown);
		more = lengthen_equal(paths, count, step >= STEPS);
	}
	return paths ? 0 : -ENOMEM;
}

const char *names_path(struct names *n, const char *file)
{
	uint32_t text = text_of(n, file);
	const struct path *p = text == NO_TEXT ? NULL : hmap_get(n->files, &text);

	return p ? p->whole + p->from : path_short(file);
}

/* --- functions -------------------------------------------------------------------------------- */

static int key_of(struct names *n, const struct frame *f, struct function_key *ret)
{
	uint32_t file = f->file ? text_of(n, f->file) : 0;

	*ret = (struct function_key){ text_of(n, f->name), f->file ? file + 1 : 0 };
	return ret->name == NO_TEXT || file == NO_TEXT ? -ENOMEM : 0;
}

/* Ignores module code, as a file has one module, but its first line depends on the version of CPython. */
static int add_function(struct names *n, const struct frame *f)
{
	struct function_key key;
	struct place *function, *name;

	if (f->kind != FRAME_PYTHON || !f->file)
		return 0;
	if (key_of(n, f, &key) || add_file(n, key.file - 1))
		return -ENOMEM;
	function = hmap_put(n->functions, &key, NULL);
	name = hmap_put(n->names, &key.name, NULL);
	if (!function || !name)
		return -ENOMEM;
	note(name, key.file);
	if (f->first > 0 && strcmp(f->name, MODULE))
		note(function, f->first);
	return 0;
}

/* Adds the functions of all frames, each id once: an array is enough, as ids have no large holes. */
static int add_functions(struct names *n, const struct stacks *s)
{
	_free_ bool *seen = NULL;
	uint32_t most = 0;
	struct frame f;
	int err = 0;

	for (uint32_t i = 1; i < stacks_count(s); i++)
		if (stacks_frame(s, i) > most)
			most = stacks_frame(s, i);
	seen = calloc((size_t)most + 1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	for (uint32_t i = 1; !err && i < stacks_count(s); i++) {
		uint32_t id = stacks_frame(s, i);

		if (seen[id])
			continue;
		seen[id] = true;
		profile_frame(n->profile, id, &f);
		err = add_function(n, &f);
	}
	return err;
}

int names_function(struct names *n, const struct frame *f)
{
	struct function_key key;
	const struct place *p;

	if (f->kind != FRAME_PYTHON || !f->file || f->first <= 0 || key_of(n, f, &key))
		return 0;
	p = hmap_get(n->functions, &key);
	return p && p->many ? f->first : 0;
}

void names_frame(struct names *n, struct buf *b, const struct frame *f)
{
	int first = names_function(n, f);

	text_add(b, f->name, strlen(f->name));
	if (first)
		buf_printf(b, ":%d", first);
}

void names_alone(struct names *n, struct buf *b, const struct frame *f)
{
	uint32_t name = text_of(n, f->name);
	const struct place *p = name == NO_TEXT ? NULL : hmap_get(n->names, &name);
	int first = names_function(n, f);

	buf_str(b, f->name);
	if (first)
		buf_printf(b, ":%d", first);
	if (p && p->many && f->kind == FRAME_PYTHON && f->file)
		buf_printf(b, " (%s)", names_path(n, f->file));
}

/* --- processes and threads -------------------------------------------------------------------- */

struct counting {
	struct hmap *shown;  /* struct shown_key -> {its index from 1, how many beings} */
	struct hmap *beings; /* struct being_key -> u32: number among those */
};

static void counting_done(struct counting *c)
{
	hmap_free(c->shown);
	hmap_free(c->beings);
}

static int counting_init(struct counting *c)
{
	c->shown = hmap_new(sizeof(struct shown_key), 2 * sizeof(uint32_t));
	c->beings = hmap_new(sizeof(struct being_key), sizeof(uint32_t));
	return c->shown && c->beings ? 0 : -ENOMEM;
}

/* The number of a process or thread among those with the same text; 0: out of memory. */
static uint32_t count_being(struct counting *c, const char *comm, uint32_t id,
			    struct being_key being)
{
	struct shown_key shown = { .id = id };
	uint32_t *seen, *number; /* seen: the pair in c->shown */
	bool fresh;

	memcpy(shown.comm, comm, strnlen(comm, PROFILE_NAME - 1));
	seen = hmap_put(c->shown, &shown, &fresh);
	if (!seen)
		return 0;
	if (fresh)
		seen[0] = hmap_count(c->shown);
	being.shown = seen[0];
	number = hmap_put(c->beings, &being, &fresh);
	if (number && fresh)
		*number = ++seen[1];
	return number ? *number : 0;
}

static int number_processes(struct names *n)
{
	_cleanup_(counting_done) struct counting c = {};
	uint32_t number = !counting_init(&c);

	for (uint32_t i = 0; number && i < profile_processes(n->profile); i++) {
		const struct process *p = profile_process(n->profile, i);
		const struct being_key being = { .boot = p->boot, .start = p->start };

		number = count_being(&c, p->comm, p->pid, being);
		if (vec_push(&n->processes, number))
			return -ENOMEM;
	}
	return number ? 0 : -ENOMEM;
}

static int number_threads(struct names *n)
{
	_cleanup_(counting_done) struct counting c = {};
	uint32_t number = !counting_init(&c);

	for (uint32_t i = 0; number && i < profile_threads(n->profile); i++) {
		const struct thread *t = profile_thread(n->profile, i);
		const struct process *p = profile_process(n->profile, t->process);
		const struct being_key being = {
			.pid = p->pid, .boot = p->boot, .process_start = p->start, .start = t->start
		};

		number = count_being(&c, t->comm, t->tid, being);
		if (vec_push(&n->threads, number))
			return -ENOMEM;
	}
	return number ? 0 : -ENOMEM;
}

uint32_t names_process(const struct names *n, uint32_t process)
{
	return n->processes.at[process];
}

uint32_t names_thread(const struct names *n, uint32_t thread)
{
	return n->threads.at[thread];
}

/* --- all -------------------------------------------------------------------------------------- */

struct names *names_new(const struct profile *p, const struct stacks *s)
{
	_cleanup_(names_freep) struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->profile = p;
	n->texts = strpool_new();
	n->files = hmap_new(sizeof(uint32_t), sizeof(struct path));
	n->functions = hmap_new(sizeof(struct function_key), sizeof(struct place));
	n->names = hmap_new(sizeof(uint32_t), sizeof(struct place));
	if (!n->texts || !n->files || !n->functions || !n->names)
		return NULL;
	if (add_functions(n, s) || tell_files_apart(n) || number_processes(n) || number_threads(n))
		return NULL;
	return take_ptr(n);
}
