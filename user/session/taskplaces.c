/* SPDX-License-Identifier: BSD-2-Clause */
/* EVENT_TASKS ─► helper: taskplace_read() ─► map task_places */
#include "session/taskplaces.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hmap.h"
#include "base/vec.h"
#include "session/procs.h"
#include "session/reader.h"

struct taskplaces {
	struct kern *kern;
	struct reader *reader;
	const struct procs *procs;
	struct hmap *known; /* struct proc_key: the processes that have an entry in the map */
};

struct taskplaces *taskplaces_new(struct kern *k, struct reader *r, const struct procs *procs)
{
	struct taskplaces *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct taskplaces){ k, r, procs, hmap_new(sizeof(struct proc_key), 0) };
	if (t->known)
		return t;
	free(t);
	return NULL;
}

void taskplaces_free(struct taskplaces *t)
{
	if (!t)
		return;
	hmap_free(t->known);
	free(t);
}

/* The programs have made the entry, and count there how long they wait before they ask again. */
static void put(struct taskplaces *t, const struct proc_key *proc, struct task_place *place)
{
	struct task_place known;

	if (kern_get_place(t->kern, proc, &known))
		return;
	place->asked = known.asked;
	place->wait_ms = known.wait_ms;
	kern_set_place(t->kern, proc, place);
}

int taskplaces_event(struct taskplaces *t, const struct wire_event *event)
{
	const struct procs_entry *e = procs_get(t->procs, &event->proc);
	struct taskplace_wanted w = { .pid = event->proc.tgid };
	struct task_place place;
	const struct py_layout *l;
	uint64_t code_type;

	if (!hmap_put(t->known, &event->proc, NULL))
		return -ENOMEM;
	if (!e || !e->interps.n || !e->interps.at[0].interps ||
	    !procs_layout(t->procs, &event->proc, e->interps.at[0].layout, &l, &code_type))
		return 0;
	w.interps = e->interps.at[0].interps;
	w.layout = *l;
	if (!reader_task_place(t->reader, &w, &place))
		put(t, &event->proc, &place);
	return 0;
}

void taskplaces_second(struct taskplaces *t)
{
	VEC(struct proc_key) gone = {};
	const struct proc_key *key;
	const void *at;
	size_t pos = 0;

	while (hmap_each(t->known, &pos, &at, NULL)) {
		struct proc_key proc = *(const struct proc_key *)at;

		if (!procs_get(t->procs, &proc) && vec_push(&gone, proc))
			break;
	}
	vec_each (&gone, key) {
		kern_del_place(t->kern, key);
		hmap_del(t->known, key);
	}
	vec_done(&gone);
}
