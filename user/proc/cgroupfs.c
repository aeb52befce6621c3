/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	/proc/self/cgroup    4:memory:/...   ─► number, controllers ─┐
 *	/proc/self/mountinfo ... cgroup rw,memory ─► mount point ────┴─► hierarchy ─► directories ─► id: path
 *
 * In a cgroup namespace, our own mounts show only a part of the tree, so the mounts of a process of
 * the host are used; mountinfo shows their roots as paths above ours ("/../.."). The inode number
 * of a directory is the id of its cgroup.
 */
#include "proc/cgroupfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/num.h"
#include "base/strpool.h"
#include "proc/cgroup.h"
#include "proc/mountinfo.h"
#include "proc/procfs.h"

enum {
	DEPTH = 32,      /* of nested directories */
	KNOWN = 1 << 17, /* cgroups kept at most */
};

struct cgroupfs {
	struct cgroupfs_hierarchy hierarchy[CGROUPFS_VIEWS];
	char controllers[128]; /* of the version 1 hierarchy, as the kernel lists them */
	char root[32];         /* a path to the host's "/", "": it is ours */
	int root_fd;           /* the descriptor that root refers to, -1: none */
	struct hmap *known;    /* struct cgroupfs_key -> uint32_t text id of the path */
	struct strpool *paths;
};

/* --- hierarchies ------------------------------------------------------------------------------ */

bool cgroupfs_has_controller(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == len && !memcmp(list, name, len))
			return true;
	return false;
}

static void take_line(struct cgroupfs *c, const char *line, const char *list,
		      const char *const *controllers, size_t n)
{
	struct cgroupfs_hierarchy *v1 = &c->hierarchy[CGROUPFS_V1];
	uint32_t number = strtoul(line, NULL, 10);

	if (!*list) {
		c->hierarchy[CGROUPFS_V2].there = true;
		c->hierarchy[CGROUPFS_V2].number = number;
		return;
	}
	for (size_t i = 0; i < (v1->there ? v1->controller : n); i++) {
		if (!cgroupfs_has_controller(list, controllers[i]))
			continue;
		*v1 = (struct cgroupfs_hierarchy){ .there = true,
						   .number = number,
						   .controller = i };
		snprintf(c->controllers, sizeof(c->controllers), "%s", list);
	}
}

static void find_hierarchies(struct cgroupfs *c, const char *const *controllers, size_t n)
{
	_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	_free_ char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) >= 0) {
		const char *list;

		if (cgroup_line(line, &list))
			take_line(c, line, list, controllers, n);
	}
}

/* --- mounts ----------------------------------------------------------------------------------- */

/* Is @root the root of a whole hierarchy? Seen from a cgroup namespace, that lies above our own root. */
static bool is_root(const char *root, bool nested)
{
	if (!nested)
		return !strcmp(root, "/");
	if (strncmp(root, "/..", 3))
		return false;
	while (!strncmp(root, "/..", 3))
		root += 3;
	return !*root;
}

bool cgroupfs_mount(char *line, bool nested, const char **ret_mount, const char **ret_options)
{
	struct mount m;

	if (!mountinfo_parse(line, &m) || !is_root(m.root, nested))
		return false;
	if (strcmp(m.type, "cgroup") != 0 && strcmp(m.type, "cgroup2") != 0)
		return false;
	*ret_mount = m.at;
	*ret_options = m.type[strlen("cgroup")] ? NULL : m.options;
	return true;
}

/* Is the process in a cgroup namespace other than the initial one? -errno: not permitted to know. */
static int is_nested(const char *pid)
{
	enum { INITIAL = 0xeffffffb }; /* inode of the first cgroup namespace */
	_free_ char *path = NULL;
	struct stat st;

	if (asprintf(&path, "/proc/%s/ns/cgroup", pid) < 0 || stat(path, &st))
		return -errno;
	return (uint32_t)st.st_ino != (uint32_t)INITIAL;
}

/* Is it the mount of our version 1 hierarchy? One controller decides: none is in two hierarchies. */
static bool is_chosen(const struct cgroupfs *c, const char *options)
{
	size_t len = strcspn(c->controllers, ",");
	_free_ char *first = strndup(c->controllers, len);

	return first && len && cgroupfs_has_controller(options, first);
}

/* Returns the number of hierarchies found. */
static int find_mounts(struct cgroupfs *c, const char *pid, const char *root, bool nested)
{
	_free_ char *line = NULL, *path = NULL;
	_fclose_ FILE *f = NULL;
	size_t size = 0;
	int n = 0;

	if (asprintf(&path, "/proc/%s/mountinfo", pid) < 0)
		path = NULL;
	f = path ? fopen(path, "re") : NULL;
	while (f && getline(&line, &size, f) >= 0) {
		const char *mount, *options;
		struct cgroupfs_hierarchy *h;
		struct stat st;

		if (!cgroupfs_mount(line, nested, &mount, &options))
			continue;
		h = &c->hierarchy[options ? CGROUPFS_V1 : CGROUPFS_V2];
		if (!h->there || *h->mount || (options && !is_chosen(c, options)))
			continue;
		if (snprintf(h->mount, sizeof(h->mount), "%s%s", root, mount) >=
			    (int)sizeof(h->mount) ||
		    stat(h->mount, &st))
			h->mount[0] = '\0';
		else
			n++;
	}
	return n;
}

