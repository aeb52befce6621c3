/* SPDX-License-Identifier: BSD-2-Clause */
/* A probe loads each program of the probe skeleton separately, and unloads it again. */
#include "load/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "load/btfnames.h"
#include "load/faulting.h"
#include "probe.skel.h"

static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* --- by names --------------------------------------------------------------------------------- */

static const char kernel_btf[] = "/sys/kernel/btf/vmlinux";

static int no_btf(struct err *err)
{
	return err_set(err, -EOPNOTSUPP,
		       "kernel: '%s': %s; krait needs Linux 5.10 or newer with BTF "
		       "(CONFIG_DEBUG_INFO_BTF=y)",
		       kernel_btf, errno == ENOENT ? "no such file" : "not readable");
}

static int no_permission(struct err *err)
{
	return err_set(err, -EPERM,
		       "bpf: permission denied; run as root, or with CAP_BPF, CAP_PERFMON and "
		       "CAP_SYS_PTRACE");
}

/* 0 if this process may load programs, else -errno. */
static int try_nothing(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "nothing", "GPL", insns, 2, NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Kernels with the plain name have the other one, too, with other arguments. */
static enum faulting_kind guess_faulting(const struct btfnames *b)
{
	if (btfnames_has(b, "bpf_task_work_schedule_resume"))
		return FAULTING_PLAIN;
	return btfnames_has(b, "bpf_task_work_schedule_resume_impl") ? FAULTING_IMPL
								     : FAULTING_NONE;
}

int features_guess(struct features *ret, struct err *err)
{
	_cleanup_(btfnames_freep) struct btfnames *b = btfnames_read(kernel_btf);
	int code;

	if (!b)
		return no_btf(err);
	code = try_nothing();
	if (code == -EPERM || code == -EACCES)
		return no_permission(err);
	*ret = (struct features){ .guessed = true };
	ret->modern = btfnames_has(b, "BPF_FUNC_loop") &&
		      btfnames_has(b, "BPF_FUNC_task_pt_regs") &&
		      btfnames_has(b, "BPF_FUNC_get_current_task_btf");
	ret->grow = btfnames_has(b, "bpf_mem_alloc_init");
	ret->visit_all = btfnames_has(b, "BPF_FUNC_copy_from_user_task");
	ret->visit_one = ret->visit_all && btfnames_has(b, "bpf_task_from_pid");
	if (ret->modern)
		ret->faulting = guess_faulting(b);
	return 0;
}

/* --- by loading ------------------------------------------------------------------------------- */

/* 0 if the program @name loads, else -errno. */
static int try_load(const char *name)
{
	libbpf_print_fn_t old = libbpf_set_print(be_quiet);
	struct probe_bpf *skel = probe_bpf__open();
	struct bpf_program *prog;
	int err;

	if (!skel) {
		libbpf_set_print(old);
		return -errno;
	}
	prog = bpf_object__find_program_by_name(skel->obj, name);
	err = prog ? bpf_program__set_autoload(prog, true) : -ENOENT;
	if (!err)
		err = probe_bpf__load(skel);
	probe_bpf__destroy(skel);
	libbpf_set_print(old);
	return err;
}

static enum faulting_kind probe_faulting(void)
{
	libbpf_print_fn_t old = libbpf_set_print(be_quiet);
	enum faulting_kind ret = faulting_probe();

	libbpf_set_print(old);
	return ret;
}

int features_probe(struct features *ret, struct err *err)
{
	int least;

	if (access(kernel_btf, R_OK))
		return no_btf(err);
	least = try_load("probe_list");
	if (least == -EPERM || least == -EACCES)
		return no_permission(err);
	if (least)
		return err_set(err, -EOPNOTSUPP,
			       "bpf: this kernel rejects a task iterator (error %d); krait needs "
			       "Linux 5.10 or newer",
			       -least);
	*ret = (struct features){ .modern = !try_load("probe_sample"),
				  .visit_one = !try_load("probe_visit_ring"),
				  .visit_all = !try_load("probe_visit_all"),
				  .grow = !try_load("probe_grow") };
	if (ret->modern)
		ret->faulting = probe_faulting();
	return 0;
}
