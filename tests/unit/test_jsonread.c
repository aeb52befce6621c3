/* SPDX-License-Identifier: BSD-2-Clause */
/* base/jsonread: values of complete texts, elements of long arrays, and malformed JSON. */
#include <string.h>

#include "base/buf.h"
#include "base/jsonread.h"
#include "tap.h"

static const char text[] =
	"{\"a\":{\"b.c\":\"one\",\"d\":[1,[2,3],{\"x\":\"]}\"}]} , \"e\" : \"q\\\"\\u00e9\\n\\/\","
	"\"n\":null,\"t\":true,\"f\":-1.5e3,\"a|b\":\"no\",\"Labels\":null,\"s\":\"\"}";

/* Reads a copy in memory of exactly that size, for the sanitizer. */
static json_t *read_copy(const char *s, size_t len)
{
	_free_ char *copy = malloc(len);

	if (len)
		memcpy(copy, s, len);
	return jsonread((struct json_text){ copy, len });
}

static const char *find(const char *in, const char *keys, char ret[64])
{
	_json_ json_t *value = read_copy(in, strlen(in));

	return jsonread_string(jsonread_find(value, keys), ret, 64) ? ret : NULL;
}

TEST(values)
{
	char s[64];

	CHECK_STR(find(text, "a|b.c", s), "one");
	CHECK_STR(find(text, "e", s), "q\"\xc3\xa9\n/");
	CHECK_STR(find(text, "s", s), "");
	CHECK_STR(find(text, "n", s), NULL); /* it exists, but is not a string */
	CHECK_STR(s, "");
	CHECK_STR(find(text, "b.c", s), NULL);
	CHECK_STR(find(text, "a|b.c|x", s), NULL);
	CHECK_STR(find(text, "Labels|x", s), NULL);
	CHECK_STR(find(text, "", s), NULL);
	CHECK_STR(find("[1]", "a", s), NULL);
	CHECK_STR(find("", "a", s), NULL);
	CHECK_STR(find("{\"a\":\"b\"", "a", s), NULL);
}

/* Invalid parts of a string are replaced; the rest of the text can still be read. */
TEST(invalid_strings_are_repaired)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "\xff\xfe|", "??|" },
		{ "\xed\xa0\x80|", "???|" }, /* a surrogate as bytes */
		{ "\xc3", "?" },
		{ "\\ud83d\\ude00|", "\xf0\x9f\x98\x80|" },
		{ "\\ud83d|", "\xef\xbf\xbd|" },
		{ "\\ud83d\\u0041|", "\xef\xbf\xbd"
				     "A|" },
		{ "\\ude00\\ud83d|", "\xef\xbf\xbd\xef\xbf\xbd|" },
		{ "\\u0000|", "\xef\xbf\xbd|" },
		{ "\\u12|", "?u12|" },
		{ "\\u|", "?u|" },
		{ "\\q|", "?q|" },
		{ "\\\\u0000|", "\\u0000|" },
		{ "\t\n\x01|", "   |" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf in = {};
		char s[64] = "none";

		buf_printf(&in, "{\"a\":\"%s\",\"b\":\"there\"}", rows[i].in);
		if (!CHECK_STR(find(in.data, "a", s), rows[i].want) ||
		    !CHECK_STR(find(in.data, "b", s), "there"))
			printf("# %s\n", rows[i].in);
		buf_done(&in);
	}
}

TEST(strings_are_cut_between_characters)
{
	_json_ json_t *value = read_copy("\"ab\xc3\xa9\xf0\x9f\x98\x80\"", 10);
	static const struct {
		size_t size;
		const char *want;
	} rows[] = {
		{ 1, "" },           { 3, "ab" },         { 4, "ab" },
		{ 5, "ab\xc3\xa9" }, { 8, "ab\xc3\xa9" }, { 9, "ab\xc3\xa9\xf0\x9f\x98\x80" }
	};
	char s[16];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(jsonread_string(value, s, rows[i].size));
		CHECK_STR(s, rows[i].want);
	}
}

/* Lists the numbers in an array, 0 for other elements, and how many elements were refused. */
static void list_numbers(const char *in, size_t len, struct buf *ret)
{
	_free_ char *copy = malloc(len);
	struct json_text rest = { copy, len };
	unsigned int refused = 0;
	json_t *element;

	if (len)
		memcpy(copy, in, len);
	while ((element = jsonread_next(&rest, &refused))) {
		buf_printf(ret, "%d ", (int)json_number_value(element));
		json_decref(element);
	}
	buf_printf(ret, "refused %u", refused);
}

TEST(elements)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "[]", "refused 0" },
		{ " [ 1 , 2 ]\n", "1 2 refused 0" },
		{ "[[1],2]", "0 2 refused 0" },
		{ "[1,{\"a\":x},3]", "1 3 refused 1" },
		{ "[1,{\"a\":[x,\"]}\\\"\"]},3]", "1 3 refused 1" },
		{ "[1,,3]", "1 3 refused 1" },
		{ "[1,x", "1 refused 1" },
		{ "[1,\"", "1 refused 1" },
		{ "[1,\"\\", "1 refused 1" },
		{ "[1}", "1 refused 0" },
		{ "[}]}", "refused 1" },
		{ "[", "refused 0" },
		{ "", "refused 0" },
		{ "{}", "refused 0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf said = {};

		list_numbers(rows[i].in, strlen(rows[i].in), &said);
		if (!CHECK_STR(said.data, rows[i].want))
			printf("# %s\n", rows[i].in);
		buf_done(&said);
	}
}

/* A text is limited in length; in a longer array only an element that is too long is refused. */
TEST(lengths)
{
	struct buf in = {}, said = {};
	json_t *value;

	buf_printf(&in, "[1,\"%*s\",3]", JSONREAD_MAX, "");
	value = read_copy(in.data, in.len);
	CHECK(!value);
	json_decref(value);
	list_numbers(in.data, in.len, &said);
	CHECK_STR(said.data, "1 3 refused 1");
	buf_done(&in);
	buf_done(&said);
	buf_printf(&in, "[%*s1]", JSONREAD_MAX - 3, "");
	value = read_copy(in.data, in.len);
	CHECK(value);
	json_decref(value);
	buf_done(&in);
}
