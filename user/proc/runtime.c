/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	docker               /var/lib/docker/containers/ID/config.v2.json
 *	containerd           /run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json
 *	CRI-O, podman        .../overlay-containers/ID/userdata/config.json, .../containers.json
 *	any, by the kubelet  /var/log/containers/POD_NAMESPACE_NAME-ID.log
 *
 * The table of sources has a row for each kind of file; '*' stands for any directory. A row fills
 * the fields that earlier rows left empty. Root owns the files, but users choose their texts:
 * lengths are limited.
 */
#include "proc/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { FILE_MAX = 8 << 20 }; /* bytes; the longest files list all containers */

enum field { NAME, IMAGE, POD, NS, FIELDS };

/* The keys that lead to a field; the first ones found count. */
struct fact {
	enum field field;
	const char *keys;
};

static const struct fact docker_facts[] = {
	{ NAME, "Config|Labels|io.kubernetes.container.name" },
	{ NAME, "Name" },
	{ IMAGE, "Config|Image" },
	{ POD, "Config|Labels|io.kubernetes.pod.name" },
	{ NS, "Config|Labels|io.kubernetes.pod.namespace" },
	{},
};

static const struct fact bundle_facts[] = {
	{ NAME, "annotations|io.kubernetes.cri.container-name" },
	{ NAME, "annotations|io.kubernetes.container.name" },
	{ NAME, "annotations|nerdctl/name" },
	{ IMAGE, "annotations|io.kubernetes.cri.image-name" },
	{ IMAGE, "annotations|io.kubernetes.cri-o.ImageName" },
	{ POD, "annotations|io.kubernetes.cri.sandbox-name" },
	{ POD, "annotations|io.kubernetes.pod.name" },
	{ NS, "annotations|io.kubernetes.cri.sandbox-namespace" },
	{ NS, "annotations|io.kubernetes.pod.namespace" },
	{},
};

static const struct fact api_facts[] = {
	{ NAME, "Labels|io.kubernetes.container.name" },
	{ IMAGE, "Image" },
	{ POD, "Labels|io.kubernetes.pod.name" },
	{ NS, "Labels|io.kubernetes.pod.namespace" },
	{},
};

static char *field_of(struct runtime_names *n, enum field field)
{
	char *const fields[FIELDS] = { n->name, n->image, n->pod, n->ns };

	return fields[field];
}

/* Docker's names start with a slash. */
static void set_field(struct runtime_names *n, enum field field, const json_t *value)
{
	char *to = field_of(n, field), text[RUNTIME_NAME];

	if (*to || !jsonread_string(value, text, sizeof(text)))
		return;
	strcpy(to, text + (field == NAME && *text == '/'));
}

static void read_facts(json_t *in, const struct fact *facts, struct runtime_names *ret)
{
	for (; facts->keys; facts++)
		set_field(ret, facts->field, jsonread_find(in, facts->keys));
}

/* Formats "key=value". Newlines become spaces; a label with '=' in its key is left out. */
static bool label_text(const char *key, const json_t *value, char *ret, size_t size)
{
	char text[RUNTIME_LABELS];

	if (!jsonread_string(value, text, sizeof(text)) || !*key || strchr(key, '='))
		return false;
	if ((size_t)snprintf(ret, size, "%s=%s", key, text) >= size)
		return false;
	for (char *c = ret; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return true;
}

/* Appends all strings of an object, in its order. */
static void read_labels(json_t *object, struct runtime_names *ret)
{
	char line[RUNTIME_LABELS];
	const char *key;
	json_t *value;
	size_t len = 0;

	if (*ret->labels)
		return;
	json_object_foreach(object, key, value)
	{
		size_t n = label_text(key, value, line, sizeof(line)) ? strlen(line) : 0;

		if (!n || len + n + 2 > sizeof(ret->labels))
			continue;
		memcpy(ret->labels + len, line, n);
		len += n;
		ret->labels[len++] = '\n';
		ret->labels[len] = '\0';
	}
}

static bool is_known(const struct runtime_names *n)
{
	return *n->name || *n->image || *n->pod || *n->ns;
}

/* --- files ------------------------------------------------------------------------------------ */

/* The content, which the caller frees; NULL: not a regular file, too long, or unreadable. */
static char *read_file(const char *path, size_t *ret_len)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_free_ char *data = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return NULL;
	data = malloc(st.st_size + 1);
	n = data ? read(fd, data, st.st_size) : -1;
	if (n < 0)
		return NULL;
	*ret_len = n;
	return take_ptr(data);
}

/* Parses JSON that is quoted in a string. NULL: not JSON. */
static json_t *inner(const json_t *value)
{
	_free_ char *copy = json_string_value(value) ? strdup(json_string_value(value)) : NULL;

	return copy ? jsonread((struct json_text){ copy, strlen(copy) }) : NULL;
}

static void from_docker(json_t *in, struct runtime_names *ret)
{
	read_facts(in, docker_facts, ret);
	read_labels(jsonread_find(in, "Config|Labels"), ret);
}

static void from_bundle(json_t *in, struct runtime_names *ret)
{
	_json_ json_t *labels = inner(jsonread_find(in, "annotations|io.kubernetes.cri-o.Labels"));

	read_facts(in, bundle_facts, ret);
	read_labels(labels, ret);
}

