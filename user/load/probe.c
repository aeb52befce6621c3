/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads each program of the probe skeleton separately, and unloads it again. */
#include "load/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "load/faulting.h"
#include "probe.skel.h"

static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

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

int features_probe(struct features *ret, struct err *err)
{
	int least;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return err_set(err, -EOPNOTSUPP,
			       "kernel: '/sys/kernel/btf/vmlinux': %s; krait needs Linux 5.10 or "
			       "newer with BTF (CONFIG_DEBUG_INFO_BTF=y)",
			       errno == ENOENT ? "no such file" : "not readable");
	least = try_load("probe_list");
	if (least == -EPERM || least == -EACCES)
		return err_set(err, -EPERM,
			       "bpf: permission denied; run as root, or with CAP_BPF, CAP_PERFMON "
			       "and CAP_SYS_PTRACE");
	if (least)
		return err_set(err, -EOPNOTSUPP,
			       "bpf: this kernel rejects a task iterator (error %d); krait needs "
			       "Linux 5.10 or newer",
			       -least);
	ret->modern = !try_load("probe_sample");
	ret->visit_one = !try_load("probe_visit_ring");
	ret->visit_all = !try_load("probe_visit_all");
	ret->faulting = ret->modern && faulting_works();
	return 0;
}
