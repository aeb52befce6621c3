/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folded stacks: "root;frame;leaf COUNT", a line for each distinct stack, lines sorted bytewise. The
 * format has no escapes, so the text of a frame must not contain ';' or a newline, and the last frame
 * must not end like a count: " 42".
 *
 * Different stacks of the recording may have the same text (two lines of a function without line
 * numbers, two processes of one name). So rows are first grouped by their root frames, joined to one
 * text; then each group's lines become a prefix tree of texts, which is written and freed:
 *
 *	"web" -- main (app.py:3): 12 -- parse (p.py:9): 5
 *	     \-- idle (app.py:8): 2
 *
 * Equal lines are one node; its weight is their sum. Lines are not stored as strings: the tree is
 * walked in order, and one buffer holds the path from the root.
 *
 * Order: a child "a" contributes up to two items: its own line, where " COUNT" follows the text, and
 * the lines below it, where ';' follows. Sorting a parent's items by text plus following character
 * sorts the lines bytewise, because lines with the same beginning are always adjacent.
 *
 * The Firefox Profiler recognizes the format by the first 4,096 bytes of the first line. If that line
 * is longer, a beginning of it with the count 0 is written before it: it is correct, sorts first, and
 * is short.
 */
#include "format/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/label.h"
#include "format/names.h"
#include "format/stream.h"

#define NO_TEXT    UINT32_MAX
#define MEMO_SIZE  65536 /* a power of two */
#define FIRST_LINE 4096  /* bytes of the first line that all readers examine */

/* One row of the recording. */
struct row {
	uint32_t root; /* text id: the root frames, joined */
	uint32_t stack;
	uint32_t leaf; /* text id: a frame below the stack; 0, the empty text: none */
	uint64_t weight;
};

/* Key of root frames that rows share. */
struct root_key {
	uint32_t thread;
	uint32_t state;
};

/* Cache: the node for a stack of the recording, in the tree of a root. */
struct memo {
	uint32_t root;
	uint32_t stack; /* STACKS_ROOT: empty slot */
	uint32_t node;
};

/* One line, or all longer lines that begin with the same text. */
struct item {
	const char *text;
	uint64_t weight; /* of the line; 0: the longer lines */
	size_t prefix;   /* bytes of the line buffer before the text */
	size_t from;     /* the node, or for a group its first row */
};

struct fold {
	const struct profile *profile;
	const struct stacks *stacks;
	const struct format_opts *opts;
	FILE *to;
	struct strpool *texts;
	struct names *names;
	struct hmap *frames; /* frame id -> text id */
	struct hmap *roots;  /* struct root_key -> text id */
	struct row *rows;    /* by root, then by stack */
	size_t nrows;
	struct memo *memo;
	VEC(uint32_t) path;
	VEC(struct item) groups; /* processed from the end */
	struct buf text;
	struct buf line;
	bool begun;
};

/* The lines of one group. */
struct tree {
	struct stacks *nodes;  /* their frames are text ids */
	VEC(uint64_t) weights; /* by node; may be shorter */
	uint32_t *first;       /* by node: index of its first child in kids; plus one at the end */
	uint32_t *kids;
	VEC(struct item) todo; /* processed from the end */
};

static void fold_done(struct fold *f)
{
	strpool_free(f->texts);
	names_free(f->names);
	hmap_free(f->frames);
	hmap_free(f->roots);
	free(f->rows);
	free(f->memo);
	vec_done(&f->path);
	vec_done(&f->groups);
	buf_done(&f->text);
	buf_done(&f->line);
}

static int fold_init(struct fold *f)
{
	f->texts = strpool_new();
	f->names = names_new(f->profile, f->stacks);
	f->frames = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	f->roots = hmap_new(sizeof(struct root_key), sizeof(uint32_t));
	f->rows = calloc(profile_rows(f->profile) + 1, sizeof(*f->rows));
	f->memo = calloc(MEMO_SIZE, sizeof(*f->memo));
	return f->texts && f->names && f->frames && f->roots && f->rows && f->memo ? 0 : -ENOMEM;
}

static void tree_done(struct tree *t)
{
	stacks_free(t->nodes);
	vec_done(&t->weights);
	free(t->first);
	free(t->kids);
	vec_done(&t->todo);
}

/* --- texts -------------------------------------------------------------------------------- */

/* Interns f->text. */
static uint32_t intern_text(struct fold *f)
{
	char *s;

	if (f->text.err)
		return NO_TEXT;
	while ((s = memchr(f->text.data, ';', f->text.len)))
		*s = ':';
	return strpool_add(f->texts, f->text.data, f->text.len);
}

