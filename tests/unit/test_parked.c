/* SPDX-License-Identifier: BSD-2-Clause */
/* sym/parked: leaf frames in which a thread waits for work. */
#include "sym/parked.h"

#include <stddef.h>

#include "tap.h"

static bool parked(const char *name, const char *file)
{
	const struct frame leaf = { .name = name, .file = file, .line = 1 };

	return parked_in(&leaf);
}

TEST(places_in_the_standard_library)
{
	CHECK(parked("wait", "/usr/lib/python3.9/threading.py"));
	CHECK(parked("Condition.wait", "/usr/lib/python3.11/threading.py"));
	CHECK(parked("EpollSelector.select", "/usr/lib/python3.11/selectors.py"));
	CHECK(parked("_worker", "/opt/lib/python3.8/concurrent/futures/thread.py"));
}

TEST(other_functions)
{
	CHECK(!parked("wait", "/srv/app/waiting.py"));
	CHECK(!parked("wait", "threading.py"));
	CHECK(!parked("wait", "/srv/mythreading.py"));
	CHECK(!parked("run", "/usr/lib/python3.9/threading.py"));
	CHECK(!parked("wait", NULL));
	CHECK(!parked(NULL, "/usr/lib/python3.9/threading.py"));
	CHECK(!parked("", "/usr/lib/python3.9/threading.py"));
}
