/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files are compared by the end of their paths, functions by their names without the class that 3.11 and later
 * prefix.
 */
#include "sym/parked.h"

#include <string.h>

static const struct {
	const char *file, *function;
} places[] = {
	{ "/threading.py", "wait" },
	{ "/threading.py", "_wait_for_tstate_lock" },
	{ "/threading.py", "join" }, /* 3.13+ */
	{ "/threading.py", "_join_os_thread" },
	{ "/queue.py", "get" },
	{ "/selectors.py", "select" },
	{ "/socket.py", "accept" },
	{ "/ssl.py", "accept" },
	{ "/concurrent/futures/thread.py", "_worker" },
	{ "/concurrent/futures/process.py", "wait_result_broken_or_wakeup" },
	{ "/multiprocessing/connection.py", "_recv" },
	{ "/multiprocessing/connection.py", "wait" },
	{ "/multiprocessing/queues.py", "get" },
	{ "/multiprocessing/queues.py", "_feed" },
	{ "/multiprocessing/popen_fork.py", "poll" },
	{ "/subprocess.py", "_try_wait" },
	{ "/subprocess.py", "_wait" },
};

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcmp(s + len - n, end);
}

bool parked_in(const struct frame *leaf)
{
	const char *dot = leaf->name ? strrchr(leaf->name, '.') : NULL;
	const char *function = dot ? dot + 1 : leaf->name;

	if (!function || !leaf->file)
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(function, places[i].function) && ends_with(leaf->file, places[i].file))
			return true;
	return false;
}
