/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a container, its image and its pod, from the state files of its engine, without asking
 * the engine. If there are none, only the id is known.
 */
#ifndef KRAIT_RUNTIME_H
#define KRAIT_RUNTIME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/jsonread.h"

enum { RUNTIME_NAME = 256, RUNTIME_LABELS = 4096 };

/* Unknown fields are "". */
struct runtime_names {
	char name[RUNTIME_NAME], image[RUNTIME_NAME];
	char pod[RUNTIME_NAME], ns[RUNTIME_NAME]; /* Kubernetes pod and namespace, by name */
	char labels[RUNTIME_LABELS]; /* as in model/labels.h; labels that do not fit are left out */
};

/* Counts texts that could not be parsed: not JSON, or too long. */
struct runtime_refused {
	unsigned int texts;
	char first[PATH_MAX]; /* file or socket of the first one */
};
void runtime_refuse(struct runtime_refused *r, const char *path, unsigned int texts);

/*
 * Fills @ret from the state files below @root (the host's "/") for the container @id, as
 * cgroup_place() gives it. False: nothing found. Adds to @refused.
 */
bool runtime_names(const char *root, const char *id, struct runtime_names *ret,
		   struct runtime_refused *refused);
/*
 * The same from one element of a Docker-compatible socket's answer to /containers/json. Copies the
 * id to @id (RUNTIME_NAME bytes). False: the element has no id. Pure.
 */
bool runtime_listed(json_t *element, char *id, struct runtime_names *ret);

#endif
