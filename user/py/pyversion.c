/* SPDX-License-Identifier: BSD-2-Clause */
#include "py/pyversion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "py/decode.h"

uint32_t pyversion_parse(const char *s)
{
	unsigned int major, minor, micro;
	int end = 0;

	if (sscanf(s, "%1u.%2u.%2u%n", &major, &minor, &micro, &end) != 3 || !end)
		return 0;
	if (major < 2 || major > 3 || (s[end] && !strchr("abr+", s[end])))
		return 0;
	return major << 24 | minor << 16 | micro << 8 |
	       (s[end] == 0 || s[end] == '+' ? 0xf0 : 0xa0);
}

uint32_t pyversion_of_function(struct elf_file *e, const struct elf_sym *fn)
{
	uint64_t target[DECODE_ADDRESSES];
	uint8_t code[256];
	size_t len = fn->size && fn->size < sizeof(code) ? fn->size : sizeof(code), n;
	uint32_t hex = 0;

	if (!fn->value || elf_read(e, fn->value, code, len))
		return 0;
	n = decode_addresses(elf_machine(e), code, len, fn->value, target);
	for (size_t i = 0; i < n && !hex; i++) {
		char text[16] = "";

		if (!elf_read(e, target[i], text, sizeof(text) - 1))
			hex = pyversion_parse(text);
	}
	return hex;
}

enum { TEXT_MAX = 16 }; /* bytes of a version's text */

/* The version of the text at @s, which follows the byte @before. 0: none, or of another program. */
static uint32_t text_at(char before, const char *s)
{
	uint32_t hex, minor;

	if (s[0] != '3' || s[1] != '.' || isdigit((unsigned char)before) || before == '.' ||
	    !memchr(s, 0, TEXT_MAX))
		return 0;
	hex = pyversion_parse(s);
	minor = (hex >> 16) & 0xff;
	return minor >= 10 && minor <= 12 ? hex : 0;
}

uint32_t pyversion_search(struct elf_file *e)
{
	enum { BLOCK = 4096, MOST = 32 << 20 };
	char block[1 + BLOCK + TEXT_MAX]; /* first, the last byte of the block before */
	struct elf_sym section;
	uint32_t found = 0, hex;
	char before = 0;
	size_t len;

	if (!elf_section(e, ".rodata", &section) || section.size > MOST)
		return 0;
	for (uint64_t at = 0; at < section.size; at += BLOCK) {
		memset(block, 0, sizeof(block));
		block[0] = before;
		len = section.size - at;
		if (len > BLOCK + TEXT_MAX)
			len = BLOCK + TEXT_MAX;
		if (elf_read(e, section.value + at, block + 1, len))
			return 0;
		for (size_t i = 1; i <= BLOCK; i++) {
			hex = text_at(block[i - 1], block + i);
			if (hex && found && hex != found)
				return 0;
			found = hex ?: found;
		}
		before = block[BLOCK];
	}
	return found;
}
