/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/jsonread.h"

#include <stdint.h>
#include <string.h>

#define SPACE " \t\r\n"

static const char *skip(const char *at, const char *end, const char *chars)
{
	while (at < end && *at && strchr(chars, *at))
		at++;
	return at;
}

/* Behind the closing quote; NULL: it is missing. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '\\')
			at++;
		else if (*at == '"')
			return at + 1;
	}
	return NULL;
}

/* A number, true, false or null. */
static const char *skip_word(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && *at && !strchr(SPACE ",:]}[{\"", *at))
		at++;
	return at > start ? at : NULL;
}

/* Behind the value that begins at @at; NULL: there is no whole one. */
static const char *skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	do {
		at = skip(at, end, depth ? SPACE ",:" : SPACE);
		if (at == end)
			return NULL;
		if (*at == '{' || *at == '[') {
			depth++;
			at++;
		} else if (*at == '}' || *at == ']') {
			if (!depth--)
				return NULL;
			at++;
		} else {
			at = *at == '"' ? skip_string(at, end) : skip_word(at, end);
		}
	} while (at && depth);
	return at;
}

/* Takes one value, and the commas before it, off *@rest. */
static bool take(struct json_text *rest, struct json_text *ret)
{
	const char *end = rest->at + rest->len, *at = skip(rest->at, end, SPACE ",:");
	const char *behind = at < end ? skip_value(at, end) : NULL;

	if (!behind)
		return false;
	*ret = (struct json_text){ at, behind - at };
	*rest = (struct json_text){ behind, end - behind };
	return true;
}

static bool enter(struct json_text *text, char bracket)
{
	const char *end = text->at + text->len, *at = skip(text->at, end, SPACE);

	if (at == end || *at != bracket)
		return false;
	*text = (struct json_text){ at + 1, end - at - 1 };
	return true;
}

static bool find_member(struct json_text object, const char *key, size_t len, struct json_text *ret)
{
	struct json_text name;

	if (!enter(&object, '{'))
		return false;
	while (take(&object, &name) && take(&object, ret))
		if (name.len == len + 2 && !memcmp(name.at + 1, key, len))
			return true;
	return false;
}

bool json_find(struct json_text in, const char *keys, struct json_text *ret)
{
	struct json_text value = in;

	for (;;) {
		size_t len = strcspn(keys, "|");

		if (!find_member(value, keys, len, &value))
			return false;
		if (!keys[len])
			break;
		keys += len + 1;
	}
	*ret = value;
	return true;
}

bool json_next(struct json_text *rest, struct json_text *ret)
{
	/* What is left begins with a comma, or is the end: only the whole begins with the bracket. */
	if (rest->len && *skip(rest->at, rest->at + rest->len - 1, SPACE) == '[')
		enter(rest, '[');
	return take(rest, ret);
}

bool json_next_member(struct json_text *rest, struct json_text *ret_key, struct json_text *ret)
{
	if (rest->len && *skip(rest->at, rest->at + rest->len - 1, SPACE) == '{')
		enter(rest, '{');
	return take(rest, ret_key) && take(rest, ret);
}

/* --- strings ------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits at @at; UINT32_MAX: they are none. */
static uint32_t hex_unit(const char *at, const char *end)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		int digit = at + i < end ? hex_digit(at[i]) : -1;

		if (digit < 0)
			return UINT32_MAX;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* UTF-8 of what \u says; a half of a pair, and NUL, become '?'. Returns its length. */
static size_t encode(uint32_t c, char ret[3])
{
	if (!c || c > 0xffff || (c >= 0xd800 && c < 0xe000))
		c = '?';
	if (c < 0x80) {
		ret[0] = c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = 0xc0 | c >> 6;
		ret[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	ret[0] = 0xe0 | c >> 12;
	ret[1] = 0x80 | (c >> 6 & 0x3f);
	ret[2] = 0x80 | (c & 0x3f);
	return 3;
}

/* Moves *@at behind the character that an escape stands for, which goes to @ret. */
static size_t unescape(const char **at, const char *end, char ret[3])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	char c = *(*at)++;
	const char *which = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		uint32_t unit = hex_unit(*at, end);

		*at += unit == UINT32_MAX ? 0 : 4;
		return encode(unit, ret);
	}
	ret[0] = which ? to[which - from] : c ? c : '?';
	return 1;
}

bool json_string(struct json_text value, char *ret, size_t size)
{
	const char *at = value.at + 1, *end = value.at + value.len - 1;
	size_t len = 0;

	ret[0] = '\0';
	if (value.len < 2 || *value.at != '"')
		return false;
	while (at < end) {
		char c[3] = { *at++ ?: '?' };
		size_t n = 1;

		if (c[0] == '\\' && at < end)
			n = unescape(&at, end, c);
		if (len + n >= size)
			break;
		memcpy(ret + len, c, n);
		len += n;
	}
	ret[len] = '\0';
	return true;
}
