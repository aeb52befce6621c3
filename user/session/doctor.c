/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	facts ─► programs, one by one ─► a whole session, opened and closed ─► checks
 *
 * The session has the options of a plain `krait record`. Whether recording works is tried, not concluded from
 * the facts; those only explain why it does not.
 */
#include "session/doctor.h"

#include <string.h>

#include "base/cleanup.h"
#include "load/kern.h"
#include "load/probe.h"
#include "proc/procfs.h"
#include "session/session.h"

static const char *const programs[TRIAL_PROGRAMS] = {
	[TRIAL_SAMPLE] = "sample", [TRIAL_BOUNDED] = "sample_bounded", [TRIAL_FORK] = "on_fork",
	[TRIAL_EXEC] = "on_exec",  [TRIAL_EXIT] = "on_exit",           [TRIAL_LIST] = "list_tasks",
};

/* Only with privileges and BTF: without them every program fails for the same reason. */
static void try_programs(struct trial *t)
{
	struct features features;

	if (features_probe(&features, NULL))
		return;
	t->loaded = true;
	t->visit_one = features.modern && features.visit_one;
	t->visit_all = features.modern && features.visit_all;
	for (int i = 0; i < TRIAL_PROGRAMS; i++)
		t->program[i] = kern_try(programs[i]);
}

static void count_processes(struct trial *t, const struct procs *p)
{
	size_t n;
	const struct reason *r = procs_reasons(p, &n);

	t->python = procs_python(p);
	for (size_t i = 0; i < n; i++) {
		if (!r[i].refused)
			continue;
		t->refused += r[i].count;
		t->refused_example = r[i].example;
	}
}

static void session_freep(struct session **s)
{
	session_free(*s);
}

static void try_session(struct trial *t)
{
	static const struct session_opts plain = {
		.hz = 99,
		.limits = { .max_depth = 4096, .max_procs = 32768 },
	};
	_cleanup_(session_freep) struct session *s = session_new(&plain, &t->err);

	t->ran = true;
	if (s)
		count_processes(t, session_procs(s));
}

void doctor_examine(struct doctor *ret)
{
	static const struct trial not_tried;
	struct host root;

	memset(ret, 0, sizeof(*ret));
	if (procfs_exe(getpid(), ret->self, sizeof(ret->self)))
		strcpy(ret->self, "krait");
	host_read(&ret->host);
	try_programs(&ret->trial);
	try_session(&ret->trial);
	checks_judge(&ret->host, &ret->trial, &ret->found);
	ret->privileged =
		!ret->host.caps.err && ret->host.caps.effective == ret->host.caps.bounding;
	root = checks_as_root(&ret->host);
	checks_judge(&root, &not_tried, &ret->root);
}
