/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of /proc/PID/maps, in which the target chooses the paths. The input is a line. */
#include "fuzz.h"
#include "proc/maps.h"

static const char *const lines[] = {
	"7f2c4a600000-7f2c4a628000 r-xp 00028000 fe:01 1234567                    "
	"/usr/lib/libc.so.6",
	"00400000-00452000 r--p 00000000 08:02 173521                             "
	"/usr/bin/dbus-daemon",
	"7ffd1000-7ffd2000 rw-p 00000000 00:00 0                          [stack]\n",
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
	"7f00-7f01 rwxs 00000000 00:05 9 /memfd:a b (deleted)\n",
	"1-2 r--p 0 0:0 0\n",
	"1-ffffffffffffffff r--p ffffffffffffffff ffffffff:ffffffff 18446744073709551615 /\\012x\n",
};

static void set_up(void)
{
}

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct buf name = {}, line = {};

		buf_printf(&name, "line-%zu", i);
		buf_str(&line, lines[i]);
		seed_write(name.data, &line);
		buf_done(&name);
		buf_done(&line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1); /* exact size, for the sanitizer */
	struct mapping m = { .path = "untouched" };
	int err;

	MUST(line);
	if (size)
		memcpy(line, data, size);
	line[size] = '\0';
	err = maps_parse(line, &m);
	if (err) {
		MUST(!strcmp(m.path, "untouched"));
	} else {
		MUST(m.start < m.end);
		MUST(m.path >= line && m.path + strlen(m.path) <= line + size);
		MUST(!strchr(m.path, '\n') && m.path[0] != ' ');
	}
	free(line);
	return 0;
}
