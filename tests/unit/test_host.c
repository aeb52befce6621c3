/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/host: texts from old and new kernels, malformed texts, and this host. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/host.h"
#include "tap.h"

static void expect_number(struct host_number n, int err, long long value)
{
	CHECK_EQ(n.err, err);
	CHECK_EQ(n.value, value);
}

TEST(versions)
{
	expect_number(host_version("5.10.0-32-amd64"), 0, HOST_VERSION(5, 10));
	expect_number(host_version("6.1.0"), 0, HOST_VERSION(6, 1));
	expect_number(host_version("4.18.0-553.el8_10.x86_64"), 0, HOST_VERSION(4, 18));
	expect_number(host_version("7.2-rc1"), 0, HOST_VERSION(7, 2));
	CHECK(HOST_VERSION(5, 9) < HOST_VERSION(5, 10));
	CHECK(HOST_VERSION(5, 99) < HOST_VERSION(6, 0));
	expect_number(host_version(""), -EINVAL, 0);
	expect_number(host_version("6"), -EINVAL, 0);
	expect_number(host_version("linux"), -EINVAL, 0);
}

TEST(capabilities)
{
	struct host_caps c = host_caps("Name:\tx\nCapInh:\t0000000000000000\n"
				       "CapPrm:\t000001ffffffffff\nCapEff:\t000000c000080004\n"
				       "CapBnd:\t000001fffeffffff\nCapAmb:\t0000000000000000\n");

	CHECK_EQ(c.err, 0);
	CHECK_EQ(c.effective, 0xc000080004);
	CHECK_EQ(c.bounding, 0x1fffeffffff);
}

TEST(missing_capabilities)
{
	static const char *const texts[] = {
		"",
		"Name:\tCapEff: 1 CapPrm: 1 CapBnd: 1\n",
		"Name:\tx\nCapPrm:\t1\nCapEff:\t1\n",
		"Name:\tx\nCapPrm:\t1\nCapEff:\tzz\nCapBnd:\t1\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct host_caps c = host_caps(texts[i]);

		CHECK_EQ(c.err, -ENODATA);
		CHECK_EQ(c.effective | c.bounding, 0);
	}
}

TEST(lockdown)
{
	expect_number(host_lockdown("[none] integrity confidentiality\n"), 0, HOST_LOCKDOWN_NONE);
	expect_number(host_lockdown("none [integrity] confidentiality\n"), 0,
		      HOST_LOCKDOWN_INTEGRITY);
	expect_number(host_lockdown("none integrity [confidentiality]"), 0,
		      HOST_LOCKDOWN_CONFIDENTIALITY);
	expect_number(host_lockdown("none integrity confidentiality\n"), -EINVAL, 0);
	expect_number(host_lockdown("[more]\n"), -EINVAL, 0);
	expect_number(host_lockdown(""), -EINVAL, 0);
}

TEST(sysctls)
{
	expect_number(host_sysctl("3\n"), 0, 3);
	expect_number(host_sysctl("-1\n"), 0, -1);
	expect_number(host_sysctl("100000"), 0, 100000);
	expect_number(host_sysctl(""), -EINVAL, 0);
	expect_number(host_sysctl("\n"), -EINVAL, 0);
	expect_number(host_sysctl("3 4\n"), -EINVAL, 0);
	expect_number(host_sysctl("three\n"), -EINVAL, 0);
	expect_number(host_sysctl("99999999999999999999\n"), -EINVAL, 0);
}

TEST(cpu_lists)
{
	expect_number(host_cpu_count("0\n"), 0, 1);
	expect_number(host_cpu_count("0-3\n"), 0, 4);
	expect_number(host_cpu_count("0-3,8,10-11\n"), 0, 7);
	expect_number(host_cpu_count("0-999999"), 0, 1000000);
	expect_number(host_cpu_count(""), -EINVAL, 0);
	expect_number(host_cpu_count("\n"), -EINVAL, 0);
	expect_number(host_cpu_count("3-0\n"), -EINVAL, 0);
	expect_number(host_cpu_count("0-\n"), -EINVAL, 0);
	expect_number(host_cpu_count("0,\n"), -EINVAL, 0);
	expect_number(host_cpu_count("0 1\n"), -EINVAL, 0);
}

