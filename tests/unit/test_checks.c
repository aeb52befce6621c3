/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session/checks: a host without problems, then one problem at a time: which row reports it, how
 * severe it is, which fix is suggested, and the resulting modes and verdict.
 */
#include <errno.h>
#include <limits.h>

#include <linux/capability.h>

#include "base/cleanup.h"
#include "session/checks.h"
#include "tap.h"

#define CAP(n) (1ULL << (n))
enum { PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40 };

static const uint64_t all_caps = (1ULL << 41) - 1;

static struct host fine_host(void)
{
	return (struct host){
		.release = "6.1.0",
		.machine = "x86_64",
		.version = { 0, HOST_VERSION(6, 1) },
		.caps = { 0, all_caps, all_caps },
		.user_ns = { 0, 1 },
		.pid_ns = { 0, 1 },
		.paranoid = { 0, 2 },
		.rate = { 0, 100000 },
		.cpu_time = { 0, 25 },
		.bpf_users = { 0, 2 },
		.yama = { 0, 1 },
		.lockdown = { 0, HOST_LOCKDOWN_NONE },
		.cpus = { 0, 8 },
		.files = { 0, 524288 },
		.locked = { 0, INT64_MAX },
		.mounts = { .cgroups = HOST_CGROUPS_V2, .sysfs = true, .securityfs = true },
	};
}

static const struct trial good = { .visit_one = true, .ran = true, .loaded = true, .python = 3 };
static const struct trial refused = { .ran = true, .err = { -EPERM, "bpf: not permitted" } };

/* One row of the table and its finding. */
struct row {
	const struct check *check;
	struct finding f;
	struct findings all;
	char fix[600];
};

static struct row judge(const struct host *h, const struct trial *t, const char *name)
{
	_cleanup_(buf_done) struct buf fix = {};
	struct row r = {};
	size_t n;
	const struct check *c = checks(&n);

	checks_judge(h, t, &r.all);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(c[i].name, name))
			continue;
		r.check = &c[i];
		r.f = r.all.at[i];
		if (check_fix(r.check, &r.f, "/opt/krait", &fix))
			snprintf(r.fix, sizeof(r.fix), "%s", fix.data);
	}
	CHECK(r.check);
	return r;
}

static void expect(const struct row *r, enum check_status status, const char *found,
		   const char *fix)
{
	if (!CHECK_EQ(r->f.status, status) || !CHECK(strstr(r->f.found, found)) ||
	    !CHECK(fix ? !!strstr(r->fix, fix) : !r->fix[0]))
		printf("# %s: '%s', fix '%s'\n", r->check->name, r->f.found, r->fix);
}

TEST(no_problems)
{
	struct host h = fine_host();
	struct findings f;
	size_t n;
	const struct check *c = checks(&n);

	checks_judge(&h, &good, &f);
	CHECK_EQ(f.all, CHECK_OK);
	for (int m = 0; m < CHECK_MODES; m++)
		CHECK_EQ(f.mode[m], CHECK_OK);
	for (size_t i = 0; i < n; i++)
		if (!CHECK_EQ(f.at[i].status, CHECK_OK) || !CHECK(f.at[i].found[0]))
			printf("# %s: %s\n", c[i].name, f.at[i].found);
}

TEST(rows_are_complete)
{
	size_t n;
	const struct check *c = checks(&n);

	CHECK(n <= CHECKS_MAX);
	for (size_t i = 0; i < n; i++) {
		bool means = false;

		for (int m = 0; m < CHECK_MODES; m++)
			means |= !!c[i].means[m];
		CHECK(c[i].name && c[i].judge && means);
	}
}

