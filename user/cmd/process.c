/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/process.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/labels.h"

void process_add_version(uint32_t hex, struct buf *out)
{
	uint32_t level = hex >> 4 & 0xf, serial = hex & 0xf;

	buf_printf(out, "%u.%u.%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff);
	if (level == 0xf)
		return;
	buf_str(out, !serial ? "pre" : level == 0xa ? "a" : level == 0xb ? "b" : "rc");
	if (serial)
		buf_printf(out, "%u", serial);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

static void json_arguments(struct jsonwrite *j, const struct survey_process *p)
{
	const char *at = p->arguments, *end = at + p->arguments_len;

	jsonwrite_array(j, "command");
	while (at < end) {
		size_t len = strnlen(at, end - at);

		jsonwrite_strn(j, NULL, at, len);
		at += len + 1;
	}
	jsonwrite_array_end(j);
}

void process_json_who(struct jsonwrite *j, const struct survey_process *p)
{
	jsonwrite_uint(j, "pid", p->pid);
	jsonwrite_uint(j, "ns_pid", p->ns_pid);
	jsonwrite_uint(j, "uid", p->uid);
	jsonwrite_str(j, "comm", p->comm);
	json_arguments(j, p);
}

void process_json_version(struct jsonwrite *j, const char *key, uint32_t hex)
{
	_cleanup_(buf_done) struct buf text = {};

	process_add_version(hex, &text);
	jsonwrite_str(j, key, hex ? text.data : NULL);
	if (text.err)
		j->out->err = text.err;
}

static void json_labels(struct jsonwrite *j, const char *labels)
{
	struct label label;

	jsonwrite_object(j, "labels");
	while (label_next(&labels, &label)) {
		_free_ char *key = strndup(label.key, label.key_len);

		if (key)
			jsonwrite_strn(j, key, label.value, label.value_len);
		else
			j->out->err = -ENOMEM;
	}
	jsonwrite_object_end(j);
}

static void json_container(struct jsonwrite *j, const struct survey_process *p)
{
	if (!*p->container) {
		jsonwrite_null(j, "container");
		return;
	}
	jsonwrite_object(j, "container");
	jsonwrite_str(j, "id", p->container);
	jsonwrite_str(j, "engine", p->engine);
	jsonwrite_str(j, "name", or_null(p->name));
	jsonwrite_str(j, "image", or_null(p->image));
	jsonwrite_str(j, "pod", or_null(p->pod));
	jsonwrite_str(j, "namespace", or_null(p->ns));
	jsonwrite_str(j, "pod_uid", or_null(p->pod_uid));
	json_labels(j, p->labels);
	jsonwrite_object_end(j);
}

void process_json_place(struct jsonwrite *j, const struct survey_process *p)
{
	json_container(j, p);
	jsonwrite_str(j, "unit", or_null(p->unit));
}
