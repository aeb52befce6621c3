/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of tasks, tasks, and records of them. The input is
 *
 *	version 1 (an index)  task 4  interpreters 4 (odd: read the list, else the task)  memory ...
 *
 * The memory repeats over all addresses. Reads and records are bounded, whatever the objects are; the records that
 * are made can be read back, and any bytes can be read as records.
 */
#include "fuzz.h"
#include "images/synth.h"
#include "proc/rmem.h"
#include "py/asyncdebug.h"
#include "py/asynctask.h"

enum {
	READ_MAX = 1 << 22,
	READS = 1 << 21, /* of a batch */
};

static struct py_layout rows[COUNT(synth_versions)];
static struct input memory;
static uint32_t reads;

int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	reads++;
	return len > READ_MAX ? -EFAULT : read_repeated(&memory, buf, len, addr);
}

int asyncdebug_find(pid_t pid, struct asyncdebug *ret)
{
	*ret = (struct asyncdebug){
		.task_name = 136,
		.awaited_by = 96,
		.awaited_by_is_set = 109,
		.coro = 128,
		.node = 152,
		.interp_tasks = 64,
		.state_tasks = 72,
	};
	return 0;
}

static struct taskread *reader;

static void set_up(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct synth *s = synth_new(synth_versions[i]);

		rows[i] = s->l;
		synth_free(s);
	}
	reader = taskread_new();
	MUST(reader);
}

/* Types called like tasks and coroutines, of objects that refer to each other. */
static void make_seeds(void)
{
	static const char *const names[] = {
		"_asyncio.Task",    "coroutine", "async_generator_asend",
		"_GatheringFuture", "set",       "method"
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t n = 0; n < COUNT(names); n++) {
			uint64_t words[64] = {};
			struct buf name = {}, seed = {};

			for (size_t k = 0; k < COUNT(words); k++)
				words[k] = 0x10000 + 8 * ((k * 5) % COUNT(words));
			strcpy((char *)&words[40], names[n]);
			words[8] = 0x10000 + 8 * 40;
			give(&seed, i, 1);
			give(&seed, 0x10000, 4);
			give(&seed, 0x10000 + n % 2, 4);
			buf_add(&seed, words, sizeof(words));
			buf_printf(&name, "row-%zu-%zu", i, n);
			seed_write(name.data, &seed);
			buf_done(&name);
			buf_done(&seed);
		}
	}
}

static size_t count_records(const char *data, size_t len, bool ours)
{
	const struct task_found *f;
	struct task_parts parts;
	size_t pos = 0, n = 0;

	for (; (f = task_next(data, len, &pos, &parts)); n++) {
		MUST(parts.loop + f->loop_len <= data + len && parts.name >= data);
		if (!ours)
			continue;
		MUST(f->frames <= TASK_FRAMES && f->awaited_by <= TASK_LINKS + 1 &&
		     f->children <= TASK_LINKS && f->name_len <= 4 * TASK_NAME + 32);
	}
	MUST(!ours || pos == len);
	return n;
}

static void read_tasks(const struct py_layout *l, uint64_t task)
{
	struct task_wanted w = {
		.pid = 1, .count = 2, .code_type = 0x10040, .layout = *l, .at = { task, task + 64 }
	};
	struct buf out = {};

	w.task = (struct task_layout){ .state = 104, .waiter = 120, .coro = 128, .name = 136 };
	if (l->version >= 0x030e)
		w.task.awaited_by = 96;
	w.task.is_set = 109;
	reads = 0;
	MUST(!taskread_tasks(reader, &w, &out));
	MUST(reads <= READS);
	MUST(count_records(out.data, out.len, true) <= 2);
	buf_done(&out);
}

static void read_list(const struct py_layout *l, uint64_t interps)
{
	const struct tasklist_wanted w = { .pid = 1, .info = { .interps = interps }, .layout = *l };
	struct buf out = {};
	struct tasklist list;

	MUST(!tasklist_read(&w, &out));
	memcpy(&list, out.data, sizeof(list));
	MUST(list.count <= TASKS_MAX && out.len == sizeof(list) + 8 * list.count);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct py_layout *l = &rows[take(&in, 1) % COUNT(rows)];
	uint64_t task = take(&in, 4), interps = take(&in, 4);
	bool is_list = interps & 1;
	uint8_t *exact;
	size_t len;

	memory = in;
	if (is_list)
		read_list(l, interps & ~1ULL);
	else
		read_tasks(l, task);
	exact = take_bytes(&in, size, &len);
	count_records((const char *)exact, len, false);
	free(exact);
	return 0;
}
