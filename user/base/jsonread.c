/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/jsonread.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static const char replacement[] = "fffd";

/* --- bytes that jansson rejects --------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The UTF-16 code unit of the "\uXXXX" at @at. UINT32_MAX: not such an escape. */
static uint32_t unit_at(const char *at, size_t len)
{
	uint32_t unit = 0;

	if (len < 6 || at[0] != '\\' || at[1] != 'u')
		return UINT32_MAX;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return UINT32_MAX;
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* Mends one escape and returns its length. Lone surrogates and NUL (invalid in keys) become U+FFFD. */
static size_t mend_escape(char *at, size_t len)
{
	uint32_t unit = unit_at(at, len);

	if (unit == UINT32_MAX) {
		if (len < 2 || !strchr("\"\\/bfnrt", at[1]) || !at[1])
			*at = '?';
		return *at == '?' ? 1 : 2;
	}
	if (is_high(unit) && is_low(unit_at(at + 6, len - 6)))
		return 12;
	if (!unit || is_high(unit) || is_low(unit))
		memcpy(at + 2, replacement, 4);
	return 6;
}

static void mend(struct json_text text)
{
	size_t i = 0;

	while (i < text.len) {
		char *at = text.at + i;
		uint32_t c;
		size_t n = utf8_next(at, text.len - i, &c);

		if (!n)
			*at = '?';
		else if (c < ' ')
			*at = ' ';
		i += n && c == '\\' ? mend_escape(at, text.len - i) : n ?: 1;
	}
}

/* --- values ----------------------------------------------------------------------------------- */

enum { FLAGS = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL };

json_t *jsonread(struct json_text text)
{
	if (text.len > JSONREAD_MAX)
		return NULL;
	mend(text);
	return json_loadb(text.at, text.len, FLAGS, NULL);
}

static void advance(struct json_text *text, size_t n)
{
	text->at += n;
	text->len -= n;
}

static void skip_space(struct json_text *text)
{
	while (text->len && strchr(" \t\r\n", *text->at) && *text->at)
		advance(text, 1);
}

/* Skips an element that could not be parsed, to the comma that follows it or to the end of the array. */
static void skip_element(struct json_text *text)
{
	size_t depth = 0;
	bool string = false;

	for (; text->len; advance(text, 1)) {
		char c = *text->at;

		if (string && c == '\\' && text->len > 1)
			advance(text, 1);
		else if (c == '"')
			string = !string;
		else if (!string && !depth && strchr(",]", c))
			return;
		else if (!string)
			depth += (c == '{' || c == '[') - (c == '}' || c == ']');
	}
}

json_t *jsonread_next(struct json_text *rest, unsigned int *refused)
{
	json_error_t error;
	json_t *value;

	skip_space(rest);
	if (rest->len && *rest->at == '[')
		mend(*rest);
	else if (!rest->len || *rest->at != ',')
		return NULL;
	for (;;) {
		size_t len;

		advance(rest, 1);
		skip_space(rest);
		if (!rest->len || *rest->at == ']')
			return NULL;
		len = rest->len < JSONREAD_MAX ? rest->len : JSONREAD_MAX;
		value = json_loadb(rest->at, len, FLAGS | JSON_DISABLE_EOF_CHECK, &error);
		if (value) {
			advance(rest, error.position);
			return value;
		}
		++*refused;
		skip_element(rest);
		if (!rest->len || *rest->at != ',')
			return NULL;
	}
}

json_t *jsonread_find(json_t *in, const char *keys)
{
	for (;;) {
		size_t len = strcspn(keys, "|");

		in = json_object_getn(in, keys, len);
		if (!in || !keys[len])
			return in;
		keys += len + 1;
	}
}

bool jsonread_string(const json_t *value, char *ret, size_t size)
{
	size_t len = json_string_length(value);
	const char *text = json_string_value(value);

	if (text && len >= size)
		for (len = size - 1; len && (text[len] & 0xc0) == 0x80;)
			len--;
	if (text)
		memcpy(ret, text, len);
	ret[len] = '\0';
	return text;
}
