/* SPDX-License-Identifier: BSD-2-Clause */
/* base/jsonread: values of whole texts, of cut ones, and of what is no JSON. */
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonread.h"
#include "tap.h"

static const char text[] =
	"{\"a\":{\"b.c\":\"one\",\"d\":[1,[2,3],{\"x\":\"]}\"}]} , \"e\" : \"q\\\"\\u00e9\\n\\/\","
	"\"n\":null,\"t\":true,\"f\":-1.5e3,\"a|b\":\"no\",\"Labels\":null,\"s\":\"\"}";

static struct json_text all(const char *s)
{
	return (struct json_text){ s, strlen(s) };
}

static const char *find(const char *in, const char *keys, char ret[64])
{
	struct json_text v;

	return json_find(all(in), keys, &v) && json_string(v, ret, 64) ? ret : NULL;
}

TEST(values)
{
	struct json_text v;
	char s[64];

	CHECK_STR(find(text, "a|b.c", s), "one");
	CHECK_STR(find(text, "e", s), "q\"\xc3\xa9\n/");
	CHECK_STR(find(text, "s", s), "");
	CHECK_STR(find(text, "n", s), NULL); /* is there, and no string */
	CHECK(json_find(all(text), "f", &v) && v.len == 6 && !memcmp(v.at, "-1.5e3", 6));
	CHECK_STR(find(text, "b.c", s), NULL);
	CHECK_STR(find(text, "a|b.c|x", s), NULL);
	CHECK_STR(find(text, "Labels|x", s), NULL);
	CHECK_STR(find(text, "", s), NULL);
	CHECK_STR(find("[1]", "a", s), NULL);
	CHECK_STR(find("", "a", s), NULL);
}

TEST(elements)
{
	struct json_text list, item;
	char s[64];

	CHECK(json_find(all(text), "a|d", &list));
	CHECK(json_next(&list, &item) && item.len == 1 && *item.at == '1');
	CHECK(json_next(&list, &item) && item.len == 5 && *item.at == '[');
	CHECK(json_next(&list, &item) && json_find(item, "x", &item) && json_string(item, s, 64));
	CHECK_STR(s, "]}");
	CHECK(!json_next(&list, &item));
	list = all("[]");
	CHECK(!json_next(&list, &item));
	list = all(" [ \"a\" , \"b\" ]\n");
	CHECK(json_next(&list, &item) && json_next(&list, &item) && !json_next(&list, &item));
}

TEST(members)
{
	struct json_text rest = all(" {\"a\": {\"b\":1}, \"c,\" : \"}\" }"), key, value;
	char s[64];

	CHECK(json_next_member(&rest, &key, &value) && json_string(key, s, 64));
	CHECK_STR(s, "a");
	CHECK(value.len == 7 && *value.at == '{');
	CHECK(json_next_member(&rest, &key, &value) && json_string(key, s, 64));
	CHECK_STR(s, "c,");
	CHECK(json_string(value, s, 64));
	CHECK_STR(s, "}");
	CHECK(!json_next_member(&rest, &key, &value));
	rest = all("{}");
	CHECK(!json_next_member(&rest, &key, &value));
	rest = all("{\"a\"");
	CHECK(!json_next_member(&rest, &key, &value));
}

TEST(strings)
{
	struct json_text v = all("\"\\ud83d\\u0000\\uzz\\q\"");
	char s[8];

	CHECK(json_string(v, s, sizeof(s)));
	CHECK_STR(s, "???zzq");
	v = all("\"0123456789\"");
	CHECK(json_string(v, s, sizeof(s)));
	CHECK_STR(s, "0123456");
	v = all("\"abcdef\\u00e9\"");
	CHECK(json_string(v, s, sizeof(s)));
	CHECK_STR(s, "abcdef"); /* no half of a character */
	v = all("\"\\");
	CHECK(json_string(v, s, sizeof(s)));
	v = all("1");
	CHECK(!json_string(v, s, sizeof(s)));
	CHECK_STR(s, "");
}

/* Cut anywhere, and with any byte changed: nothing is read outside (the sanitizer sees to that). */
TEST(broken_texts)
{
	static const char bytes[] = "{}[]\",:\\u\0\xff x1";
	static const char *const keys[] = { "a|b.c", "e", "s", "a|d" };

	for (size_t len = 0; len < sizeof(text); len++) {
		for (size_t b = 0; b < sizeof(bytes); b++) {
			_free_ char *copy = malloc(len + 1);
			struct json_text v, item;
			char s[16];

			memcpy(copy, text, len);
			if (len)
				copy[len / 2] = bytes[b];
			for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
				if (!json_find((struct json_text){ copy, len }, keys[k], &v))
					continue;
				CHECK(v.at >= copy && v.at + v.len <= copy + len);
				json_string(v, s, sizeof(s));
				while (json_next(&v, &item))
					CHECK(item.at >= copy && item.at + item.len <= copy + len);
			}
		}
	}
}
