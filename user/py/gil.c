/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	3.6          _PyThreadState_Current: the state that holds the GIL; the GIL itself has no known address
 *	3.7 to 3.11  _PyRuntime has one GIL
 *	3.12+        each interpreter points to its GIL; several may share one
 *
 * last_holder stays set after a release, so it counts only while locked is 1.
 */
#include "py/gil.h"

#include <stdbool.h>

#include "proc/rmem.h"

static uint64_t word(const struct gil_wanted *w, uint64_t addr)
{
	uint64_t v;

	return addr && !rmem_read(w->pid, addr, &v, sizeof(v)) ? v : 0;
}

static void add(const struct gil_wanted *w, uint64_t gil, uint64_t holder, struct gil_now *ret)
{
	*ret = (struct gil_now){ .gil = gil, .holder = holder };
	if (holder)
		ret->self = word(w, holder + w->layout.ts_thread_id);
}

/* Reads one GIL. False: it cannot be read, or has no such form. */
static bool read_gil(const struct gil_wanted *w, uint64_t gil, struct gil_now *ret)
{
	struct {
		uint64_t interval, last_holder;
		int32_t locked, pad;
	} g;

	if (!gil || rmem_read(w->pid, gil, &g, sizeof(g)))
		return false;
	add(w, gil, g.locked == 1 ? g.last_holder : 0, ret);
	return true;
}

static size_t read_interps(const struct gil_wanted *w, struct gil_now ret[GIL_MAX])
{
	enum { INTERPS = 256 };
	const struct py_layout *l = &w->layout;
	uint64_t interp = word(w, w->info.interps);
	size_t n = 0;

	for (int i = 0; i < INTERPS && interp && n < GIL_MAX; i++) {
		uint64_t gil = word(w, interp + l->in_gil);
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= ret[k].gil == gil;
		if (!known && read_gil(w, gil, &ret[n]))
			n++;
		interp = word(w, interp + l->in_next);
	}
	return n;
}

size_t gil_read(const struct gil_wanted *w, struct gil_now ret[GIL_MAX])
{
	const struct py_layout *l = &w->layout;

	if (l->flavour & PY_FREE_THREADED)
		return 0;
	if (l->in_gil)
		return read_interps(w, ret);
	if (!w->info.current)
		return 0;
	if (l->gil_before)
		return read_gil(w, w->info.current - l->gil_before, ret);
	add(w, 0, word(w, w->info.current), ret);
	return 1;
}
