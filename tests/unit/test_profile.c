/* SPDX-License-Identifier: BSD-2-Clause */
/* model/profile: what is interned, what is added up, what is replaced. */
#include "model/profile.h"

#include <string.h>

#include "tap.h"

#include "base/cleanup.h"

#define _profile_ _cleanup_(profile_freep) struct profile

TEST(processes_are_never_merged)
{
	_profile_ *p = profile_new();

	CHECK_EQ(profile_add_process(p, 41, "web"), 0);
	CHECK_EQ(profile_add_process(p, 41, "web"), 1);
	CHECK_EQ(profile_processes(p), 2);
	CHECK_EQ(profile_process(p, 1)->pid, 41);
	CHECK_EQ(profile_process(p, 1)->version, 0);
	CHECK_STR(profile_process(p, 1)->comm, "web");
	profile_set_process_comm(p, 1, "worker");
	profile_set_process_version(p, 1, 0x030b, "t");
	CHECK_STR(profile_process(p, 0)->comm, "web");
	CHECK_STR(profile_process(p, 1)->comm, "worker");
	CHECK_EQ(profile_process(p, 1)->version, 0x030b);
}

TEST(threads_are_interned_by_process_and_tid)
{
	_profile_ *p = profile_new();
	uint32_t a = profile_add_process(p, 41, "a"), b = profile_add_process(p, 42, "b");

	CHECK_EQ(profile_add_thread(p, a, 7, "first"), 0);
	CHECK_EQ(profile_add_thread(p, b, 7, "other"), 1);
	CHECK_EQ(profile_add_thread(p, a, 8, "third"), 2);
	CHECK_EQ(profile_add_thread(p, a, 7, "late"), 0);
	CHECK_EQ(profile_threads(p), 3);
	CHECK_EQ(profile_thread(p, 1)->process, b);
	CHECK_EQ(profile_thread(p, 2)->tid, 8);
	CHECK_STR(profile_thread(p, 0)->comm, "first");
	profile_set_thread_comm(p, 0, "late");
	CHECK_STR(profile_thread(p, 0)->comm, "late");
}

TEST(comms_are_always_terminated)
{
	_profile_ *p = profile_new();
	char full[PROFILE_COMM];

	memset(full, 'x', sizeof(full));
	profile_add_process(p, 1, full);
	CHECK_STR(profile_process(p, 0)->comm, "xxxxxxxxxxxxxxx");
	profile_set_process_comm(p, 0, "short");
	CHECK_STR(profile_process(p, 0)->comm, "short");
	CHECK_EQ(profile_process(p, 0)->comm[15], 0);
	profile_add_thread(p, 0, 1, "");
	CHECK_STR(profile_thread(p, 0)->comm, "");
}

TEST(many_threads)
{
	_profile_ *p = profile_new();
	uint32_t process = profile_add_process(p, 1, "many"), wrong = 0;

	for (uint32_t i = 0; i < 10000; i++)
		wrong += profile_add_thread(p, process, i * 3, "t") != i;
	for (uint32_t i = 0; i < 10000; i++)
		wrong += profile_add_thread(p, process, i * 3, "t") != i;
	CHECK_EQ(wrong, 0);
}

TEST(states_are_interned)
{
	_profile_ *p = profile_new();
	char call[] = "epoll_wait";
	struct state sleeping = { .kind = STATE_SLEEPING, .call = call }, running = {};
	uint32_t t = profile_add_thread(p, profile_add_process(p, 1, "a"), 1, "a");

	CHECK_EQ(profile_states(p), 1);
	CHECK_EQ(profile_add_state(p, &running), 0);
	CHECK_EQ(profile_add_state(p, &sleeping), 1);
	call[0] = 'x'; /* the string was copied */
	CHECK_STR(profile_state(p, 1)->call, "epoll_wait");
	CHECK_EQ(profile_add_state(p, &sleeping), 2);
	call[0] = 'e';
	CHECK_EQ(profile_add_state(p, &sleeping), 1);
	sleeping.call = NULL;
	CHECK_EQ(profile_add_state(p, &sleeping), 3);
	running.holds_gil = true;
	CHECK_EQ(profile_add_state(p, &running), 4);
	CHECK(!profile_tells_tasks(p));
	running.task = call;
	CHECK_EQ(profile_add_state(p, &running), 5);
	call[0] = 'x';
	CHECK_EQ(profile_add_state(p, &running), 6);
	CHECK_STR(profile_state(p, 5)->task, "epoll_wait");
	CHECK(profile_tells_tasks(p));
	CHECK_EQ(profile_count(p, t, 5, 0, 3), 0);
	CHECK_EQ(profile_count(p, t, 5, 1, 4), 0);
	CHECK_EQ(profile_rows(p), 2);
}