static uint32_t frame_text(struct fold *f, uint32_t frame_id)
{
	const uint32_t *known = hmap_get(f->frames, &frame_id);
	struct frame frame;
	uint32_t text, *val;

	if (known)
		return *known;
	profile_frame(f->profile, frame_id, &frame);
	buf_clear(&f->text);
	label_frame(&f->text, &frame, f->opts, f->names);
	text = intern_text(f);
	val = hmap_put(f->frames, &frame_id, NULL);
	if (!val)
		return NO_TEXT;
	return *val = text;
}

static size_t skip_digits_back(const char *s, size_t len)
{
	while (len && s[len - 1] >= '0' && s[len - 1] <= '9')
		len--;
	return len;
}

/* The position of the space before a last word like "42", "42." or "42.5"; 0: the last word is no number. */
static size_t count_at(const char *s, size_t len)
{
	size_t digits = skip_digits_back(s, len);

	if (digits && s[digits - 1] == '.') {
		len = digits - 1;
		digits = skip_digits_back(s, len);
	}
	return digits && digits < len && s[digits - 1] == ' ' ? digits - 1 : 0;
}

/* The text for use as the last frame of a line, changed if it ends like a count. */
static uint32_t leaf_text(struct fold *f, uint32_t text)
{
	const char *s = strpool_str(f->texts, text);
	size_t len = strpool_len(f->texts, text), at = count_at(s, len);

	if (!at)
		return text;
	buf_clear(&f->text);
	buf_add(&f->text, s, len);
	if (!f->text.err)
		f->text.data[at] = '_';
	return intern_text(f);
}

/* --- recording to rows -------------------------------------------------------------------- */

/* The root frames of a row, joined to one text; empty without dimensions. */
static uint32_t make_root(struct fold *f, const struct profile_row *row)
{
	_cleanup_(buf_done) struct buf all = {};

	for (size_t i = 0; i < f->opts->ndims; i++) {
		buf_clear(&f->text);
		label_root(&f->text, f->profile, row, f->opts->dims[i], f->names);
		if (intern_text(f) == NO_TEXT)
			return NO_TEXT;
		buf_str(&all, i ? ";" : "");
		buf_add(&all, f->text.data, f->text.len);
	}
	return all.err ? NO_TEXT : strpool_add(f->texts, all.data, all.len);
}

static uint32_t root_text(struct fold *f, const struct profile_row *row)
{
	const struct root_key key = { row->thread, row->state };
	uint32_t *known = hmap_get(f->roots, &key), text;

	if (known)
		return *known;
	text = make_root(f, row);
	known = hmap_put(f->roots, &key, NULL);
	return known ? *known = text : NO_TEXT;
}

static uint32_t state_text(struct fold *f, const struct profile_row *row)
{
	buf_clear(&f->text);
	if (f->opts->states)
		state_frame(&f->text, profile_state(f->profile, row->state));
	return f->text.len ? intern_text(f) : 0;
}

