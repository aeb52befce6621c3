/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session/programs: when the result for one process is used for all processes of its executable.
 * The kernel's maps are mocked.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "session/programs.h"
#include "tap.h"

/* --- the mock kernel -------------------------------------------------------------------------- */

static struct kernel {
	struct wire_task tasks[4];
	int ntasks, lists;
	struct file_id file; /* key of the only row */
	struct program program;
	bool there;
	int refuses; /* 0 or the -errno for a new row */
} kernel;

int kern_list_tasks(struct kern *k, int (*fn)(void *ctx, const struct wire_task *task), void *ctx)
{
	int err = 0;

	kernel.lists++;
	for (int i = 0; i < kernel.ntasks && !err; i++)
		err = fn(ctx, &kernel.tasks[i]);
	return err;
}

int kern_list_task(struct kern *k, uint32_t tgid,
		   int (*fn)(void *ctx, const struct wire_task *task), void *ctx)
{
	return kern_list_tasks(k, fn, ctx);
}

int kern_set_program(struct kern *k, const struct file_id *file, const struct program *program)
{
	if (kernel.refuses)
		return kernel.refuses;
	kernel.file = *file;
	kernel.program = *program;
	kernel.there = true;
	return 0;
}

static bool is_row(const struct file_id *file)
{
	return kernel.there && !memcmp(&kernel.file, file, sizeof(*file));
}

int kern_get_program(struct kern *k, const struct file_id *file, struct program *ret)
{
	if (!is_row(file))
		return -ENOENT;
	*ret = kernel.program;
	return 0;
}

int kern_del_program(struct kern *k, const struct file_id *file)
{
	if (!is_row(file))
		return -ENOENT;
	kernel.there = false;
	return 0;
}

/* --- learning --------------------------------------------------------------------------------- */

static const struct proc_key key = { .start_ns = 5, .tgid = 7, .exec_id = 2 };
static const struct wire_exe python = { .file = { .inode = 11, .dev = 3, .ctime_s = 1 },
					.start_code = 0x400000 };
static const struct program found = { .info = { .kind = PROC_PYTHON, .layout = 1 } };

static void programs_freep(struct programs **p)
{
	programs_free(*p);
}

#define _programs_ _cleanup_(programs_freep)

/* The kernel has one process, which runs that executable. */
static struct programs *start(void)
{
	kernel = (struct kernel){ .ntasks = 1 };
	kernel.tasks[0] = (struct wire_task){ .proc = key, .exe = python };
	return programs_new(NULL);
}

static struct programs *start_known(void)
{
	struct programs *p = start();

	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	return p;
}

TEST(learned_if_the_process_still_executes_the_file)
{
	_programs_ struct programs *p = start();

	CHECK(!programs_has(p, &python));
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK(!programs_has(p, &python));
	CHECK(!kernel.there);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(programs_has(p, &python));
	CHECK(is_row(&python.file));
	CHECK_EQ(kernel.program.start_code, python.start_code);
	CHECK_EQ(kernel.program.info.layout, 1);
}

/* Another file, or the same file at another address: there was an exec between the two reports. */
TEST(not_learned_if_it_executes_another_file)
{
	_programs_ struct programs *p = start();

	kernel.tasks[0].exe.file.inode++;
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!programs_has(p, &python));
	kernel.tasks[0].exe = python;
	kernel.tasks[0].exe.start_code++;
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!programs_has(p, &python));
	CHECK(!kernel.there);
}

TEST(not_learned_if_the_pid_was_reused)
{
	_programs_ struct programs *p = start();

	kernel.tasks[0].proc.start_ns++;
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!programs_has(p, &python));
}

TEST(not_learned_if_the_process_has_ended)
{
	_programs_ struct programs *p = start();

	kernel.ntasks = 0;
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!programs_has(p, &python));
	/* Without new candidates it is not looked up again. */
	kernel.ntasks = 1;
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!programs_has(p, &python));
}

TEST(no_list_is_read_without_candidates)
{
	_programs_ struct programs *p = start_known();

	CHECK_EQ(kernel.lists, 1);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0); /* an equal row exists */
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(kernel.lists, 1);
}

