/* SPDX-License-Identifier: BSD-2-Clause */
/* base/json: commas and brackets of each nesting, and strings that hold anything. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "tap.h"

static void string_is(const char *text, size_t len, const char *want)
{
	_cleanup_(buf_done) struct buf out = {};
	struct json j = { .out = &out };

	json_strn(&j, NULL, text, len);
	CHECK_STR(out.data, want);
}

TEST(values)
{
	_cleanup_(buf_done) struct buf out = {};
	struct json j = { .out = &out };

	json_array(&j, NULL);
	json_uint(&j, NULL, 0);
	json_uint(&j, NULL, UINT64_MAX);
	json_bool(&j, NULL, true);
	json_bool(&j, NULL, false);
	json_null(&j, NULL);
	json_str(&j, NULL, "");
	json_str(&j, NULL, NULL);
	json_array_end(&j);
	CHECK_STR(out.data, "[0,18446744073709551615,true,false,null,\"\",null]");
}

TEST(nesting)
{
	_cleanup_(buf_done) struct buf out = {};
	struct json j = { .out = &out };

	json_object(&j, NULL);
	json_array(&j, "empty");
	json_array_end(&j);
	json_object(&j, "also");
	json_object_end(&j);
	json_array(&j, "rows");
	for (int i = 0; i < 2; i++) {
		json_object(&j, NULL);
		json_uint(&j, "a", i);
		json_str(&j, "b", "x");
		json_object_end(&j);
	}
	json_array(&j, NULL);
	json_array_end(&j);
	json_array_end(&j);
	json_null(&j, "last");
	json_object_end(&j);
	CHECK_STR(out.data, "{\"empty\":[],\"also\":{},\"rows\":[{\"a\":0,\"b\":\"x\"},"
			    "{\"a\":1,\"b\":\"x\"},[]],\"last\":null}");
}

TEST(strings)
{
	string_is("plain / ' text", 14, "\"plain / ' text\"");
	string_is("\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	string_is("\0\1\x1b\x7f", 4, "\"\\u0000\\u0001\\u001b\\u007f\"");
	string_is("\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x8d", 9,
		  "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x8d\"");
}

/* Valid as they are, but a terminal would act, and JavaScript end a line. */
TEST(strings_that_act)
{
	string_is("\xc2\x9b\xe2\x80\xa8\xe2\x80\xae", 8, "\"\\u009b\\u2028\\u202e\"");
	string_is("\xf3\xa0\x81\x81", 4, "\"\\udb40\\udc41\"");
}

TEST(strings_that_are_no_utf8)
{
	string_is("a\xff"
		  "b",
		  3,
		  "\"a\xef\xbf\xbd"
		  "b\"");
	string_is("\xc3", 1, "\"\xef\xbf\xbd\"");
	string_is("\xc3\"", 2, "\"\xef\xbf\xbd\\\"\"");
	string_is("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(keys_are_escaped)
{
	_cleanup_(buf_done) struct buf out = {};
	struct json j = { .out = &out };

	json_object(&j, NULL);
	json_uint(&j, "a\"\n", 1);
	json_object_end(&j);
	CHECK_STR(out.data, "{\"a\\\"\\n\":1}");
}

/* Nothing is written after memory ran out, and the buffer tells. */
TEST(out_of_memory_sticks)
{
	struct buf out = { .err = -ENOMEM };
	struct json j = { .out = &out };

	json_object(&j, NULL);
	json_str(&j, "a", "b");
	json_object_end(&j);
	CHECK_EQ(out.err, -ENOMEM);
	CHECK_EQ(out.len, 0);
}
