/* SPDX-License-Identifier: BSD-2-Clause */
/* The only state is whether the next value needs a comma: an opening clears it, a value or an end sets it. */
#include "base/jsonwrite.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"

/* Characters with a one-letter escape. */
static const char escapes[128] = {
	['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
	['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
};

/* A character above U+FFFF is escaped as a surrogate pair. */
static void escape(struct buf *out, uint32_t c)
{
	if (c < sizeof(escapes) && escapes[c])
		buf_printf(out, "\\%c", escapes[c]);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04" PRIx32, c);
	else
		buf_printf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd7c0 + (c >> 10),
			   0xdc00 + (c & 0x3ff));
}

static void quote(struct buf *out, const char *s, size_t len)
{
	uint32_t c;
	size_t n;

	buf_char(out, '"');
	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = utf8_next(s + i, len - i, &c);
		if (!n)
			buf_str(out, "\xef\xbf\xbd");
		else if (utf8_is_control(c) || (c < sizeof(escapes) && escapes[c]))
			escape(out, c);
		else
			buf_add(out, s + i, n);
	}
	buf_char(out, '"');
}

static void begin(struct jsonwrite *j, const char *key)
{
	if (j->comma)
		buf_char(j->out, ',');
	j->comma = true;
	if (!key)
		return;
	quote(j->out, key, strlen(key));
	buf_char(j->out, ':');
}

static void open(struct jsonwrite *j, const char *key, char bracket)
{
	begin(j, key);
	buf_char(j->out, bracket);
	j->comma = false;
}

static void end(struct jsonwrite *j, char bracket)
{
	buf_char(j->out, bracket);
	j->comma = true;
}

void jsonwrite_object(struct jsonwrite *j, const char *key)
{
	open(j, key, '{');
}

void jsonwrite_object_end(struct jsonwrite *j)
{
	end(j, '}');
}

void jsonwrite_array(struct jsonwrite *j, const char *key)
{
	open(j, key, '[');
}

void jsonwrite_array_end(struct jsonwrite *j)
{
	end(j, ']');
}

void jsonwrite_strn(struct jsonwrite *j, const char *key, const char *s, size_t len)
{
	begin(j, key);
	quote(j->out, s, len);
}

void jsonwrite_str(struct jsonwrite *j, const char *key, const char *s)
{
	if (s)
		jsonwrite_strn(j, key, s, strlen(s));
	else
		jsonwrite_null(j, key);
}

void jsonwrite_uint(struct jsonwrite *j, const char *key, uint64_t v)
{
	begin(j, key);
	buf_printf(j->out, "%" PRIu64, v);
}

void jsonwrite_real(struct jsonwrite *j, const char *key, double v)
{
	begin(j, key);
	if (isfinite(v))
		buf_printf(j->out, "%.16g", v);
	else
		buf_str(j->out, "null");
}

void jsonwrite_bool(struct jsonwrite *j, const char *key, bool v)
{
	begin(j, key);
	buf_str(j->out, v ? "true" : "false");
}

void jsonwrite_null(struct jsonwrite *j, const char *key)
{
	begin(j, key);
	buf_str(j->out, "null");
}
