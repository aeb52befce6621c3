/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of container engines, in which users choose the labels. The input is a socket's answer.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "proc/runtime.h"

static const char *const answers[] = {
	"[{\"Id\":\"5f0c3a1be2d4\",\"Names\":[\"/web\"],\"Image\":\"nginx\",\"Labels\":null}]",
	"[{\"Id\":\"5f0c\",\"Names\":[\"/"
	"k8s_x\"],\"Labels\":{\"io.kubernetes.container.name\":\"app\","
	"\"io.kubernetes.pod.name\":\"web-1\",\"a\":\"\\ud83d\\u0000\\q\xff\"}},{\"Id\":5},{},[],"
	"1e9]",
	" [ , {\"Id\" : \"a\\\"]\" , \"Names\" : [[]] } ] ",
};

static void set_up(void)
{
}

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct buf name = {}, answer = {};

		buf_printf(&name, "answer-%zu", i);
		buf_str(&answer, answers[i]);
		seed_write(name.data, &answer);
		buf_done(&name);
		buf_done(&answer);
	}
}

/* Texts are terminated, and labels are lines with a key. */
static void judge(const char *id, const struct runtime_names *n)
{
	MUST(strlen(id) < RUNTIME_NAME && strlen(n->name) < sizeof(n->name));
	MUST(strlen(n->labels) < sizeof(n->labels));
	for (const char *line = n->labels; *line; line = strchr(line, '\n') + 1) {
		MUST(strchr(line, '\n'));
		MUST(*line != '=' && strchr(line, '=') && strchr(line, '=') < strchr(line, '\n'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct runtime_names names;
	struct input in = { data, size };
	struct json_text rest;
	_free_ char *copy = (char *)take_bytes(&in, size, &rest.len);
	unsigned int refused = 0;
	char id[RUNTIME_NAME];
	json_t *element;

	rest.at = copy;
	while ((element = jsonread_next(&rest, &refused))) {
		if (runtime_listed(element, id, &names))
			judge(id, &names);
		json_decref(element);
	}
	MUST(rest.len <= size && refused <= size);
	return 0;
}