TEST(counts_add_up)
{
	_profile_ *p = profile_new();
	uint32_t a = profile_add_process(p, 1, "a"), b = profile_add_process(p, 2, "b");
	uint32_t ta = profile_add_thread(p, a, 1, "a"), tb = profile_add_thread(p, b, 2, "b");
	struct profile_row row;
	uint64_t sum[2] = {};
	size_t pos = 0, rows = 0;

	CHECK_EQ(profile_each(p, &pos, &row), false);
	CHECK_EQ(profile_count(p, ta, 5, 0, 3), 0);
	CHECK_EQ(profile_count(p, tb, 5, 0, UINT64_C(1) << 40), 0);
	CHECK_EQ(profile_count(p, ta, 5, 0, 4), 0);
	CHECK_EQ(profile_count(p, ta, 6, 0, 1), 0);
	for (pos = 0; profile_each(p, &pos, &row); rows++) {
		CHECK_EQ(row.process, row.thread == ta ? a : b);
		CHECK(row.thread == ta || row.node == 5);
		CHECK(row.thread == tb || row.weight == (row.node == 5 ? 7 : 1));
		sum[row.process] += row.weight;
	}
	CHECK_EQ(rows, 3);
	CHECK_EQ(profile_rows(p), 3);
	CHECK_EQ(sum[0], 8);
	CHECK_EQ(profile_process(p, a)->samples, 8);
	CHECK_EQ(sum[1], UINT64_C(1) << 40);
	CHECK_EQ(profile_process(p, b)->samples, UINT64_C(1) << 40);
}

TEST(losses_are_replaced_by_name)
{
	_profile_ *p = profile_new();
	const struct profile_loss *l;
	size_t n;

	profile_losses(p, &n);
	CHECK_EQ(n, 0);
	CHECK_EQ(profile_set_loss(p, "ring-full", "the ring was full", 3), 0);
	CHECK_EQ(profile_set_loss(p, "cut", "deeper than read", 1), 0);
	CHECK_EQ(profile_set_loss(p, "ring-full", "the ring was full", 9), 0);
	l = profile_losses(p, &n);
	CHECK_EQ(n, 2);
	CHECK_STR(l[0].name, "ring-full");
	CHECK_EQ(l[0].count, 9);
	CHECK_STR(l[1].text, "deeper than read");
	CHECK_EQ(l[1].count, 1);
}

TEST(containers_are_copied)
{
	_profile_ *p = profile_new();
	char name[] = "web";
	struct container c = { .id = "1", .name = name };
	uint32_t process = profile_add_process(p, 1, "x"), index;

	CHECK_EQ(profile_containers(p), 1);
	CHECK_EQ(profile_process(p, process)->container, 0);
	CHECK_STR(profile_container(p, 0)->id, "");
	index = profile_add_container(p, &c);
	profile_set_process_container(p, process, index);
	name[0] = 'x';
	CHECK_STR(profile_container(p, index)->name, "web");
	CHECK_STR(profile_container(p, index)->pod, "");
	CHECK_EQ(profile_process(p, process)->container, index);
	CHECK_EQ(profile_set_container(p, index, &c), 0);
	CHECK_STR(profile_container(p, index)->name, "xeb");
	CHECK_EQ(profile_containers(p), 2);
}

TEST(meta_is_kept)
{
	_profile_ *p = profile_new();
	struct profile_meta meta = { .event = "cpu-clock", .unit = "samples", .asked_hz = 99 };

	CHECK_STR(profile_meta(p)->event, "");
	profile_set_meta(p, &meta);
	CHECK_STR(profile_meta(p)->event, "cpu-clock");
	CHECK_STR(profile_meta(p)->unit, "samples");
	CHECK(profile_meta(p)->asked_hz == 99);
}

static void resolve(void *ctx, uint32_t frame_id, struct frame *ret)
{
	if (frame_id == 1)
		*ret = (struct frame){ .name = ctx, .line = 4, .kind = FRAME_PYTHON };
}

TEST(frames_come_from_the_resolver)
{
	_profile_ *p = profile_new();
	char name[] = "main";
	struct frame f;

	profile_frame(p, 1, &f);
	CHECK_STR(f.name, "?");
	CHECK_EQ(f.kind, FRAME_MARK);
	profile_set_resolver(p, resolve, name);
	profile_frame(p, 1, &f);
	CHECK_STR(f.name, "main");
	CHECK_EQ(f.line, 4);
	CHECK_EQ(f.kind, FRAME_PYTHON);
	profile_frame(p, 2, &f);
	CHECK_STR(f.name, "?");
}