TEST(an_unknown_file_is_not_learned)
{
	_programs_ struct programs *p = start();
	const struct wire_exe nothing = {};

	CHECK_EQ(programs_learn(p, &key, &nothing, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(kernel.lists, 0);
	CHECK(!programs_has(p, &nothing));
}

/* Addresses differ between processes and make no new row; a new libpython makes one. */
TEST(what_makes_a_new_row)
{
	static const uint32_t id_len = 20;
	_programs_ struct programs *p = start_known();
	struct program other = found;

	other.info.interps = 0x1234;
	other.library = 0x7f0000000000;
	CHECK_EQ(programs_learn(p, &key, &python, &other), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(kernel.lists, 1);
	other.id_len = id_len;
	other.id[3] = 1;
	CHECK_EQ(programs_learn(p, &key, &python, &other), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(kernel.lists, 2);
	CHECK_EQ(kernel.program.id[3], 1);
}

TEST(evicted_row_is_learned_again)
{
	_programs_ struct programs *p = start_known();

	kernel.there = false;
	CHECK(programs_has(p, &python));
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(kernel.there);
}

TEST(dropped)
{
	_programs_ struct programs *p = start_known();
	struct wire_exe other = python;

	other.file.generation++;
	programs_drop(p, &other);
	CHECK(programs_has(p, &python));
	programs_drop(p, &python);
	CHECK(!programs_has(p, &python));
	CHECK(!kernel.there);
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(kernel.there);
}

TEST(not_python)
{
	_programs_ struct programs *p = start();

	CHECK_EQ(programs_learn_other(p, &key, &python), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(is_row(&python.file));
	CHECK_EQ(kernel.program.info.kind, PROC_OTHER);
	CHECK_EQ(kernel.program.start_code, 0);
	CHECK(!programs_has(p, &python));
	CHECK_EQ(programs_learn_other(p, &key, &python), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(kernel.lists, 1);
}

/* Inside execve nothing is mapped yet, in any program. */
TEST(not_python_yet)
{
	_programs_ struct programs *p = start();
	struct wire_exe exe = python;

	exe.start_code = kernel.tasks[0].exe.start_code = 0;
	CHECK_EQ(programs_learn_other(p, &key, &exe), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!kernel.there);
}

TEST(python_after_all)
{
	_programs_ struct programs *p = start();

	CHECK_EQ(programs_learn_other(p, &key, &python), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(programs_has(p, &python));
	CHECK_EQ(kernel.program.info.kind, PROC_PYTHON);
}

TEST(contradicting_result_drops_the_row)
{
	_programs_ struct programs *p = start_known();

	CHECK_EQ(programs_learn_other(p, &key, &python), 0);
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(!programs_has(p, &python));
	CHECK(!kernel.there);
}

TEST(kernel_map_is_full)
{
	_programs_ struct programs *p = start();

	kernel.refuses = -ENOMEM;
	CHECK_EQ(programs_learn(p, &key, &python, &found), 0);
	CHECK_EQ(programs_confirm(p), -ENOMEM);
}

/* Any number of copies of an executable must not use more memory than this. */
TEST(any_number_of_files)
{
	enum { FILES = 10000 };
	_programs_ struct programs *p = start();
	struct wire_exe exe = python;
	int known = 0;

	for (int i = 0; i < FILES; i++) {
		exe.file.inode = 1000 + i;
		kernel.tasks[0].exe = exe;
		CHECK_EQ(programs_learn(p, &key, &exe, &found), 0);
		CHECK_EQ(programs_confirm(p), 0);
		CHECK(programs_has(p, &exe));
	}
	for (int i = 0; i < FILES; i++) {
		exe.file.inode = 1000 + i;
		known += programs_has(p, &exe);
	}
	CHECK(known > 0 && known <= 4096);
}

/* More candidates than the limit: the others are learned from a later process. */
TEST(many_at_once)
{
	_programs_ struct programs *p = start();
	struct wire_exe exe = python;

	for (int i = 0; i < 1000; i++) {
		exe.file.inode = 1000 + i;
		CHECK_EQ(programs_learn(p, &key, &exe, &found), 0);
	}
	exe.file.inode = 1000;
	kernel.tasks[0].exe = exe;
	CHECK_EQ(programs_confirm(p), 0);
	CHECK(programs_has(p, &exe));
	CHECK_EQ(kernel.lists, 1);
}
