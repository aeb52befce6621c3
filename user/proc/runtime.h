/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people call a container: from the state that its engine keeps in files, without asking the engine.
 * All of it may be absent, and then nothing is known but the id.
 */
#ifndef KRAIT_RUNTIME_H
#define KRAIT_RUNTIME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/jsonread.h"

enum { RUNTIME_NAME = 256, RUNTIME_LABELS = 4096 };

/* What is "" is not known. */
struct runtime_names {
	char name[RUNTIME_NAME], image[RUNTIME_NAME];
	char pod[RUNTIME_NAME], ns[RUNTIME_NAME]; /* of Kubernetes, by name */
	char labels[RUNTIME_LABELS]; /* as in model/labels.h; what has no room is not there */
};

/* Texts that were there and could not be read: no JSON, or too long. */
struct runtime_refused {
	unsigned int texts;
	char first[PATH_MAX]; /* the file, or the socket that it came from */
};
void runtime_refuse(struct runtime_refused *r, const char *path, unsigned int texts);

/*
 * Fills @ret with what the files below @root (the host's "/") know of the container with this id, as
 * cgroup_place() gives it. False: nothing. Adds to @refused.
 */
bool runtime_names(const char *root, const char *id, struct runtime_names *ret,
		   struct runtime_refused *refused);
/*
 * The same from one element of what a Docker-compatible socket says to /containers/json, if it has an id,
 * which goes to @id (RUNTIME_NAME bytes). Pure.
 */
bool runtime_listed(json_t *element, char *id, struct runtime_names *ret);

#endif