static int by_root_and_stack(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	return a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* Collects the rows. In a row without frames the root frames end the line, so they must not end like a count. */
static int collect_rows(struct fold *f)
{
	struct profile_row row;
	uint32_t text, leaf;

	for (size_t pos = 0; profile_each(f->profile, &pos, &row); f->nrows++) {
		text = root_text(f, &row);
		leaf = state_text(f, &row);
		if (text != NO_TEXT && row.node == STACKS_ROOT && !leaf)
			text = leaf_text(f, text);
		if (text == NO_TEXT || leaf == NO_TEXT)
			return -ENOMEM;
		f->rows[f->nrows] = (struct row){ text, row.node, leaf, row.weight };
	}
	qsort(f->rows, f->nrows, sizeof(*f->rows), by_root_and_stack);
	return 0;
}

/* --- order -------------------------------------------------------------------------------- */

static void go_on_with(const struct item *it, char ret[static 24])
{
	if (it->weight)
		snprintf(ret, 24, " %" PRIu64, it->weight);
	else
		strcpy(ret, ";");
}

/* Byte @i of the concatenation of @a and @b. */
static int pair_byte(const char *a, size_t alen, const char *b, size_t i)
{
	return (unsigned char)(i < alen ? a[i] : b[i - alen]);
}

static int compare_pairs(const char *a1, const char *a2, const char *b1, const char *b2)
{
	size_t alen = strlen(a1), blen = strlen(b1), i = 0;
	int a, b;

	do {
		a = pair_byte(a1, alen, a2, i);
		b = pair_byte(b1, blen, b2, i);
		i++;
	} while (a && a == b);
	return a - b;
}

/* Descending, because items are processed from the end. */
static int compare_items(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	const char *at = a->text, *bt = b->text;
	char a_end[24], b_end[24];

	while (*at && *at == *bt) {
		at++;
		bt++;
	}
	if (*at && *bt)
		return (unsigned char)*bt - (unsigned char)*at;
	go_on_with(a, a_end);
	go_on_with(b, b_end);
	return compare_pairs(bt, b_end, at, a_end);
}

static void sort_items(struct item *items, size_t n)
{
	if (n > 1)
		qsort(items, n, sizeof(*items), compare_items);
}

/* --- rows to tree ------------------------------------------------------------------------- */

static struct memo *memo_of(const struct fold *f, uint32_t root, uint32_t stack)
{
	return &f->memo[(root * 0x9e3779b1u ^ stack) & (MEMO_SIZE - 1)];
}

static uint32_t push_text(struct tree *t, uint32_t parent, uint32_t text)
{
	return text == NO_TEXT ? STACKS_NONE : stacks_push(t->nodes, parent, text);
}

/* The node for the row's stack; walks only the part that is not cached. */
static uint32_t stack_node(struct fold *f, struct tree *t, const struct row *row)
{
	uint32_t node = STACKS_ROOT, stack = row->stack;

	f->path.len = 0;
	for (; stack != STACKS_ROOT; stack = stacks_parent(f->stacks, stack)) {
		const struct memo *m = memo_of(f, row->root, stack);

		if (m->stack == stack && m->root == row->root) {
			node = m->node;
			break;
		}
		if (vec_push(&f->path, stack))
			return STACKS_NONE;
	}
	while (f->path.len && node != STACKS_NONE) {
		stack = f->path.at[--f->path.len];
		node = push_text(t, node, frame_text(f, stacks_frame(f->stacks, stack)));
		*memo_of(f, row->root, stack) = (struct memo){ row->root, stack, node };
	}
	return node;
}

/* The node for the row's line, whose last frame is changed if it ends like a count. */
static uint32_t line_node(struct fold *f, struct tree *t, const struct row *row)
{
	uint32_t node = stack_node(f, t, row), text;

	if (node == STACKS_NONE)
		return node;
	if (row->leaf)
		return push_text(t, node, row->leaf);
	if (node == STACKS_ROOT)
		return push_text(t, node, strpool_add(f->texts, "?", 1));
	text = leaf_text(f, stacks_frame(t->nodes, node));
	if (text == stacks_frame(t->nodes, node))
		return node;
	return push_text(t, stacks_parent(t->nodes, node), text);
}

static int add_row(struct fold *f, struct tree *t, const struct row *row)
{
	uint32_t node = line_node(f, t, row);

	if (node == STACKS_NONE)
		return -ENOMEM;
	while (t->weights.len <= node)
		if (vec_push(&t->weights, 0))
			return -ENOMEM;
	t->weights.at[node] += row->weight;
	return 0;
}

/* Sorts the nodes by parent (counting sort). */
static int link_kids(struct tree *t)
{
	uint32_t n = stacks_count(t->nodes);

	t->first = calloc((size_t)n + 1, sizeof(*t->first));
	t->kids = calloc(n, sizeof(*t->kids));
	if (!t->first || !t->kids)
		return -ENOMEM;
	for (uint32_t i = 1; i < n; i++)
		t->first[stacks_parent(t->nodes, i) + 2]++;
	for (uint32_t i = 2; i <= n; i++)
		t->first[i] += t->first[i - 1];
	for (uint32_t i = 1; i < n; i++)
		t->kids[t->first[stacks_parent(t->nodes, i) + 1]++] = i;
	return 0;
}

static int tree_init(struct tree *t, struct fold *f, size_t from, size_t to)
{
	t->nodes = stacks_new();
	if (!t->nodes)
		return -ENOMEM;
	for (; from < to; from++)
		if (add_row(f, t, &f->rows[from]))
			return -ENOMEM;
	return link_kids(t);
}

/* --- tree to lines ------------------------------------------------------------------------ */

static int add_items(struct fold *f, struct tree *t, size_t parent)
{
	size_t start = t->todo.len;

	for (uint32_t i = t->first[parent]; i < t->first[parent + 1]; i++) {
		uint32_t node = t->kids[i];
		struct item it = { .prefix = f->line.len, .from = node };

		it.text = strpool_str(f->texts, stacks_frame(t->nodes, node));
		if (t->first[node] < t->first[node + 1] && vec_push(&t->todo, it))
			return -ENOMEM;
		it.weight = node < t->weights.len ? t->weights.at[node] : 0;
		if (it.weight && vec_push(&t->todo, it))
			return -ENOMEM;
	}
	sort_items(t->todo.at + start, t->todo.len - start);
	return 0;
}

/* A length within FIRST_LINE at which the line can be cut between frames; 0: there is none. */
static size_t short_beginning(const struct fold *f)
{
	const char *line = f->line.data, *cut = line;
	const char *end = line + (f->line.len < FIRST_LINE ? f->line.len : FIRST_LINE - 3);

	while ((cut = memchr(cut, ';', end - cut))) {
		if (!count_at(line, cut - line))
			return cut - line;
		cut++;
	}
	return 0;
}

static int write_line(struct fold *f, uint64_t weight)
{
	size_t cut;

	buf_printf(&f->line, " %" PRIu64 "\n", weight);
	if (!f->line.err && !f->begun && f->line.len > FIRST_LINE) {
		cut = short_beginning(f);
		if (cut)
			fprintf(f->to, "%.*s 0\n", (int)cut, f->line.data);
	}
	f->begun = true;
	if (f->line.err)
		return f->line.err;
	errno = 0;
	if (fwrite(f->line.data, 1, f->line.len, f->to) != f->line.len)
		return errno ? -errno : -EIO;
	return 0;
}

static void begin_item(struct fold *f, const struct item *it)
{
	f->line.len = it->prefix;
	if (it->prefix)
		buf_char(&f->line, ';');
	buf_str(&f->line, it->text);
}

/* Writes the lines of rows @from..@to - 1; the line buffer holds their root. */
static int write_tree(struct fold *f, size_t from, size_t to)
{
	_cleanup_(tree_done) struct tree t = {};
	int err = tree_init(&t, f, from, to);

	if (!err)
		err = add_items(f, &t, STACKS_ROOT);
	while (!err && t.todo.len) {
		struct item it = t.todo.at[--t.todo.len];

		begin_item(f, &it);
		err = it.weight ? write_line(f, it.weight) : add_items(f, &t, it.from);
	}
	return err;
}

/* --- groups ------------------------------------------------------------------------------- */

static size_t group_end(const struct fold *f, size_t from)
{
	size_t to = from;

	while (to < f->nrows && f->rows[to].root == f->rows[from].root)
		to++;
	return to;
}

static bool is_bare(const struct row *row)
{
	return row->stack == STACKS_ROOT && !row->leaf;
}

/* Adds the items for the rows of one root: a line of its own for rows without frames, and the lines below it. */
static int add_group(struct fold *f, size_t from, size_t to)
{
	uint32_t root = f->rows[from].root;
	struct item it = { .text = strpool_str(f->texts, root) };

	for (; root && from < to && is_bare(&f->rows[from]); from++)
		it.weight += f->rows[from].weight;
	if (it.weight && vec_push(&f->groups, it))
		return -ENOMEM;
	it.weight = 0;
	it.from = from;
	return from < to ? vec_push(&f->groups, it) : 0;
}

static int write_groups(struct fold *f)
{
	int err = 0;

	for (size_t from = 0, to; from < f->nrows && !err; from = to) {
		to = group_end(f, from);
		err = add_group(f, from, to);
	}
	sort_items(f->groups.at, f->groups.len);
	while (!err && f->groups.len) {
		struct item it = f->groups.at[--f->groups.len];

		begin_item(f, &it);
		err = it.weight ? write_line(f, it.weight)
				: write_tree(f, it.from, group_end(f, it.from));
	}
	return err;
}

static int write_folded(const struct profile *p, const struct stacks *s,
			const struct format_opts *o, FILE *to, struct err *err)
{
	_cleanup_(fold_done) struct fold f = { .profile = p, .stacks = s, .opts = o, .to = to };
	int code = fold_init(&f);

	if (!code)
		code = collect_rows(&f);
	if (!code)
		code = write_groups(&f);
	if (!code)
		code = stream_flush(to);
	return code ? stream_failed(err, "folded", code) : 0;
}

const struct format_ops format_folded = {
	.name = "folded",
	.extension = "folded",
	.help = "one line per stack, for flamegraph.pl, speedscope and others",
	.write = write_folded,
};
