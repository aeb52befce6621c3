/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chosen.c gives the cgroups. A process is in one of them if that is its cgroup, or one above its cgroup, in the
 * hierarchy of either version.
 */
#include "session/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "proc/cgroup.h"
#include "proc/cgroupfs.h"

struct cgroup {
	enum cgroupfs_view view;
	const char *path; /* belongs to the cgroupfs */
};

struct places {
	bool all;
	struct containers *containers;
	struct chosen *chosen;
	VEC(struct cgroup) cgroups;
};

static int add(void *ctx, const struct cgroup_key *key)
{
	struct places *p = ctx;
	struct cgroup c = { .view = key->view };

	c.path = cgroupfs_path(containers_cgroups(p->containers), key->view, key->id);
	return c.path ? vec_push(&p->cgroups, c) : 0;
}

static int open_chosen(struct places *p, const struct chosen_opts *opts, struct err *err)
{
	int code = containers_open(p->containers);

	p->chosen = chosen_new(opts, p->containers, add, p);
	if (!p->chosen)
		return -ENOMEM;
	return code ? code : chosen_open(p->chosen, err);
}

struct places *places_new(const struct chosen_opts *opts, struct containers *containers,
			  struct err *err)
{
	struct places *p = calloc(1, sizeof(*p));
	int code = p ? 0 : -ENOMEM;

	if (p) {
		p->containers = containers;
		p->all = !(opts->ncontainers || opts->npods || opts->nunits || opts->ncgroups);
		if (!p->all)
			code = open_chosen(p, opts, err);
	}
	if (!code)
		return p;
	if (!err->code)
		err_set(err, code, "cgroups: %s", strerror(-code));
	places_free(p);
	return NULL;
}

void places_free(struct places *p)
{
	if (!p)
		return;
	chosen_free(p->chosen);
	vec_done(&p->cgroups);
	free(p);
}

static bool has_path(const struct places *p, enum cgroupfs_view view, const char *path)
{
	const struct cgroup *c;

	vec_each (&p->cgroups, c) {
		size_t len = strcmp(c->path, "/") ? strlen(c->path) : 0;

		if (c->view == view && !strncmp(path, c->path, len) &&
		    (path[len] == '/' || !path[len]))
			return true;
	}
	return false;
}

static bool has_line(const struct places *p, char *line)
{
	const char *controllers, *path = cgroup_line(line, &controllers);

	if (!path)
		return false;
	if (!*controllers)
		return has_path(p, CGROUPFS_V2, path);
	return cgroupfs_has_controller(controllers, containers_controller(p->containers)) &&
	       has_path(p, CGROUPFS_V1, path);
}

bool places_have(const struct places *p, pid_t pid)
{
	_fclose_ FILE *f = NULL;
	_free_ char *line = NULL;
	char file[32];
	size_t size = 0;

	if (p->all)
		return true;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	f = fopen(file, "re");
	while (f && getline(&line, &size, f) >= 0)
		if (has_line(p, line))
			return true;
	return false;
}