#define PROC_LINE "22 27 0:21 / /proc rw,relatime - proc proc rw"
#define SYS_LINE  "23 27 0:22 / /sys rw,relatime shared:7 - sysfs sysfs rw\n"

static enum host_cgroups cgroups_of(const char *text)
{
	struct host_mounts m;

	host_mounts(text, &m);
	CHECK_EQ(m.err, 0);
	return m.cgroups;
}

TEST(cgroup_modes)
{
	static const char v1[] =
		"32 31 0:29 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu\n"
		"36 31 0:33 / /sys/fs/cgroup/pids rw shared:9 master:3 - cgroup cgroup rw,pids\n";
	static const char v2[] = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
	char both[400];

	CHECK_EQ(cgroups_of(PROC_LINE "\n" SYS_LINE), HOST_CGROUPS_NONE);
	CHECK_EQ(cgroups_of(v1), HOST_CGROUPS_V1);
	CHECK_EQ(cgroups_of(v2), HOST_CGROUPS_V2);
	snprintf(both, sizeof(both), "%s%s", v1, v2);
	CHECK_EQ(cgroups_of(both), HOST_CGROUPS_HYBRID);
	snprintf(both, sizeof(both), "%s%s", v2, v1);
	CHECK_EQ(cgroups_of(both), HOST_CGROUPS_HYBRID);
	/* A tmpfs mounted there is not a hierarchy. */
	CHECK_EQ(cgroups_of("31 23 0:28 / /sys/fs/cgroup rw - tmpfs cgroup rw\n"),
		 HOST_CGROUPS_NONE);
}

static struct host_mounts proc_with(const char *options)
{
	char text[300];
	struct host_mounts m;

	snprintf(text, sizeof(text), "%s%s\n", PROC_LINE, options);
	host_mounts(text, &m);
	return m;
}

TEST(options_of_proc)
{
	CHECK_EQ(proc_with("").hidepid, HOST_HIDEPID_OFF);
	CHECK_EQ(proc_with(",hidepid=0").hidepid, HOST_HIDEPID_OFF);
	CHECK_EQ(proc_with(",hidepid=1").hidepid, HOST_HIDEPID_NOACCESS);
	CHECK_EQ(proc_with(",gid=5,hidepid=2").hidepid, HOST_HIDEPID_INVISIBLE);
	CHECK_EQ(proc_with(",hidepid=invisible,subset=pid").hidepid, HOST_HIDEPID_INVISIBLE);
	CHECK_EQ(proc_with(",hidepid=ptraceable").hidepid, HOST_HIDEPID_PTRACEABLE);
	CHECK_EQ(proc_with(",hidepid=noaccess").hidepid, HOST_HIDEPID_NOACCESS);
	CHECK_EQ(proc_with(",nohidepid=2").hidepid, HOST_HIDEPID_OFF);
	CHECK(proc_with(",subset=pid").pids_only);
	CHECK(!proc_with(",hidepid=2").pids_only);
	/* The last mount on a path counts. */
	CHECK_EQ(proc_with(",hidepid=2\n" PROC_LINE).hidepid, HOST_HIDEPID_OFF);
}

TEST(mounts_over_btf)
{
	struct host_mounts m;

	host_mounts(SYS_LINE, &m);
	CHECK(m.sysfs && !m.securityfs);
	CHECK_STR(m.covers_btf, "");
	host_mounts(SYS_LINE "60 23 0:50 / /sys/kernel/btf rw - tmpfs none rw\n", &m);
	CHECK_STR(m.covers_btf, "/sys/kernel/btf");
	host_mounts(SYS_LINE "60 23 0:50 / /sys/kernel/btf/vmlinux rw - tmpfs none rw\n", &m);
	CHECK_STR(m.covers_btf, "/sys/kernel/btf/vmlinux");
	host_mounts(SYS_LINE "60 23 0:50 / /sys/kernel rw - tmpfs none rw\n", &m);
	CHECK_STR(m.covers_btf, "/sys/kernel");
	host_mounts(SYS_LINE "60 23 0:50 / /sys/kernel/bt rw - tmpfs none rw\n", &m);
	CHECK_STR(m.covers_btf, "");
	host_mounts("60 23 0:50 / /sys/kernel/btf rw - tmpfs none rw\n" SYS_LINE, &m);
	CHECK_STR(m.covers_btf, "");
	host_mounts(SYS_LINE "24 23 0:7 / /sys/kernel/security rw - securityfs securityfs rw\n",
		    &m);
	CHECK(m.securityfs);
	CHECK_STR(m.covers_btf, "");
	host_mounts("23 27 0:22 / /sys rw - tmpfs tmpfs rw\n", &m);
	CHECK(!m.sysfs);
}

