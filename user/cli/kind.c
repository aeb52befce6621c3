/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of options: how to parse a value, describe the allowed values and show the default. A new kind
 * is a row here, or in a command if only that command uses it.
 */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int cli_items(const struct cli_opt *o, const char *text, void *field, cli_add_fn add,
	      struct err *err)
{
	_free_ char *copy = strdup(text);
	char *rest = copy, *item;
	int r = copy ? 0 : -ENOMEM;

	while (!r && (item = strsep(&rest, ",")))
		r = add(o, item, field, err);
	return r;
}

/* --- without a value ------------------------------------------------------------------------- */

static int parse_flag(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	*(bool *)field = true;
	return 0;
}

static int parse_count(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	(*(unsigned int *)field)++;
	return 0;
}

const struct cli_kind cli_flag = { .parse = parse_flag };
const struct cli_kind cli_count = { .parse = parse_count };

/* --- numbers --------------------------------------------------------------------------------- */

static int parse_uint(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	return num_uint(text, o->min, o->max, field);
}

static void allow_uint(const struct cli_opt *o, struct buf *out)
{
	buf_printf(out, "%" PRIu64 " to %" PRIu64, o->min, o->max);
}

static void show_uint(const struct cli_opt *o, const void *field, struct buf *out)
{
	buf_printf(out, "%" PRIu64, *(const uint64_t *)field);
}

static int parse_size(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	return num_size(text, o->min, o->max, field);
}

static void show_size(const struct cli_opt *o, const void *field, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	num_size_text(*(const uint64_t *)field, text);
	buf_str(out, text);
}

static void allow_size(const struct cli_opt *o, struct buf *out)
{
	show_size(o, &o->min, out);
	buf_str(out, " to ");
	show_size(o, &o->max, out);
}

static int parse_duration(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	return num_duration(text, o->min, o->max, field);
}

static void show_duration(const struct cli_opt *o, const void *field, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	num_duration_text(*(const uint64_t *)field, text);
	buf_str(out, text);
}

static void allow_duration(const struct cli_opt *o, struct buf *out)
{
	show_duration(o, &o->min, out);
	buf_str(out, " to ");
	show_duration(o, &o->max, out);
	buf_str(out, ", as 500ms, 10s, 2m or 1h, or unlimited");
}

static int parse_uint_list(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	return num_list(text, o->min, o->max, field);
}

static void allow_uint_list(const struct cli_opt *o, struct buf *out)
{
	buf_str(out, "numbers from ");
	allow_uint(o, out);
	buf_str(out, ", separated by commas");
}

static void done_uint_list(void *field)
{
	vec_done((num_vec *)field);
}

const struct cli_kind cli_uint = { true, true, parse_uint, allow_uint, show_uint, NULL };
const struct cli_kind cli_size = { true, true, parse_size, allow_size, show_size, NULL };
const struct cli_kind cli_duration = { true,           true,          parse_duration,
				       allow_duration, show_duration, NULL };
const struct cli_kind cli_uint_list = { true, false,         parse_uint_list, allow_uint_list,
					NULL, done_uint_list };

/* --- strings --------------------------------------------------------------------------------- */

static int check_length(const struct cli_opt *o, const char *text)
{
	size_t len = strlen(text);

	return len < o->min || len > o->max ? -ERANGE : 0;
}

static int parse_string(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	int r = check_length(o, text);

	if (!r)
		*(const char **)field = text;
	return r;
}

static void allow_string(const struct cli_opt *o, struct buf *out)
{
	buf_printf(out, "%" PRIu64 " to %" PRIu64 " bytes", o->min, o->max);
}

static void show_string(const struct cli_opt *o, const void *field, struct buf *out)
{
	const char *text = *(const char *const *)field;

	buf_str(out, text ? text : "");
}

static int parse_strings(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	int r = check_length(o, text);

	return r ? r : vec_push((cli_words *)field, text);
}

static void done_strings(void *field)
{
	vec_done((cli_words *)field);
}

static int add_name(const struct cli_opt *o, const char *item, void *field, struct err *err)
{
	cli_names *names = field;
	_free_ char *copy = NULL;
	int r = check_length(o, item);

	if (r)
		return r;
	copy = strdup(item);
	r = copy ? vec_push(names, copy) : -ENOMEM;
	if (!r)
		(void)take_ptr(copy);
	return r;
}

static int parse_name_list(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	return cli_items(o, text, field, add_name, err);
}

static void allow_name_list(const struct cli_opt *o, struct buf *out)
{
	buf_str(out, "names of ");
	allow_string(o, out);
	buf_str(out, ", separated by commas");
}

static void done_name_list(void *field)
{
	cli_names *names = field;
	char **it;

	vec_each (names, it)
		free(*it);
	vec_done(names);
}

const struct cli_kind cli_string = { true, false, parse_string, allow_string, show_string, NULL };
const struct cli_kind cli_strings = {
	true, false, parse_strings, allow_string, NULL, done_strings
};
const struct cli_kind cli_name_list = { true, false,         parse_name_list, allow_name_list,
					NULL, done_name_list };

/* --- choices --------------------------------------------------------------------------------- */

static int parse_choice(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	unsigned int i;

	for (i = 0; o->choices[i].name; i++) {
		if (!strcmp(o->choices[i].name, text)) {
			*(unsigned int *)field = i;
			return 0;
		}
	}
	return -EINVAL;
}

static void allow_choice(const struct cli_opt *o, struct buf *out)
{
	const struct cli_term *c;

	for (c = o->choices; c->name; c++)
		buf_printf(out, "%s%s", c == o->choices ? "" : c[1].name ? ", " : " or ", c->name);
}

static void show_choice(const struct cli_opt *o, const void *field, struct buf *out)
{
	buf_str(out, o->choices[*(const unsigned int *)field].name);
}

static int add_choice(const struct cli_opt *o, const char *item, void *field, struct err *err)
{
	cli_picks *picks = field;
	unsigned int pick, *it;
	int r = parse_choice(o, item, &pick, err);

	if (r)
		return r;
	vec_each (picks, it)
		if (*it == pick)
			return err_set(err, -EINVAL, "--%s: '%s' is given twice; name it once",
				       o->name, item);
	return vec_push(picks, pick);
}

static int parse_choice_list(const struct cli_opt *o, const char *text, void *field,
			     struct err *err)
{
	return cli_items(o, text, field, add_choice, err);
}

static void allow_choice_list(const struct cli_opt *o, struct buf *out)
{
	allow_choice(o, out);
	buf_str(out, ", separated by commas");
}

static void done_choice_list(void *field)
{
	vec_done((cli_picks *)field);
}

const struct cli_kind cli_choice = { true, true, parse_choice, allow_choice, show_choice, NULL };
const struct cli_kind cli_choice_list = {
	true, true, parse_choice_list, allow_choice_list, NULL, done_choice_list
};