/* An element of a list: {"id":..., "names":[...], "metadata":"{\"image-name\":...}"}. */
static void from_listed(json_t *in, struct runtime_names *ret)
{
	_json_ json_t *metadata = inner(jsonread_find(in, "metadata"));

	set_field(ret, NAME, json_array_get(jsonread_find(in, "names"), 0));
	set_field(ret, IMAGE, jsonread_find(metadata, "image-name"));
}

static const struct source {
	const char *path; /* with two "%s" for root and id; "%.0s" if the path has no id */
	void (*read)(json_t *in, struct runtime_names *ret);
	bool list; /* the file lists all containers */
} sources[] = {
	{ "%s/var/lib/docker/containers/%s/config.v2.json", from_docker, false },
	{ "%s/run/containerd/io.containerd.runtime.v2.task/*/%s/config.json", from_bundle, false },
	{ "%s/run/containers/storage/overlay-containers/%s/userdata/config.json", from_bundle,
	  false },
	{ "%s/var/lib/containers/storage/overlay-containers/%s/userdata/config.json", from_bundle,
	  false },
	{ "%s/var/lib/containers/storage/overlay-containers/containers.json%.0s", from_listed,
	  true },
	{ "%s/var/lib/containers/storage/overlay-containers/volatile-containers.json%.0s",
	  from_listed, true },
};

/* The list's element with this id. NULL: none of the elements that could be parsed; counts the others. */
static json_t *find_listed(struct json_text in, const char *id, unsigned int *refused)
{
	char text[RUNTIME_NAME];
	json_t *element;

	while ((element = jsonread_next(&in, refused))) {
		if (jsonread_string(jsonread_find(element, "id"), text, sizeof(text)) &&
		    !strcmp(text, id))
			break;
		json_decref(element);
	}
	return element;
}

void runtime_refuse(struct runtime_refused *r, const char *path, unsigned int texts)
{
	if (texts && !r->texts)
		snprintf(r->first, sizeof(r->first), "%s", path);
	r->texts += texts;
}

static void read_path(const struct source *s, const char *path, const char *id,
		      struct runtime_names *ret, struct runtime_refused *refused)
{
	struct json_text text = {};
	_free_ char *data = read_file(path, &text.len);
	unsigned int elements = 0;
	_json_ json_t *in = NULL;

	if (!data)
		return;
	text.at = data;
	in = s->list ? find_listed(text, id, &elements) : jsonread(text);
	if (in)
		s->read(in, ret);
	runtime_refuse(refused, path, s->list ? elements : !in);
}

static void read_source(const struct source *s, const char *root, const char *id,
			struct runtime_names *ret, struct runtime_refused *refused)
{
	_free_ char *pattern = NULL;
	glob_t found = {};

	/* The format is one of the rows above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (asprintf(&pattern, s->path, root, id) < 0)
		pattern = NULL;
#pragma GCC diagnostic pop
	if (pattern && !glob(pattern, GLOB_NOSORT, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_path(s, found.gl_pathv[i], id, ret, refused);
	globfree(&found);
}

/* --- names of log files ----------------------------------------------------------------------- */

static void take_part(char *to, const char *from, size_t len)
{
	if (!*to && len < RUNTIME_NAME) {
		memcpy(to, from, len);
		to[len] = '\0';
	}
}

/* POD_NAMESPACE_NAME-ID.log; none of these names may contain a '_'. */
static void from_log(const char *path, const char *id, struct runtime_names *ret)
{
	const char *file = strrchr(path, '/') + 1, *ns = strchr(file, '_');
	const char *name = ns ? strchr(ns + 1, '_') : NULL;
	size_t tail = strlen("-") + strlen(id) + strlen(".log");

	if (!name || strlen(name + 1) <= tail)
		return;
	take_part(ret->pod, file, ns - file);
	take_part(ret->ns, ns + 1, name - ns - 1);
	take_part(ret->name, name + 1, strlen(name + 1) - tail);
}

static void read_logs(const char *root, const char *id, struct runtime_names *ret)
{
	_free_ char *pattern = NULL;
	glob_t found = {};

	if (asprintf(&pattern, "%s/var/log/containers/*-%s.log", root, id) < 0)
		pattern = NULL;
	if (pattern && !glob(pattern, GLOB_NOSORT, NULL, &found))
		from_log(found.gl_pathv[0], id, ret);
	globfree(&found);
}

/* --- all sources ------------------------------------------------------------------------------ */

bool runtime_names(const char *root, const char *id, struct runtime_names *ret,
		   struct runtime_refused *refused)
{
	memset(ret, 0, sizeof(*ret));
	if (!*id || strspn(id, "0123456789abcdef-") != strlen(id))
		return false; /* LXC and nspawn give a name, not an id; also keeps glob() characters out */
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (!*ret->name || !*ret->image)
			read_source(&sources[i], root, id, ret, refused);
	if (!*ret->name || !*ret->pod)
		read_logs(root, id, ret);
	return is_known(ret);
}

bool runtime_listed(json_t *element, char *id, struct runtime_names *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!jsonread_string(jsonread_find(element, "Id"), id, RUNTIME_NAME))
		return false;
	read_facts(element, api_facts, ret);
	set_field(ret, NAME, json_array_get(jsonread_find(element, "Names"), 0));
	read_labels(jsonread_find(element, "Labels"), ret);
	return true;
}