TEST(malformed_mount_lines)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		" - ",
		"a - b",
		"a b c d e - cgroup2",
		"a b c d e - cgroup2 x",
		"a b c - cgroup2 x rw",
		"1 2 3 4 /proc rw proc proc hidepid=2",
		"                                        - cgroup2 cgroup2 rw",
	};
	struct host_mounts m;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		host_mounts(texts[i], &m);
		CHECK_EQ(m.err, 0);
		CHECK_EQ(m.cgroups, HOST_CGROUPS_NONE);
		CHECK_EQ(m.hidepid, HOST_HIDEPID_OFF);
	}
}

TEST(this_host)
{
	struct host h;

	host_read(&h);
	CHECK_EQ(h.version.err, 0);
	CHECK(h.version.value >= HOST_VERSION(3, 0));
	CHECK_EQ(h.caps.err, 0);
	CHECK_EQ(h.caps.effective & ~h.caps.bounding, 0);
	CHECK_EQ(h.cpus.err, 0);
	CHECK_EQ(h.cpus.value, sysconf(_SC_NPROCESSORS_ONLN));
	CHECK_EQ(h.files.err, 0);
	CHECK(h.files.value > 0);
	CHECK_EQ(h.mounts.err, 0);
	CHECK_EQ(h.btf == HOST_BTF_READABLE, !access("/sys/kernel/btf/vmlinux", R_OK));
}

static double uptime(void)
{
	_fclose_ FILE *f = fopen("/proc/uptime", "re");
	double up = 0;

	if (!f || fscanf(f, "%lf", &up) != 1)
		return -1;
	return up;
}

/* The sum of host_idle_ns() in ticks, from the words of the line; -1: there is no such line. */
static long long idle_ticks(void)
{
	_fclose_ FILE *f = fopen("/proc/stat", "re");
	long long sum = -1;
	char line[512], *word, *rest;
	int field;

	while (sum < 0 && f && fgets(line, sizeof(line), f)) {
		word = strtok_r(line, " \n", &rest);
		if (!word || strcmp(word, "cpu"))
			continue;
		sum = 0;
		for (field = 1; (word = strtok_r(NULL, " \n", &rest)); field++)
			if (field == 4 || field == 5)
				sum += atoll(word);
	}
	return sum;
}

TEST(idle_time)
{
	unsigned long long before = 0, after = 0, tick = 1000000000 / sysconf(_SC_CLK_TCK);
	long long ticks;

	CHECK_EQ(host_idle_ns(&before), 0);
	ticks = idle_ticks();
	CHECK_EQ(host_idle_ns(&after), 0);
	CHECK(ticks >= 0 && before <= ticks * tick && ticks * tick <= after);
	CHECK(after <= (uptime() + 1) * 1e9 * sysconf(_SC_NPROCESSORS_CONF));
}

TEST(pid_namespace)
{
	const struct host_number here = host_pid_ns();
	int status;
	pid_t pid;

	CHECK(!here.err && (here.value == 0 || here.value == 1));
	if (geteuid())
		SKIP("the second half needs root");
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(100);
		pid = fork();
		if (!pid)
			_exit(host_pid_ns().value == 0 ? 0 : 1);
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 100)
		SKIP("cannot create PID namespaces here");
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST(memory)
{
	uint64_t bytes = host_memory();

	CHECK(bytes > 16 << 20);
	CHECK(bytes <= (uint64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

TEST(threads)
{
	CHECK(host_threads() > 1);
}

TEST(boot)
{
	CHECK(host_boot());
	CHECK_EQ(host_boot(), host_boot());
}