TEST(btf)
{
	static const struct {
		enum host_btf is;
		const char *covers, *found, *fix;
	} cases[] = {
		{ HOST_BTF_UNREADABLE, "", "not readable", "sudo /opt/krait" },
		{ HOST_BTF_HIDDEN, "/sys/kernel/btf", "hidden", "sudo umount /sys/kernel/btf" },
		{ HOST_BTF_NO_SYSFS, "", "not mounted", "sudo mount -t sysfs sysfs /sys" },
		{ HOST_BTF_NONE, "", "without BTF", "CONFIG_DEBUG_INFO_BTF=y" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host h = fine_host();
		struct row r;

		h.btf = cases[i].is;
		strcpy(h.mounts.covers_btf, cases[i].covers);
		r = judge(&h, &refused, "btf");
		expect(&r, CHECK_MISSING, cases[i].found, cases[i].fix);
		CHECK_EQ(r.all.all, CHECK_MISSING);
		CHECK_EQ(r.all.mode[CHECK_RECORD], CHECK_MISSING);
		CHECK_EQ(r.all.mode[CHECK_NAMES], CHECK_MISSING);
		r = judge(&h, &refused, "sampler");
		expect(&r, CHECK_UNKNOWN, "no BTF", NULL);
	}
}

TEST(kernels)
{
	struct host h = fine_host();
	struct row r;

	h.version.value = HOST_VERSION(4, 18);
	r = judge(&h, &refused, "kernel");
	expect(&r, CHECK_MISSING, "older than 5.10", "linux-image");
	/*
	 * Distributions backport features, so a kernel on which the trial succeeds is not too old.
	 */
	r = judge(&h, &good, "kernel");
	expect(&r, CHECK_OK, "older than 5.10", NULL);
	h.version.err = -EINVAL;
	r = judge(&h, &good, "kernel");
	expect(&r, CHECK_UNKNOWN, "Invalid", NULL);
	CHECK_EQ(r.all.all, CHECK_OK);
}

TEST(lockdown)
{
	struct host h = fine_host();
	struct row r;

	h.lockdown.value = HOST_LOCKDOWN_INTEGRITY;
	r = judge(&h, &good, "lockdown");
	expect(&r, CHECK_OK, "integrity", NULL);
	h.lockdown.value = HOST_LOCKDOWN_CONFIDENTIALITY;
	r = judge(&h, &refused, "lockdown");
	expect(&r, CHECK_MISSING, "confidentiality", "lockdown=integrity");
	h.lockdown = (struct host_number){ -ENOENT, 0 };
	r = judge(&h, &good, "lockdown");
	expect(&r, CHECK_OK, "no lockdown", NULL);
	h.lockdown.err = -ENODEV;
	r = judge(&h, &good, "lockdown");
	expect(&r, CHECK_UNKNOWN, "not mounted", "mount -t securityfs");
	h.lockdown.err = -EACCES;
	r = judge(&h, &good, "lockdown");
	expect(&r, CHECK_UNKNOWN, "Permission denied", NULL);
}

TEST(capabilities)
{
	static const struct {
		const char *name;
		uint64_t without;
		enum check_status status;
		const char *grant, *bound;
	} cases[] = {
		{ "CAP_BPF", CAP(BPF) | CAP(CAP_SYS_ADMIN), CHECK_MISSING, "cap_bpf", "=BPF" },
		{ "CAP_PERFMON", CAP(PERFMON) | CAP(CAP_SYS_ADMIN), CHECK_MISSING, "cap_perfmon",
		  "=PERFMON" },
		{ "CAP_SYS_ADMIN", CAP(CAP_SYS_ADMIN) | CAP(CHECKPOINT_RESTORE), CHECK_LIMITED,
		  "cap_checkpoint_restore", "=CHECKPOINT_RESTORE" },
		{ "CAP_SYS_PTRACE", CAP(CAP_SYS_PTRACE), CHECK_LIMITED, "cap_sys_ptrace",
		  "=SYS_PTRACE" },
		{ "CAP_DAC_READ_SEARCH", CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_DAC_OVERRIDE),
		  CHECK_LIMITED, "cap_dac_read_search", "=DAC_READ_SEARCH" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct trial *t = cases[i].status == CHECK_MISSING ? &refused : &good;
		struct host h = fine_host();
		struct row r;

		h.caps.effective &= ~cases[i].without;
		r = judge(&h, t, cases[i].name);
		expect(&r, cases[i].status, "not held", cases[i].grant);
		CHECK_EQ(r.all.all, cases[i].status);
		CHECK(strstr(r.fix, "setcap") && strstr(r.fix, "/opt/krait"));
		h.caps.bounding &= ~cases[i].without;
		r = judge(&h, t, cases[i].name);
		expect(&r, cases[i].status, "bounding set", cases[i].bound);
		h.caps = (struct host_caps){ .err = -ENOENT };
		r = judge(&h, &good, cases[i].name);
		expect(&r, CHECK_UNKNOWN, "No such file", NULL);
	}
}

TEST(substitute_capabilities)
{
	struct host h = fine_host();
	struct row r;

	h.caps.effective = CAP(CAP_SYS_ADMIN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_SYS_PTRACE) |
			   CAP(CAP_SYS_NICE);
	r = judge(&h, &good, "CAP_BPF");
	expect(&r, CHECK_OK, "covered by CAP_SYS_ADMIN", NULL);
	CHECK_EQ(r.all.all, CHECK_OK);
	h.caps.effective = CAP(BPF) | CAP(PERFMON) | CAP(CHECKPOINT_RESTORE) |
			   CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_SYS_PTRACE) | CAP(CAP_SYS_NICE);
	r = judge(&h, &good, "CAP_SYS_ADMIN");
	expect(&r, CHECK_OK, "covered by CAP_CHECKPOINT_RESTORE", NULL);
	CHECK_EQ(r.all.all, CHECK_OK);
}

