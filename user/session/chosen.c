/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	--container web ─► one container, by its name or whole id ─┐
 *	--pod, --unit, --cgroup ───────────────────────────────────┼─► each cgroup, present or new ─► filter
 *	                                       names, paths ───────┘
 *
 * Words are resolved once, at the start. From then on every new cgroup is compared with them before anything runs
 * in it. A cgroup whose container has no name yet is compared again every second.
 */
#include "session/chosen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "proc/cgroup.h"
#include "proc/cgroupfs.h"
#include "proc/runtime.h"

enum {
	SHORT_ID = 12,
	MIN_PREFIX = 4, /* digits required of an id */
};

struct chosen {
	struct chosen_opts opts;
	struct containers *containers;
	chosen_add *add;
	void *ctx;
	VEC(struct cgroupfs_key) undecided; /* may match once their container has a name */
	VEC(char *) resolved; /* for each of opts->containers the full id; NULL: it is a name */
	VEC(char *) cgroups;  /* opts->cgroups as paths within their hierarchy */
};

struct chosen *chosen_new(const struct chosen_opts *opts, struct containers *containers,
			  chosen_add *add, void *ctx)
{
	struct chosen *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->opts = *opts;
	c->containers = containers;
	c->add = add;
	c->ctx = ctx;
	return c;
}

void chosen_free(struct chosen *c)
{
	char **text;

	if (!c)
		return;
	vec_each (&c->resolved, text)
		free(*text);
	vec_each (&c->cgroups, text)
		free(*text);
	vec_done(&c->resolved);
	vec_done(&c->cgroups);
	vec_done(&c->undecided);
	free(c);
}

/* --- matching -------------------------------------------------------------------------- */

/* A cgroup with everything known about it. */
struct candidate {
	struct cgroupfs_key key;
	const char *path;
	struct cgroup_place place;
	const struct runtime_names *names;
};

/* 0 or -ENOMEM. */
static int look_at(struct chosen *c, const struct cgroupfs_key *key, const char *path,
		   struct candidate *ret)
{
	static const struct runtime_names none;

	*ret = (struct candidate){ .key = *key, .path = path, .names = &none };
	cgroup_place(path, &ret->place);
	if (!*ret->place.id || (!c->opts.ncontainers && !c->opts.npods))
		return 0;
	ret->names = containers_names(c->containers, ret->place.id);
	return ret->names ? 0 : -ENOMEM;
}

static const char *name_of(const struct candidate *it)
{
	return *it->names->name ? it->names->name : it->place.id;
}

static bool is_container(const struct chosen *c, size_t i, const struct candidate *it)
{
	const char *id = i < c->resolved.len ? c->resolved.at[i] : NULL;

	if (!it->place.engine)
		return false;
	return !strcmp(id ?: c->opts.containers[i], id ? it->place.id : name_of(it));
}

static bool begins_with(const struct candidate *it, const char *prefix)
{
	size_t len = strlen(prefix);

	return it->place.engine && len >= MIN_PREFIX && !strncmp(it->place.id, prefix, len);
}

static bool is_pod(const char *chosen, const struct candidate *it)
{
	size_t ns = strlen(it->names->ns);

	return *it->names->pod && !strncmp(chosen, it->names->ns, ns) && chosen[ns] == '/' &&
	       !strcmp(chosen + ns + 1, it->names->pod);
}

