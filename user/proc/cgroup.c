/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *   0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a2b.slice/
 *                                                  cri-containerd-5f0c...e1.scope
 *   4:memory:/docker/5f0c...e1/init
 *             `in     `name      `a cgroup that the container made
 *
 * A path component names a container if some row's prefix and suffix enclose an id that the row's
 * naming accepts, and the component above matches the row's `in`. The innermost container counts,
 * and likewise the innermost pod and unit. With version 1 there is a line for each hierarchy, and
 * an engine may use only some of them.
 */
#include "proc/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define HEX "0123456789abcdef"

enum { TASK_ID = 32 };

/* @len if all @len bytes of @s are an id, else 0. */
static size_t hex_id(const char *s, size_t len)
{
	return len == CGROUP_ID && strspn(s, HEX) >= len ? len : 0;
}

/* "<32 digits>-<number>": Fargate's name for a task's container. */
static size_t task_id(const char *s, size_t len)
{
	size_t number;

	if (len < TASK_ID + 2 || strspn(s, HEX) != TASK_ID || s[TASK_ID] != '-')
		return 0;
	number = strspn(s + TASK_ID + 1, "0123456789");
	return number && TASK_ID + 1 + number >= len ? len : 0;
}

static size_t any_name(const char *s, size_t len)
{
	return len;
}

static bool begins(const char *in, const char *with)
{
	return !strncmp(in, with, strlen(with));
}

static bool equals(const char *in, const char *with)
{
	return !strcmp(in, with);
}

static bool is_task(const char *in, const char *with)
{
	return strlen(in) == TASK_ID && strspn(in, HEX) == TASK_ID;
}

/* The first matching row counts. systemd makes the scopes; names without one are the engine's own cgroups. */
static const struct pattern {
	const char *prefix, *suffix;
	const char *in;     /* "": anything */
	const char *engine; /* NULL: not a container */
	size_t (*naming)(const char *s, size_t len);
	bool (*is_in)(const char *in, const char *with);
} patterns[] = {
	{ "docker-", ".scope", "", "docker", hex_id, begins },
	{ "libpod-", ".scope", "", "podman", hex_id, begins },
	{ "libpod-", "", "", "podman", hex_id, begins },
	{ "cri-containerd-", ".scope", "", "containerd", hex_id, begins },
	{ "nerdctl-", ".scope", "", "containerd", hex_id, begins },
	{ "crio-", ".scope", "", "cri-o", hex_id, begins },
	{ "crio-", "", "", "cri-o", hex_id, begins },
	/* PARENT:PREFIX:ID is meant for systemd; an engine without systemd uses it literally as the name. */
	{ "cri-containerd:", "", "", "containerd", hex_id, begins },
	{ "crio:", "", "", "cri-o", hex_id, begins },
	{ "docker:", "", "", "docker", hex_id, begins },
	{ "", "", "docker", "docker", hex_id, begins },
	{ "", "", "buildkit", "docker", any_name, equals },
	{ "", "", "pod", "kubernetes", hex_id, begins },
	{ "", ".scope", "kubepods", "kubernetes", hex_id, begins },
	{ "", "", "kubepods", "kubernetes", hex_id, begins },
	{ "", "", "k8s.io", "containerd", hex_id, begins },
	{ "", "", "default", "containerd", hex_id, begins },
	{ "", "", "moby", "docker", hex_id, begins },
	{ "", "", "", "ecs", task_id, begins },
	{ "", "", "a task", "ecs", hex_id, is_task },
	{ "lxc.payload.", "", "", "lxc", any_name, begins },
	{ "", "", "lxc.payload", "lxc", any_name, equals },
	{ "", "", "lxc", "lxc", any_name, equals },
	{ "systemd-nspawn@", ".service", "", "nspawn", any_name, begins },
	{ "machine-qemu\\x2d", ".scope", "machine.slice", NULL, any_name, equals },
	{ "machine-", ".scope", "machine.slice", "nspawn", any_name, equals },
	/* Below any parent that the user chose (--cgroup-parent): only container ids have that many digits. */
	{ "", "", "", "oci", hex_id, begins },
};

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

/* Undoes systemd's \xHH escapes. */
static void copy_name(char *to, const char *from, size_t len)
{
	const char *end = from + len;

	while (from < end) {
		if (end - from >= 4 && from[0] == '\\' && from[1] == 'x' && is_hex(from[2]) &&
		    is_hex(from[3])) {
			const char digits[] = { from[2], from[3], '\0' };

			*to++ = strtoul(digits, NULL, 16) ?: '?';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* Does the component @name of @len bytes, below the component @in, match the row? */
static bool fits(const struct pattern *p, const char *in, const char *name, size_t len)
{
	size_t prefix = strlen(p->prefix), suffix = strlen(p->suffix);

	return len > prefix + suffix && len <= CGROUP_NAME && !memcmp(name, p->prefix, prefix) &&
	       !memcmp(name + len - suffix, p->suffix, suffix) &&
	       p->naming(name + prefix, len - prefix - suffix) && (!*p->in || p->is_in(in, p->in));
}

static void find_container(const char *in, const char *name, size_t len, struct cgroup_place *ret)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct pattern *p = &patterns[i];
		size_t prefix = strlen(p->prefix);

		if (!fits(p, in, name, len))
			continue;
		if (p->engine) {
			copy_name(ret->id, name + prefix, len - prefix - strlen(p->suffix));
			ret->engine = p->engine;
		}
		return;
	}
}

/* A pod uid has dashes, or underscores from systemd; a static pod's uid is 32 digits without any. */
static bool is_uid(const char *s, size_t len)
{
	size_t dashes = 0;

	for (size_t i = 0; i < len; i++) {
		dashes += s[i] == '-' || s[i] == '_';
		if (!strchr(HEX "-_", s[i]))
			return false;
	}
	return len == TASK_ID + dashes && (!dashes || len == CGROUP_POD);
}

/* "pod<uid>", "kubepods-burstable-pod<uid>.slice". */
static void find_pod(const char *name, size_t len, struct cgroup_place *ret)
{
	static const char slice[] = ".slice", pod[] = "pod";
	size_t at;

	if (len > strlen(slice) && !memcmp(name + len - strlen(slice), slice, strlen(slice)))
		len -= strlen(slice);
	for (at = 0; at + strlen(pod) < len; at++) {
		const char *uid = name + at + strlen(pod);
		size_t uid_len = len - at - strlen(pod);

		if (memcmp(name + at, pod, strlen(pod)) || (at && name[at - 1] != '-') ||
		    !is_uid(uid, uid_len))
			continue;
		for (size_t i = 0; i < uid_len; i++)
			ret->pod[i] = uid[i] == '_' ? '-' : uid[i];
		ret->pod[uid_len] = '\0';
	}
}

/* Only units that have processes: slices have none of their own. */
static void find_unit(const char *name, size_t len, struct cgroup_place *ret)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount",
						".swap" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t suffix = strlen(suffixes[i]);

		if (len <= suffix || len > CGROUP_NAME ||
		    memcmp(name + len - suffix, suffixes[i], suffix))
			continue;
		memcpy(ret->unit, name, len);
		ret->unit[len] = '\0';
	}
}

/* In a literal SLICE:PREFIX:ID, takes the pod from the slice, and returns the rest of the name. */
static const char *behind_slice(const char *name, struct cgroup_place *ret)
{
	const char *colon = strstr(name, ".slice:");

	if (!colon)
		return name;
	colon += strlen(".slice");
	find_pod(name, colon - name, ret);
	return colon + 1;
}

void cgroup_place(const char *path, struct cgroup_place *ret)
{
	_free_ char *copy = strdup(path);
	const char *in = "", *name;
	char *rest = copy;

	memset(ret, 0, sizeof(*ret));
	while (rest && (name = strsep(&rest, "/"))) {
		name = behind_slice(name, ret);
		find_container(in, name, strlen(name), ret);
		find_pod(name, strlen(name), ret);
		find_unit(name, strlen(name), ret);
		in = name;
	}
}

const char *cgroup_line(char *line, const char **ret_at)
{
	char *controllers, *path;

	line[strcspn(line, "\n")] = '\0';
	controllers = strchr(line, ':');
	path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!path || path[1] != '/')
		return NULL;
	*path = '\0';
	*ret_at = controllers + 1;
	return path + 1;
}

bool cgroup_below(const char *path, const char *name)
{
	size_t len = strlen(name);
	const char *at = path;

	while (*name && (at = strstr(at, name))) {
		if ((at == path || at[-1] == '/') && (at[len] == '/' || !at[len]))
			return true;
		at++;
	}
	return false;
}

int cgroup_read(FILE *f, struct cgroup_place *ret)
{
	_free_ char *line = NULL;
	size_t size = 0;

	memset(ret, 0, sizeof(*ret));
	errno = 0;
	while (!ret->engine && getline(&line, &size, f) >= 0) {
		const char *at, *path = cgroup_line(line, &at);
		struct cgroup_place place;

		if (!path)
			continue;
		cgroup_place(path, &place);
		if (place.engine || (*place.unit && !*ret->unit))
			*ret = place;
	}
	return ferror(f) ? -errno : 0;
}

int cgroup_of(pid_t pid, struct cgroup_place *ret)
{
	_fclose_ FILE *f = NULL;
	char file[32];

	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	f = fopen(file, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	return cgroup_read(f, ret);
}