TEST(paranoid)
{
	struct host h = fine_host();
	struct row r;

	h.paranoid.value = 3;
	r = judge(&h, &good, "perf_event_paranoid");
	expect(&r, CHECK_OK, "3", NULL);
	h.caps.effective &= ~CAP(CAP_SYS_ADMIN);
	r = judge(&h, &refused, "perf_event_paranoid");
	expect(&r, CHECK_MISSING, "3: needs CAP_SYS_ADMIN",
	       "sudo sysctl kernel.perf_event_paranoid=2");
	r = judge(&h, &good, "perf_event_paranoid");
	expect(&r, CHECK_OK, "3", NULL);
	h.paranoid.value = -1;
	r = judge(&h, &refused, "perf_event_paranoid");
	expect(&r, CHECK_OK, "-1", NULL);
	h.paranoid.err = -ENOENT;
	r = judge(&h, &good, "perf_event_paranoid");
	expect(&r, CHECK_UNKNOWN, "/proc/sys/kernel/perf_event_paranoid: No such file", NULL);
}

TEST(namespaces)
{
	struct host h = fine_host();
	struct row r;

	h.pid_ns.value = 0;
	r = judge(&h, &refused, "pid namespace");
	expect(&r, CHECK_MISSING, "a child", "--pid=host");
	h.user_ns.value = 0;
	r = judge(&h, &refused, "user namespace");
	expect(&r, CHECK_MISSING, "a child", "on the host");
	h.pid_ns.err = h.user_ns.err = -EACCES;
	r = judge(&h, &good, "pid namespace");
	expect(&r, CHECK_UNKNOWN, "Permission", NULL);
	CHECK_EQ(r.all.all, CHECK_OK);
}

TEST(rates)
{
	struct host h = fine_host();
	struct row r;

	h.rate.value = 5000;
	r = judge(&h, &good, "perf_event_max_sample_rate");
	expect(&r, CHECK_OK, "up to", NULL);
	h.rate.value = 999;
	r = judge(&h, &good, "perf_event_max_sample_rate");
	expect(&r, CHECK_LIMITED, "999", "sudo sysctl kernel.perf_event_max_sample_rate=100000");
	CHECK_EQ(r.all.all, CHECK_LIMITED);
	/* The kernel refuses to change it while perf_cpu_time_max_percent is 0 or 100. */
	h.cpu_time.value = 0;
	r = judge(&h, &good, "perf_event_max_sample_rate");
	expect(&r, CHECK_LIMITED, "999",
	       "kernel.perf_cpu_time_max_percent=25 kernel.perf_event_max");
	r = judge(&h, &good, "perf_cpu_time_max_percent");
	expect(&r, CHECK_OK, "never", NULL);
}

TEST(limits)
{
	struct host h = fine_host();
	struct row r;

	h.files.value = 81;
	r = judge(&h, &refused, "open files");
	expect(&r, CHECK_MISSING, "81", "sudo prlimit --pid $$ --nofile=82:82");
	h.files.value = 82;
	r = judge(&h, &refused, "open files");
	expect(&r, CHECK_OK, "82", NULL);
	h.files.value = 81;
	r = judge(&h, &good, "open files");
	expect(&r, CHECK_OK, "81", NULL);
	h.locked.value = 65536;
	r = judge(&h, &refused, "locked memory");
	expect(&r, CHECK_OK, "5.11", NULL);
	h.version.value = HOST_VERSION(5, 10);
	r = judge(&h, &refused, "locked memory");
	expect(&r, CHECK_OK, "CAP_SYS_RESOURCE", NULL);
	h.caps.effective &= ~CAP(CAP_SYS_RESOURCE);
	r = judge(&h, &refused, "locked memory");
	expect(&r, CHECK_MISSING, "65536", "--memlock=unlimited");
	r = judge(&h, &good, "locked memory");
	expect(&r, CHECK_OK, "65536", NULL);
}

TEST(reading_other_processes)
{
	struct host h = fine_host();
	struct trial t = good;
	struct row r;

	h.yama.value = 3;
	r = judge(&h, &good, "ptrace_scope");
	expect(&r, CHECK_LIMITED, "3", "reboot");
	h.yama.value = 1;
	h.mounts.hidepid = HOST_HIDEPID_INVISIBLE;
	r = judge(&h, &good, "/proc");
	expect(&r, CHECK_OK, "invisible", NULL);
	h.caps.effective &= ~CAP(CAP_SYS_PTRACE);
	r = judge(&h, &good, "/proc");
	expect(&r, CHECK_LIMITED, "invisible", "sudo mount -o remount,hidepid=0 /proc");
	r = judge(&h, &good, "ptrace_scope");
	expect(&r, CHECK_LIMITED, "1", "sudo sysctl kernel.yama.ptrace_scope=0");
	h.mounts.pids_only = true;
	r = judge(&h, &good, "/proc");
	expect(&r, CHECK_LIMITED, "subset=pid", "mount -t proc");
	h.mounts = (struct host_mounts){ .err = -ENOENT };
	r = judge(&h, &good, "/proc");
	expect(&r, CHECK_LIMITED, "not mounted", "mount -t proc");
	h.mounts.err = -EACCES;
	r = judge(&h, &good, "/proc");
	expect(&r, CHECK_UNKNOWN, "Permission", NULL);
	t.refused = 4;
	t.refused_example = 77;
	r = judge(&h, &t, "processes");
	expect(&r, CHECK_LIMITED, "4 (such as pid 77)", "setcap");
	h.caps.effective |= CAP(CAP_SYS_PTRACE);
	r = judge(&h, &t, "processes");
	expect(&r, CHECK_LIMITED, "4 (such as pid 77)", "dmesg");
}