static const char *last_component(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/* "nginx" means nginx.service, as with systemctl. */
static bool is_unit(const char *chosen, const struct candidate *it)
{
	const char *name = last_component(it->path);
	size_t len = strlen(chosen);

	return !strncmp(name, chosen, len) &&
	       (!name[len] || (!strchr(chosen, '.') && !strcmp(name + len, ".service")));
}

static bool is_chosen(const struct chosen *c, const struct candidate *it)
{
	const struct chosen_opts *opts = &c->opts;

	for (size_t i = 0; i < opts->ncontainers; i++)
		if (is_container(c, i, it))
			return true;
	for (size_t i = 0; i < opts->npods; i++)
		if (is_pod(opts->pods[i], it))
			return true;
	for (size_t i = 0; i < opts->nunits; i++)
		if (is_unit(opts->units[i], it))
			return true;
	for (size_t i = 0; i < c->cgroups.len; i++)
		if (!strcmp(it->path, c->cgroups.at[i]))
			return true;
	return false;
}

/* Could it match once its container's name is known? */
static bool is_open(const struct chosen *c, const struct candidate *it)
{
	return it->place.engine && !*it->names->name && (c->opts.ncontainers || c->opts.npods);
}

/* A cgroup inside a container belongs to the same container as its parent. */
static bool is_inner(const struct candidate *it)
{
	_free_ char *parent = strndup(it->path, last_component(it->path) - it->path);
	struct cgroup_place above;

	if (!parent || !it->place.engine)
		return false;
	cgroup_place(parent, &above);
	return !strcmp(above.id, it->place.id);
}

static int consider(struct chosen *c, const struct cgroupfs_key *key, const char *path)
{
	struct candidate it;
	int err = look_at(c, key, path, &it);

	if (err || is_inner(&it))
		return err;
	if (is_chosen(c, &it))
		return c->add(c->ctx, &(struct cgroup_key){ key->id, key->view, 0 });
	return is_open(c, &it) ? vec_push(&c->undecided, *key) : 0;
}

static bool any_chosen(const struct chosen *c)
{
	const struct chosen_opts *opts = &c->opts;

	return opts->ncontainers || opts->npods || opts->nunits || opts->ncgroups;
}

static int consider_all(struct chosen *c)
{
	struct cgroupfs_key key;
	const char *path;
	size_t pos = 0;
	int err = 0;

	c->undecided.len = 0;
	while (any_chosen(c) && !err &&
	       cgroupfs_each(containers_cgroups(c->containers), &pos, &key, &path))
		err = consider(c, &key, path);
	return err;
}

/* --- new cgroups ------------------------------------------------------------------------------ */

int chosen_made(struct chosen *c, const struct wire_cgroup *made)
{
	const struct cgroupfs_key key = { .id = made->id, .view = made->view };
	const char *path = cgroupfs_path(containers_cgroups(c->containers), key.view, key.id);

	return path && any_chosen(c) ? consider(c, &key, path) : 0;
}

int chosen_second(struct chosen *c, bool lost)
{
	__typeof__(c->undecided) again;
	struct cgroupfs_key *key;
	int err = 0;

	if (lost)
		return consider_all(c);
	memcpy(&again, &c->undecided, sizeof(again));
	memset(&c->undecided, 0, sizeof(c->undecided));
	vec_each (&again, key)
		if (!err)
			err = consider(c, key,
				       cgroupfs_path(containers_cgroups(c->containers), key->view,
						     key->id));
	vec_done(&again);
	return err;
}

/* --- resolving the user's words --------------------------------------------------------------- */

/* A list of words without duplicates, in the order in which they were added. */
struct words {
	VEC(char *) at;
};

static void words_done(struct words *w)
{
	char **it;

	vec_each (&w->at, it)
		free(*it);
	vec_done(&w->at);
}

/* Takes ownership of @word; NULL returns -ENOMEM. */
static int words_add(struct words *w, char *word)
{
	char **it;

	if (!word)
		return -ENOMEM;
	vec_each (&w->at, it) {
		if (!strcmp(*it, word)) {
			free(word);
			return 0;
		}
	}
	return vec_push(&w->at, word);
}

/* "web (5f0c3a1be2d4), db (...)", as many as fit into a message. */
static void say_words(const struct words *w, struct buf *out)
{
	enum { ROOM = 300 };

	for (size_t i = 0; i < w->at.len; i++) {
		if (out->len + strlen(w->at.at[i]) > ROOM) {
			buf_printf(out, " and %zu more", w->at.len - i);
			return;
		}
		buf_str(out, i ? ", " : "");
		buf_str(out, w->at.at[i]);
	}
	if (!w->at.len)
		buf_str(out, "none");
}

static char *show_container(const struct candidate *it)
{
	char *s;
	int n = *it->names->name
			? asprintf(&s, "%s (%.*s)", it->names->name, SHORT_ID, it->place.id)
			: asprintf(&s, "%.*s", SHORT_ID, it->place.id);

	return n < 0 ? NULL : s;
}

static char *show_pod(const struct candidate *it)
{
	char *s;

	return asprintf(&s, "%s/%s", it->names->ns, it->names->pod) < 0 ? NULL : s;
}

/* How the words of one option are compared with what runs. */
struct question {
	const char *option;
	/* Is it of this kind, and how does a message show it? */
	bool (*is)(const struct candidate *it);
	char *(*show)(const struct candidate *it);
};

static bool has_container(const struct candidate *it)
{
	return it->place.engine;
}

static bool has_pod(const struct candidate *it)
{
	return *it->names->pod;
}

static bool has_unit(const struct candidate *it)
{
	return *it->place.unit && !strcmp(it->place.unit, last_component(it->path));
}

static char *show_unit(const struct candidate *it)
{
	return strdup(it->place.unit);
}

static const struct question ask_container = { "container", has_container, show_container };
static const struct question ask_pod = { "pod", has_pod, show_pod };
static const struct question ask_unit = { "unit", has_unit, show_unit };

typedef bool match_fn(const struct chosen *c, size_t i, const struct candidate *it);

/* Collects all that match: as words for a message, and their full ids. */
static int collect(struct chosen *c, const struct question *q, match_fn *match, size_t i,
		   struct words *ret_words, struct words *ret_ids)
{
	struct cgroupfs_key key;
	struct candidate it;
	const char *path;
	size_t pos = 0;
	int err = 0;

	while (!err && cgroupfs_each(containers_cgroups(c->containers), &pos, &key, &path)) {
		err = look_at(c, &key, path, &it);
		if (err || !q->is(&it) || (match && !match(c, i, &it)))
			continue;
		err = words_add(ret_words, q->show(&it));
		if (!err)
			err = words_add(ret_ids, strdup(it.place.id));
	}
	return err;
}

static int not_there(struct chosen *c, const struct question *q, const char *word, struct err *err)
{
	_cleanup_(words_done) struct words words = {}, ids = {};
	_cleanup_(buf_done) struct buf list = {};
	int code = collect(c, q, NULL, 0, &words, &ids);

	if (code)
		return code;
	say_words(&words, &list);
	return err_set(err, -ESRCH, "--%s: '%s': not found; running: %s", q->option, word,
		       list.data ?: "");
}

static bool by_prefix(const struct chosen *c, size_t i, const struct candidate *it)
{
	return begins_with(it, c->opts.containers[i]);
}

/* An exact name takes precedence over prefixes of ids. */
static int resolve_container(struct chosen *c, size_t i, struct err *err)
{
	_cleanup_(words_done) struct words words = {}, ids = {};
	_cleanup_(buf_done) struct buf list = {};
	const char *word = c->opts.containers[i];
	char *id = NULL;
	int code = collect(c, &ask_container, is_container, i, &words, &ids);
	bool by_name = ids.at.len;

	if (!code && !by_name)
		code = collect(c, &ask_container, by_prefix, i, &words, &ids);
	if (code)
		return code;
	if (!ids.at.len)
		return not_there(c, &ask_container, word, err);
	if (ids.at.len > 1) {
		say_words(&words, &list);
		return err_set(err, -EINVAL, "--container: '%s': ambiguous: %s; use more of the ID",
			       word, list.data ?: "");
	}
	if (!by_name) {
		id = strdup(ids.at.at[0]);
		if (!id)
			return -ENOMEM;
	}
	return vec_push(&c->resolved, id);
}

static bool by_pod(const struct chosen *c, size_t i, const struct candidate *it)
{
	return is_pod(c->opts.pods[i], it);
}

/* No process has a slice as its unit, but users may choose one. */
static bool by_unit(const struct chosen *c, size_t i, const struct candidate *it)
{
	return is_unit(c->opts.units[i], it);
}

static bool anything(const struct candidate *it)
{
	return true;
}

static int resolve(struct chosen *c, const struct question *q, match_fn *match, size_t i,
		   const char *word, struct err *err)
{
	const struct question all = { q->option, anything, show_unit };
	_cleanup_(words_done) struct words words = {}, ids = {};
	int code = collect(c, &all, match, i, &words, &ids);

	return code || words.at.len ? code : not_there(c, q, word, err);
}

/* Keeps the path, so that a cgroup created there later matches, too. */
static int add_cgroup(struct chosen *c, const struct cgroup_key *key)
{
	const char *known = cgroupfs_path(containers_cgroups(c->containers), key->view, key->id);
	char *path = known ? strdup(known) : NULL;
	int err = known && !path ? -ENOMEM : 0;

	if (path)
		err = vec_push(&c->cgroups, path);
	return err ? err : c->add(c->ctx, key);
}

/* The path may exist in both hierarchies. */
static int resolve_cgroup(struct chosen *c, const char *path, struct err *err)
{
	int code = -ENOENT, found = 0;

	for (int view = 0; view < CGROUP_VIEWS; view++) {
		struct cgroup_key key = { .view = view };
		int n = cgroupfs_find(containers_cgroups(c->containers), view, path,
				      (uint64_t *)&key.id);

		if (n == -EXDEV)
			code = n;
		if (!n && ++found)
			n = add_cgroup(c, &key);
		if (n && n != -ENOENT && n != -EXDEV)
			return n;
	}
	if (found)
		return 0;
	if (code == -EXDEV)
		return err_set(
			err, -EINVAL,
			"--cgroup: '%s': not in a hierarchy that krait reads; use its path below "
			"%s",
			path,
			cgroupfs_hierarchy(containers_cgroups(c->containers), CGROUPFS_V1)->mount);
	return err_set(err, -ESRCH, "--cgroup: '%s': no such cgroup", path);
}

/* Names all containers. Where files have no name, engines are asked; at startup there is time to wait for them. */
static int name_all(struct chosen *c)
{
	enum { ANSWER_MS = 2000 };
	struct cgroupfs_key key;
	struct candidate it;
	const char *path;
	bool open = false;
	size_t pos = 0;
	int err = 0;

	while (any_chosen(c) && !err &&
	       cgroupfs_each(containers_cgroups(c->containers), &pos, &key, &path)) {
		err = look_at(c, &key, path, &it);
		open |= !err && is_open(c, &it);
	}
	return err || !open ? err : containers_settle(c->containers, ANSWER_MS);
}

static int resolve_all(struct chosen *c, struct err *err)
{
	const struct chosen_opts *opts = &c->opts;
	int code = 0;

	for (size_t i = 0; i < opts->ncontainers && !code; i++)
		code = resolve_container(c, i, err);
	for (size_t i = 0; i < opts->npods && !code; i++)
		code = resolve(c, &ask_pod, by_pod, i, opts->pods[i], err);
	for (size_t i = 0; i < opts->nunits && !code; i++)
		code = resolve(c, &ask_unit, by_unit, i, opts->units[i], err);
	for (size_t i = 0; i < opts->ncgroups && !code; i++)
		code = resolve_cgroup(c, opts->cgroups[i], err);
	return code;
}

int chosen_open(struct chosen *c, struct err *err)
{
	int code = name_all(c);

	if (!code)
		code = resolve_all(c, err);

	return code ? code : consider_all(c);
}
