/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source file with the share of each line beside it. The text is read on this host, from the file that the
 * option names or from the recorded path, whichever exists. It may have changed since the recording. Without a
 * text, only lines with samples are shown.
 */
#include "format/table/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "format/groups.h"
#include "format/table/columns.h"

struct source {
	struct frames *frames;
	struct groups groups;
	struct tally tally;
	const char *path; /* recorded path: the heaviest one that matches the option */
	bool others;      /* other paths match, too */
	const struct tally_entry **lines; /* entries of that file, by line; NULL: no samples */
	size_t nlines;
	enum tally_classes classes; /* the columns that divide a share */
	struct buf *b;
};

static void source_done(struct source *s)
{
	frames_free(s->frames);
	groups_done(&s->groups);
	tally_done(&s->tally);
	free(s->lines);
}

static const struct frame *frame_of(const struct source *s, const struct tally_entry *e)
{
	return frames_at(s->frames, e->frame);
}

/*
 * Collects the entries by line; they are sorted by weight. Absurd line numbers of a hostile recording are
 * ignored.
 */
static int collect(struct source *s)
{
	enum { LINES_MAX = 10000000 };

	s->path = frame_of(s, &s->tally.entries[0])->file;
	for (size_t i = 0; i < s->tally.n; i++) {
		const struct frame *f = frame_of(s, &s->tally.entries[i]);

		if (strcmp(f->file, s->path))
			s->others = true;
		else if (f->line < LINES_MAX && (size_t)f->line >= s->nlines)
			s->nlines = f->line + 1;
	}
	s->lines = calloc(s->nlines + 1, sizeof(struct tally_entry *));
	if (!s->lines)
		return -ENOMEM;
	for (size_t i = 0; i < s->tally.n; i++) {
		const struct frame *f = frame_of(s, &s->tally.entries[i]);

		if (!strcmp(f->file, s->path) && (size_t)f->line < s->nlines)
			s->lines[f->line] = &s->tally.entries[i];
	}
	return 0;
}

/* Opens regular files only: reading a device or FIFO might never end. NULL: there is none. */
static FILE *open_text(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *from;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	from = fdopen(fd, "r");
	if (from)
		take_fd(&fd);
	return from;
}

static void add_line(struct source *s, size_t line, const char *text, size_t len)
{
	const struct tally_entry *e = line < s->nlines ? s->lines[line] : NULL;

	if (e) {
		buf_printf(s->b, "%7.2f ", e->self_share.share * 100);
		columns_share(s->b, &e->total_share);
		columns_divide(s->b, s->classes, e, s->tally.weight);
	} else {
		buf_printf(s->b, "%7s %7s  %-14s%*s", "", "", "",
			   (int)strlen(columns_heads(s->classes)), "");
	}
	buf_printf(s->b, " %5zu  ", line);
	utf8_show(s->b, text, len);
	buf_char(s->b, '\n');
}

static void expand_tabs(struct buf *to, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_str(to, s[i] == '\t' ? "        " : (char[]){ s[i] ? s[i] : ' ', 0 });
}

static int add_text(struct source *s, FILE *from)
{
	static const char none_here[] = "(the file found here has no such line)";
	_cleanup_(buf_done) struct buf text = {};
	_free_ char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t len;

	while ((len = getline(&line, &size, from)) >= 0) {
		while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		buf_clear(&text);
		expand_tabs(&text, line, len);
		add_line(s, ++number, text.data ? text.data : "", text.len);
	}
	for (number++; number < s->nlines; number++)
		if (s->lines[number])
			add_line(s, number, none_here, strlen(none_here));
	return s->b->err;
}

static int add_lines(struct source *s)
{
	for (size_t i = 0; i < s->nlines; i++)
		if (s->lines[i])
			add_line(s, i, "", 0);
	return s->b->err;
}

static void add_head(struct source *s, const struct profile *p, bool text)
{
	columns_title(s->b, p);
	columns_explain(s->b, s->classes, "TOTAL", p);
	buf_char(s->b, '\n');
	utf8_show(s->b, s->path, strlen(s->path));
	buf_printf(s->b, ": %.2f %% of the samples%s%s\n", s->tally.seen_share.share * 100,
		   text ? "" : "; source text not found",
		   s->others ? "; other files match, too: give more of the path" : "");
	buf_printf(s->b, " SELF %% TOTAL %%  95 %% INTERVAL %s  LINE\n", columns_heads(s->classes));
}

static int write_file(struct source *s, const struct profile *p, const char *name)
{
	_fclose_ FILE *from = NULL;
	int err = collect(s);

	if (err)
		return err;
	from = open_text(name);
	if (!from)
		from = open_text(s->path);
	add_head(s, p, from);
	return from ? add_text(s, from) : add_lines(s);
}

int source_write(const struct profile *p, const struct stacks *stacks, const struct format_opts *o,
		 struct buf *b, struct err *err)
{
	const struct format_opts lines = { .lines = true, .only_lines = true };
	const struct tally_opts view = { .view = TALLY_FILE,
					 .pattern = o->source,
					 .by_total = true,
					 .classes = columns_classes(p, o) };
	_cleanup_(source_done) struct source s = { .b = b, .classes = view.classes };
	int code;

	s.frames = frames_new(p, stacks, &lines);
	code = s.frames ? groups_init(&s.groups, p, frames_names(s.frames), &lines) : -ENOMEM;
	if (!code)
		code = tally_init(&s.tally, s.frames, p, s.groups.rows, profile_rows(p), &view);
	if (!code && !s.tally.n)
		return err_set(err, -ENODATA,
			       "--source: '%s': no samples in such a file; 'krait report --lines "
			       "--limit 0' lists the files",
			       o->source);
	return code ? code : write_file(&s, p, o->source);
}
