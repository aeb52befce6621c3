/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands say of a process of a survey, the same in all of them. */
#ifndef KRAIT_CMD_PROCESS_H
#define KRAIT_CMD_PROCESS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/jsonwrite.h"
#include "session/survey.h"

/* Appends "3.13.0rc2" for a PY_VERSION_HEX. A pre-release of unknown number is "3.9.0pre". */
void process_add_version(uint32_t hex, struct buf *out);
/* Fields of a JSON object: pid, ns_pid, uid, comm, command. */
void process_json_who(struct jsonwrite *j, const struct survey_process *p);
/* A version, or null for 0. */
void process_json_version(struct jsonwrite *j, const char *key, uint32_t hex);
/* The fields container and unit. */
void process_json_place(struct jsonwrite *j, const struct survey_process *p);

#endif
