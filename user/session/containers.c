/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	directories, EVENT_MKDIR ─► id: path (cgroupfs.c) ─► place: container, pod, unit (cgroup.c)
 *	                                                        │
 *	sample ─► ids of its cgroups ────────────────────────── + ─► container of the profile
 *	                                                        │         `─ names (runtime.c)
 *	                                                        └─► filter in the kernel (chosen.c)
 *
 * krait learns of a cgroup when it is created, before anything runs in it, and keeps its path. So even a
 * process that ends before krait examines it has a container. An engine may know the name of a container
 * only later, so krait asks again while there is none.
 */
#include "session/containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "proc/cgroup.h"
#include "proc/cgroupfs.h"
#include "proc/engines.h"
#include "proc/runtime.h"
#include "session/reader.h"

_Static_assert((int)CGROUP_V2 == (int)CGROUPFS_V2 && (int)CGROUP_V1 == (int)CGROUPFS_V1, "views");

static const int64_t RESCAN_NS = 1000000000;
/* The pause before a name is asked for again; it doubles each time. */
static const int64_t ASK_NS = 250000000, ASK_MAX_NS = 60000000000;

/* A place where processes run; equal places share a container of the profile. */
struct place_key {
	uint32_t id, engine, pod, unit; /* numbers of strings */
};

/* What is known of a container by its id. */
struct known {
	struct runtime_names names;
	bool found;
	int64_t again, pause; /* CLOCK_MONOTONIC ns of the next request, and the pause after it */
};

/* The pair of cgroups that a task is in. */
struct pair {
	uint64_t id[CGROUP_VIEWS];
};

struct containers {
	struct cgroupfs *fs;
	struct engines *engines;
	struct profile *profile;
	struct reader *reader;
	struct strpool *texts;
	struct hmap *places; /* struct place_key -> uint32_t index in the profile */
	struct hmap *pairs;  /* struct pair -> uint32_t index in the profile */
	struct hmap *named;  /* uint32_t string number of an id -> struct known */
	const char *root;    /* root directory for the files of engines */
	int64_t scanned;     /* CLOCK_MONOTONIC ns */
	struct runtime_refused refused;
};

static const char *const controllers[] = {
#define CONTROLLER(symbol, name) name,
	WIRE_CONTROLLERS(CONTROLLER)
#undef CONTROLLER
};

struct containers *containers_new(struct profile *profile, struct reader *reader)
{
	struct containers *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->profile = profile;
	c->reader = reader;
	c->fs = cgroupfs_new(controllers, CONTROLLERS);
	c->root = c->fs ? cgroupfs_root(c->fs) : "";
	c->engines = engines_new(c->root);
	c->texts = strpool_new();
	c->places = hmap_new(sizeof(struct place_key), sizeof(uint32_t));
	c->pairs = hmap_new(sizeof(struct pair), sizeof(uint32_t));
	c->named = hmap_new(sizeof(uint32_t), sizeof(struct known));
	if (!c->fs || !c->engines || !c->texts || !c->places || !c->pairs || !c->named) {
		containers_free(c);
		return NULL;
	}
	return c;
}

void containers_free(struct containers *c)
{
	if (!c)
		return;
	cgroupfs_free(c->fs);
	engines_free(c->engines);
	strpool_free(c->texts);
	hmap_free(c->places);
	hmap_free(c->pairs);
	hmap_free(c->named);
	free(c);
}

void containers_configure(const struct containers *c, struct wire_config *ret)
{
	for (int view = 0; view < CGROUP_VIEWS; view++) {
		const struct cgroupfs_hierarchy *h = cgroupfs_hierarchy(c->fs, view);

		if (!h->there)
			continue;
		ret->cgroup_views |= 1 << view;
		ret->cgroup_hierarchy[view] = h->number;
		if (view == CGROUP_V1)
			ret->cgroup_controller = h->controller;
	}
}

/* --- names ------------------------------------------------------------------------------------ */

static uint32_t text(struct containers *c, const char *s)
{
	return strpool_add(c->texts, s, strlen(s));
}

/* What is known of container @id; asks for its name if that is missing. NULL: out of memory. */
static const struct known *names_of(struct containers *c, const char *id)
{
	uint32_t key = text(c, id);
	struct known *k = key == UINT32_MAX ? NULL : hmap_put(c->named, &key, NULL);

	if (k && !k->found && clock_ns() >= k->again) {
		k->found = reader_names(c->reader, c->root, id, &k->names, &c->refused) &&
			   *k->names.name;
		k->pause = k->pause ? (k->pause < ASK_MAX_NS ? 2 * k->pause : k->pause) : ASK_NS;
		k->again = clock_ns() + k->pause;
		/* The files of podman and containerd have no labels. */
		if (!k->found || !*k->names.labels)
			engines_ask(c->engines);
	}
	return k;
}

/* An engine's answer completes what its files say. */
static void take_names(void *ctx, const char *id, const struct runtime_names *names)
{
	struct containers *c = ctx;
	uint32_t key = text(c, id);
	struct known *k = key == UINT32_MAX ? NULL : hmap_get(c->named, &key);

	if (k && !*k->names.labels)
		memcpy(k->names.labels, names->labels, sizeof(names->labels));
	if (!k || k->found || !*names->name)
		return;
	k->names = *names;
	k->found = true;
}

void containers_turn(struct containers *c)
{
	engines_step(c->engines, &c->refused, take_names, c);
}

/* Fills in the profile's container for a place. With LXC and nspawn, the id is the name. */
static int describe(struct containers *c, const struct cgroup_place *place, struct container *ret)
{
	static const struct known nothing;
	const struct known *k = *place->id ? names_of(c, place->id) : &nothing;

	if (!k)
		return -ENOMEM;
	*ret = (struct container){
		.id = place->id,
		.name = k->names.name,
		.engine = place->engine,
		.image = k->names.image,
		.pod = k->names.pod,
		.ns = k->names.ns,
		.pod_uid = place->pod,
		.unit = place->unit,
		.labels = k->names.labels,
	};
	return 0;
}

static uint32_t intern(struct containers *c, const struct cgroup_place *place)
{
	const struct place_key key = { text(c, place->id), text(c, place->engine ?: ""),
				       text(c, place->pod), text(c, place->unit) };
	struct container container;
	bool fresh;
	uint32_t *index = hmap_put(c->places, &key, &fresh);

	if (index && fresh)
		*index = describe(c, place, &container)
				 ? PROFILE_NONE
				 : profile_add_container(c->profile, &container);
	return index ? *index : PROFILE_NONE;
}

/* Updates the containers of the profile that have a name now. */
static int rename_containers(struct containers *c)
{
	uint32_t n = profile_containers(c->profile);
	int err = 0;

	for (uint32_t i = 1; i < n && !err; i++) {
		struct container now = *profile_container(c->profile, i);
		const struct known *k;

		if (!*now.id || (*now.name && *now.labels))
			continue;
		k = names_of(c, now.id);
		if (!k)
			return -ENOMEM;
		now.name = k->names.name;
		now.image = k->names.image;
		now.pod = k->names.pod;
		now.ns = k->names.ns;
		now.labels = k->names.labels;
		err = profile_set_container(c->profile, i, &now);
	}
	return err;
}

int containers_settle(struct containers *c, int ms)
{
	int64_t end = clock_ns() + ms * 1000000LL, left = ms;

	while (left > 0 && engines_wait(c->engines, left)) {
		containers_turn(c);
		left = (end - clock_ns()) / 1000000;
	}
	return rename_containers(c);
}

/* --- where a process is ----------------------------------------------------------------------- */

static int rescan(struct containers *c)
{
	int64_t now = clock_ns();

	if (c->scanned && now - c->scanned < RESCAN_NS)
		return 0;
	c->scanned = now;
	return cgroupfs_scan(c->fs);
}

/* From the first hierarchy with a container, else with a unit. False: the path of one cgroup is unknown. */
static bool find_place(const struct containers *c, const struct pair *pair,
		       struct cgroup_place *ret)
{
	bool all = true, any = false;

	memset(ret, 0, sizeof(*ret));
	for (int view = 0; view < CGROUP_VIEWS && !ret->engine; view++) {
		const char *path = pair->id[view] ? cgroupfs_path(c->fs, view, pair->id[view]) : "";
		struct cgroup_place place;

		if (!path) {
			all = false;
			continue;
		}
		any |= pair->id[view] != 0;
		cgroup_place(path, &place);
		if (place.engine || (*place.unit && !*ret->unit))
			*ret = place;
	}
	return ret->engine || (all && any);
}

uint32_t containers_of(struct containers *c, const __u64 cgroup[CGROUP_VIEWS], pid_t pid)
{
	const struct pair pair = { { cgroup[CGROUP_V2], cgroup[CGROUP_V1] } };
	const uint32_t *seen = hmap_get(c->pairs, &pair);
	struct cgroup_place place;
	uint32_t index, *slot;
	bool found;

	if (seen)
		return *seen;
	found = find_place(c, &pair, &place);
	if (!found && rescan(c))
		return PROFILE_NONE;
	if (!found)
		found = find_place(c, &pair, &place);
	index = found ? intern(c, &place) : containers_of_process(c, pid);
	slot = found && index != PROFILE_NONE ? hmap_put(c->pairs, &pair, NULL) : NULL;
	if (slot)
		*slot = index;
	return found && !slot ? PROFILE_NONE : index;
}

uint32_t containers_of_process(struct containers *c, pid_t pid)
{
	struct cgroup_place place;

	return cgroup_of(pid, &place) ? 0 : intern(c, &place);
}

/* --- new cgroups ------------------------------------------------------------------------------ */

int containers_made(struct containers *c, const struct wire_cgroup *made)
{
	struct cgroup_place place;
	int err;

	if (made->len >= WIRE_CGROUP_PATH)
		return cgroupfs_scan(c->fs); /* the path was truncated: read the directories */
	err = cgroupfs_add(c->fs, made->view, made->id, made->path);
	if (err)
		return err;
	/* Ask for the name now: the engine may forget the container when it ends. */
	cgroup_place(made->path, &place);
	return !*place.id || names_of(c, place.id) ? 0 : -ENOMEM;
}

int containers_second(struct containers *c, bool lost)
{
	int err = lost ? cgroupfs_scan(c->fs) : 0;

	return err ? err : rename_containers(c);
}

int containers_open(struct containers *c)
{
	c->scanned = clock_ns();
	return cgroupfs_scan(c->fs);
}

struct cgroupfs *containers_cgroups(const struct containers *c)
{
	return c->fs;
}

const char *containers_controller(const struct containers *c)
{
	return controllers[cgroupfs_hierarchy(c->fs, CGROUPFS_V1)->controller];
}

const struct runtime_names *containers_names(struct containers *c, const char *id)
{
	const struct known *k = names_of(c, id);

	return k ? &k->names : NULL;
}

const struct runtime_refused *containers_refused(const struct containers *c)
{
	return &c->refused;
}