TEST(programs)
{
	struct host h = fine_host();
	struct trial t = good;
	struct row r;

	t.program[TRIAL_SAMPLE] = -EINVAL;
	r = judge(&h, &t, "sampler");
	expect(&r, CHECK_OK, "sample_bounded", NULL);
	t.program[TRIAL_BOUNDED] = -EACCES;
	r = judge(&h, &t, "sampler");
	expect(&r, CHECK_MISSING, "error 22", "-vv");
	/*
	 * -EPERM: too little locked memory or a missing privilege. A different program would not
	 * help.
	 */
	t.program[TRIAL_LIST] = -EPERM;
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "sampler", "lifecycle hooks", "task list" };

		r = judge(&h, &t, names[i]);
		expect(&r, CHECK_UNKNOWN, "permission denied", NULL);
	}
	t = good;
	t.program[TRIAL_EXEC] = -EINVAL;
	t.err = refused.err;
	r = judge(&h, &t, "lifecycle hooks");
	expect(&r, CHECK_MISSING, "on_exec refused, on_exit loads", "-vv");
	CHECK_EQ(r.all.mode[CHECK_LIFECYCLE], CHECK_MISSING);
	t.program[TRIAL_LIST] = -EINVAL;
	r = judge(&h, &t, "task list");
	expect(&r, CHECK_MISSING, "error 22", "-vv");
}

TEST(sleeping_threads)
{
	struct host h = fine_host();
	struct trial t = good;
	struct row r;

	t.visit_one = false;
	t.visit_all = true;
	r = judge(&h, &t, "visitor");
	expect(&r, CHECK_LIMITED, "threads cannot be found by ID", NULL);
	CHECK_EQ(r.all.mode[CHECK_WALL], CHECK_LIMITED);
	CHECK_EQ(r.all.mode[CHECK_RECORD], CHECK_OK);
	t.visit_all = false;
	r = judge(&h, &t, "visitor");
	expect(&r, CHECK_MISSING, "cannot be read", "linux-image");
	CHECK_EQ(r.all.mode[CHECK_WALL], CHECK_MISSING);
	CHECK_EQ(r.all.mode[CHECK_RECORD], CHECK_OK);
	h.caps.effective &= ~CAP(CAP_SYS_NICE);
	r = judge(&h, &good, "CAP_SYS_NICE");
	expect(&r, CHECK_LIMITED, "not held", "cap_sys_nice");
	CHECK_EQ(r.all.mode[CHECK_WALL], CHECK_LIMITED);
}

/* If the trial fails for a reason that no row covers, the trial decides. */
TEST(trial_decides)
{
	struct host h = fine_host();
	struct row r = judge(&h, &refused, "trial");

	expect(&r, CHECK_MISSING, "bpf: not permitted", NULL);
	CHECK_EQ(r.all.all, CHECK_MISSING);
	CHECK_EQ(r.all.mode[CHECK_LIFECYCLE], CHECK_MISSING);
	/* Conversely, a successful trial overrides rows that would predict a failure. */
	h.caps.effective = 0;
	r = judge(&h, &good, "CAP_BPF");
	CHECK_EQ(r.f.status, CHECK_OK);
	CHECK_EQ(r.all.all, CHECK_LIMITED);
}

TEST(results_as_root)
{
	static const struct trial none;
	struct host h = fine_host(), root;
	struct row r;

	h.caps.effective = 0;
	h.btf = HOST_BTF_UNREADABLE;
	root = checks_as_root(&h);
	r = judge(&root, &none, "CAP_BPF");
	expect(&r, CHECK_OK, "held", NULL);
	CHECK_EQ(r.all.all, CHECK_OK);
	h.pid_ns.value = 0;
	h.caps.bounding &= ~CAP(CAP_SYS_PTRACE);
	root = checks_as_root(&h);
	r = judge(&root, &none, "CAP_SYS_PTRACE");
	expect(&r, CHECK_LIMITED, "bounding", "--cap-add=SYS_PTRACE");
	CHECK_EQ(r.all.all, CHECK_MISSING);
}
