/* SPDX-License-Identifier: BSD-2-Clause */
/* base/jsonwrite: commas and brackets in nested values, and strings of any bytes. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/jsonwrite.h"
#include "tap.h"

static void string_is(const char *text, size_t len, const char *want)
{
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	jsonwrite_strn(&j, NULL, text, len);
	CHECK_STR(out.data, want);
}

TEST(values)
{
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	jsonwrite_array(&j, NULL);
	jsonwrite_uint(&j, NULL, 0);
	jsonwrite_uint(&j, NULL, UINT64_MAX);
	jsonwrite_bool(&j, NULL, true);
	jsonwrite_bool(&j, NULL, false);
	jsonwrite_null(&j, NULL);
	jsonwrite_str(&j, NULL, "");
	jsonwrite_str(&j, NULL, NULL);
	jsonwrite_array_end(&j);
	CHECK_STR(out.data, "[0,18446744073709551615,true,false,null,\"\",null]");
}

TEST(nesting)
{
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	jsonwrite_object(&j, NULL);
	jsonwrite_array(&j, "empty");
	jsonwrite_array_end(&j);
	jsonwrite_object(&j, "also");
	jsonwrite_object_end(&j);
	jsonwrite_array(&j, "rows");
	for (int i = 0; i < 2; i++) {
		jsonwrite_object(&j, NULL);
		jsonwrite_uint(&j, "a", i);
		jsonwrite_str(&j, "b", "x");
		jsonwrite_object_end(&j);
	}
	jsonwrite_array(&j, NULL);
	jsonwrite_array_end(&j);
	jsonwrite_array_end(&j);
	jsonwrite_null(&j, "last");
	jsonwrite_object_end(&j);
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

/* Valid characters that act on a terminal or end a line in JavaScript. */
TEST(control_characters)
{
	string_is("\xc2\x9b\xe2\x80\xa8\xe2\x80\xae", 8, "\"\\u009b\\u2028\\u202e\"");
	string_is("\xf3\xa0\x81\x81", 4, "\"\\udb40\\udc41\"");
}

TEST(invalid_utf8)
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
	struct jsonwrite j = { .out = &out };

	jsonwrite_object(&j, NULL);
	jsonwrite_uint(&j, "a\"\n", 1);
	jsonwrite_object_end(&j);
	CHECK_STR(out.data, "{\"a\\\"\\n\":1}");
}

/* After memory ran out nothing is written, and the buffer reports the error. */
TEST(out_of_memory_persists)
{
	struct buf out = { .err = -ENOMEM };
	struct jsonwrite j = { .out = &out };

	jsonwrite_object(&j, NULL);
	jsonwrite_str(&j, "a", "b");
	jsonwrite_object_end(&j);
	CHECK_EQ(out.err, -ENOMEM);
	CHECK_EQ(out.len, 0);
}