/* Finds the mounts through the root directory of a process of the host. True: found. */
static bool find_mounts_by(struct cgroupfs *c, pid_t pid)
{
	_free_ char *root = NULL;
	_close_ int fd = -1;
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	if (is_nested(name) || asprintf(&root, "/proc/%d/root", pid) < 0)
		return false;
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(c->root, sizeof(c->root), "/proc/self/fd/%d", fd);
	if (!find_mounts(c, name, c->root, is_nested("self") == 1)) {
		c->root[0] = '\0';
		return false;
	}
	c->root_fd = take_fd(&fd);
	return true;
}

/* Tries process 1 first; if it is not accessible, the next processes in order of pid. */
static void find_mounts_elsewhere(struct cgroupfs *c)
{
	enum { TRIED = 256 };
	procfs_pids pids = {};

	if (!procfs_list(&pids))
		for (size_t i = 0; i < pids.len && i < TRIED && c->root_fd < 0; i++)
			find_mounts_by(c, pids.at[i]);
	vec_done(&pids);
}

struct cgroupfs *cgroupfs_new(const char *const *controllers, size_t n)
{
	struct cgroupfs *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->root_fd = -1;
	c->known = hmap_new(sizeof(struct cgroupfs_key), sizeof(uint32_t));
	c->paths = strpool_new();
	if (!c->known || !c->paths) {
		cgroupfs_free(c);
		return NULL;
	}
	find_hierarchies(c, controllers, n);
	if (is_nested("self") == 1 || !find_mounts(c, "self", "", false))
		find_mounts_elsewhere(c);
	else if (!access("/proc/1/root/.", X_OK))
		strcpy(c->root, "/proc/1/root");
	return c;
}

void cgroupfs_free(struct cgroupfs *c)
{
	if (!c)
		return;
	close_fd(&c->root_fd);
	hmap_free(c->known);
	strpool_free(c->paths);
	free(c);
}

const struct cgroupfs_hierarchy *cgroupfs_hierarchy(const struct cgroupfs *c,
						    enum cgroupfs_view view)
{
	return &c->hierarchy[view];
}

const char *cgroupfs_root(const struct cgroupfs *c)
{
	return c->root;
}

/* --- directories ------------------------------------------------------------------------------ */

int cgroupfs_add(struct cgroupfs *c, enum cgroupfs_view view, uint64_t id, const char *path)
{
	const struct cgroupfs_key key = { .id = id, .view = view };
	uint32_t text, *slot;

	if (hmap_get(c->known, &key) || hmap_count(c->known) >= KNOWN)
		return 0;
	text = strpool_add(c->paths, path, strlen(path));
	slot = text == UINT32_MAX ? NULL : hmap_put(c->known, &key, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = text;
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* A directory that disappears meanwhile counts as empty. Takes over @fd. */
static int scan(struct cgroupfs *c, enum cgroupfs_view view, int fd, struct buf *path, int depth)
{
	_cleanup_(close_dir) DIR *dir = fdopendir(fd);
	const struct dirent *e;
	size_t len = path->len;
	int err = 0;

	if (!dir)
		close(fd);
	while (dir && !err && depth < DEPTH && (e = readdir(dir))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		buf_char(path, '/');
		buf_str(path, e->d_name);
		if (path->err)
			return path->err;
		err = cgroupfs_add(c, view, e->d_ino, path->data);
		fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && !err)
			err = scan(c, view, fd, path, depth + 1);
		else if (fd >= 0)
			close(fd);
		path->len = len;
	}
	return err;
}

int cgroupfs_scan(struct cgroupfs *c)
{
	int err = 0;

	for (int view = 0; view < CGROUPFS_VIEWS && !err; view++) {
		_cleanup_(buf_done) struct buf path = {};
		const char *mount = c->hierarchy[view].mount;
		struct stat st;
		int fd;

		if (!*mount || stat(mount, &st))
			continue;
		err = cgroupfs_add(c, view, st.st_ino, "/");
		fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !err)
			err = scan(c, view, fd, &path, 0);
		else if (fd >= 0)
			close(fd);
	}
	return err;
}

/* --- questions -------------------------------------------------------------------------------- */

const char *cgroupfs_path(const struct cgroupfs *c, enum cgroupfs_view view, uint64_t id)
{
	const struct cgroupfs_key key = { .id = id, .view = view };
	const uint32_t *text = hmap_get(c->known, &key);

	return text ? strpool_str(c->paths, *text) : NULL;
}

bool cgroupfs_each(const struct cgroupfs *c, size_t *pos, struct cgroupfs_key *ret,
		   const char **ret_path)
{
	const void *key;
	void *text;

	if (!hmap_each(c->known, pos, &key, &text))
		return false;
	*ret = *(const struct cgroupfs_key *)key;
	*ret_path = strpool_str(c->paths, *(const uint32_t *)text);
	return true;
}

/* @path is a path in the file system; its device tells the hierarchy. */
static int find_mounted(const char *mount, const char *path, uint64_t *ret)
{
	struct stat st, root;

	if (stat(path, &st) || stat(mount, &root) || !S_ISDIR(st.st_mode))
		return -ENOENT;
	*ret = st.st_ino;
	return st.st_dev == root.st_dev ? 0 : -EXDEV;
}

int cgroupfs_find(const struct cgroupfs *c, enum cgroupfs_view view, const char *path,
		  uint64_t *ret)
{
	const char *mount = c->hierarchy[view].mount;
	_free_ char *below = NULL;
	int err;

	if (!*mount)
		return -ENOENT;
	if (asprintf(&below, "%s/%s", mount, path) < 0)
		return -ENOMEM;
	err = find_mounted(mount, below, ret);
	return err ? find_mounted(mount, path, ret) : 0;
}
