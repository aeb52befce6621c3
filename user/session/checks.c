/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judges, then the table. A judge fills in what it found and a status; the texts about consequences and
 * fixes are in the table.
 */
#include "session/checks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

/* Missing in the headers of some distributions on which krait is built. */
enum {
	PERFMON = 38,
	BPF = 39,
	CHECKPOINT_RESTORE = 40,
};

enum {
	LOW_RATE = 1000, /* Hz: a rate that users do ask for */
	MAX_HZ = 20000,
	FILES_BESIDES = 66, /* descriptors that do not depend on the number of CPUs, in any mode */
	LOCKED_NEED = 128 << 20, /* bytes: maps for 2 CPUs take some 20 MB, rings grow with CPUs */
	PARANOID_UPSTREAM = 2,   /* the highest level of upstream kernels; distributions add more */
};

enum { NO_FIX = CHECK_FIXES };

static void say(struct finding *f, enum check_status status, unsigned int fix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct finding *f, enum check_status status, unsigned int fix, const char *fmt, ...)
{
	va_list ap;

	f->status = status;
	f->fix = fix;
	va_start(ap, fmt);
	if (vsnprintf(f->found, sizeof(f->found), fmt, ap) < 0)
		f->found[0] = '\0';
	va_end(ap);
}

/* True, with the reason in @f, if the number could not be read. */
static bool not_known(struct finding *f, const struct host_number *n, const char *where)
{
	if (n->err)
		say(f, CHECK_UNKNOWN, NO_FIX, "%s: %s", where, strerror(-n->err));
	return n->err;
}

static bool works(const struct trial *t)
{
	return t->ran && !t->err.code;
}

/* An apparent obstacle does not count as missing if the trial recording worked. */
static enum check_status missing_unless(const struct trial *t)
{
	return works(t) ? CHECK_OK : CHECK_MISSING;
}

static bool has(const struct host *h, int cap)
{
	return h->caps.effective >> cap & 1;
}

/* --- the kernel ------------------------------------------------------------------------------- */

static void judge_kernel(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_known(f, &h->version, "uname"))
		return;
	if (h->version.value < HOST_VERSION(5, 10))
		say(f, missing_unless(t), 0, "%s on %s: older than 5.10", h->release, h->machine);
	else
		say(f, CHECK_OK, NO_FIX, "%s on %s", h->release, h->machine);
}

enum { BTF_FIX_KERNEL, BTF_FIX_HIDDEN, BTF_FIX_SYSFS, BTF_FIX_MODE };

static void judge_btf(const struct host *h, const struct trial *t, struct finding *f)
{
	static const struct {
		enum check_status status;
		unsigned int fix;
		const char *found;
	} cases[] = {
		[HOST_BTF_READABLE] = { CHECK_OK, NO_FIX, "/sys/kernel/btf/vmlinux is readable" },
		[HOST_BTF_UNREADABLE] = { CHECK_MISSING, BTF_FIX_MODE,
					  "/sys/kernel/btf/vmlinux is there, but not readable" },
		[HOST_BTF_HIDDEN] = { CHECK_MISSING, BTF_FIX_HIDDEN,
				      "/sys/kernel/btf/vmlinux is hidden by another mount" },
		[HOST_BTF_NO_SYSFS] = { CHECK_MISSING, BTF_FIX_SYSFS, "/sys is not mounted" },
		[HOST_BTF_NONE] = { CHECK_MISSING, BTF_FIX_KERNEL,
				    "this kernel was built without BTF" },
	};

	say(f, cases[h->btf].status, cases[h->btf].fix, "%s", cases[h->btf].found);
	snprintf(f->object, sizeof(f->object), "%s", h->mounts.covers_btf);
}

static void judge_lockdown(const struct host *h, const struct trial *t, struct finding *f)
{
	static const char *const levels[] = {
		[HOST_LOCKDOWN_NONE] = "none",
		[HOST_LOCKDOWN_INTEGRITY] = "integrity: forbids writing, and krait only reads",
		[HOST_LOCKDOWN_CONFIDENTIALITY] =
			"confidentiality: BPF programs may not read kernel memory",
	};
	const struct host_number *n = &h->lockdown;

	if (n->err == -ENOENT)
		say(f, CHECK_OK, NO_FIX, "none: this kernel has no lockdown");
	else if (n->err == -ENODEV)
		say(f, CHECK_UNKNOWN, 1, "unknown: securityfs is not mounted");
	else if (!not_known(f, n, "/sys/kernel/security/lockdown"))
		say(f, n->value == HOST_LOCKDOWN_CONFIDENTIALITY ? missing_unless(t) : CHECK_OK, 0,
		    "%s", levels[n->value]);
}

/* --- the caller ------------------------------------------------------------------------------- */

enum { CAP_FIX_GRANT, CAP_FIX_BOUND, CAP_FIX_OTHER };

static unsigned int cap_fix(const struct host *h, int cap)
{
	return h->caps.bounding >> cap & 1 ? CAP_FIX_GRANT : CAP_FIX_BOUND;
}

static bool caps_unknown(const struct host *h, struct finding *f)
{
	if (h->caps.err)
		say(f, CHECK_UNKNOWN, NO_FIX, "/proc/self/status: %s", strerror(-h->caps.err));
	return h->caps.err;
}

/* Judges a capability: either @cap or @other is enough. */
static void judge_cap(const struct host *h, struct finding *f, int cap, int other,
		      const char *other_name, enum check_status without)
{
	if (caps_unknown(h, f))
		return;
	if (has(h, cap))
		say(f, CHECK_OK, NO_FIX, "held");
	else if (has(h, other))
		say(f, CHECK_OK, NO_FIX, "not held; covered by %s", other_name);
	else
		say(f, without, cap_fix(h, cap), "not held%s",
		    cap_fix(h, cap) == CAP_FIX_BOUND ? ", and not in the bounding set" : "");
}

static void judge_bpf(const struct host *h, const struct trial *t, struct finding *f)
{
	judge_cap(h, f, BPF, CAP_SYS_ADMIN, "CAP_SYS_ADMIN", missing_unless(t));
}

static void judge_perfmon(const struct host *h, const struct trial *t, struct finding *f)
{
	judge_cap(h, f, PERFMON, CAP_SYS_ADMIN, "CAP_SYS_ADMIN", missing_unless(t));
}

/* CAP_SYS_ADMIN is needed to open a mapped file without a path; since 5.9 CAP_CHECKPOINT_RESTORE is enough. */
static void judge_admin(const struct host *h, const struct trial *t, struct finding *f)
{
	judge_cap(h, f, CAP_SYS_ADMIN, CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", CHECK_LIMITED);
}

static void judge_ptrace(const struct host *h, const struct trial *t, struct finding *f)
{
	judge_cap(h, f, CAP_SYS_PTRACE, CAP_SYS_PTRACE, "", CHECK_LIMITED);
}

static void judge_dac(const struct host *h, const struct trial *t, struct finding *f)
{
	judge_cap(h, f, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", CHECK_LIMITED);
}

static void judge_user_ns(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_known(f, &h->user_ns, "/proc/self/ns/user"))
		return;
	if (h->user_ns.value)
		say(f, CHECK_OK, NO_FIX, "the host's");
	else
		say(f, missing_unless(t), 0,
		    "a child namespace: its capabilities do not count for BPF");
}

static void judge_pid_ns(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_known(f, &h->pid_ns, "/proc/self/ns/pid"))
		return;
	if (h->pid_ns.value)
		say(f, CHECK_OK, NO_FIX, "the host's");
	else
		say(f, missing_unless(t), 0,
		    "a child namespace: the host's processes have no IDs in it");
}

/* --- settings --------------------------------------------------------------------------------- */

static void judge_paranoid(const struct host *h, const struct trial *t, struct finding *f)
{
	long long level = h->paranoid.value;

	if (not_known(f, &h->paranoid, "/proc/sys/kernel/perf_event_paranoid"))
		return;
	if (level <= PARANOID_UPSTREAM)
		say(f, CHECK_OK, NO_FIX, "%lld: CAP_PERFMON is enough", level);
	else if (h->caps.err || has(h, CAP_SYS_ADMIN))
		say(f, CHECK_OK, NO_FIX, "%lld: needs CAP_SYS_ADMIN", level);
	else
		say(f, missing_unless(t), 0, "%lld: needs CAP_SYS_ADMIN, which is not held", level);
}

static void judge_bpf_users(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_known(f, &h->bpf_users, "/proc/sys/kernel/unprivileged_bpf_disabled"))
		return;
	say(f, CHECK_OK, NO_FIX, "%lld: no effect, krait loads with CAP_BPF",
	    (long long)h->bpf_users.value);
}

enum { RATE_FIX_RATE, RATE_FIX_BOTH };

static void judge_rate(const struct host *h, const struct trial *t, struct finding *f)
{
	bool fixed = !h->cpu_time.err && (h->cpu_time.value <= 0 || h->cpu_time.value >= 100);
	long long rate = h->rate.value;

	if (not_known(f, &h->rate, "/proc/sys/kernel/perf_event_max_sample_rate"))
		return;
	if (rate < LOW_RATE)
		say(f, CHECK_LIMITED, fixed ? RATE_FIX_BOTH : RATE_FIX_RATE,
		    "%lld: limits a high -F, not the default rate", rate);
	else if (rate < MAX_HZ)
		say(f, CHECK_OK, NO_FIX, "%lld: no limit for -F up to this value", rate);
	else
		say(f, CHECK_OK, NO_FIX, "%lld: no limit for any -F", rate);
}

static void judge_cpu_time(const struct host *h, const struct trial *t, struct finding *f)
{
	long long percent = h->cpu_time.value;

	if (not_known(f, &h->cpu_time, "/proc/sys/kernel/perf_cpu_time_max_percent"))
		return;
	if (percent <= 0 || percent >= 100)
		say(f, CHECK_OK, NO_FIX, "%lld: the kernel never lowers the rate", percent);
	else
		say(f, CHECK_OK, NO_FIX,
		    "%lld: only hardware counters can make the kernel lower the rate", percent);
}

static void judge_yama(const struct host *h, const struct trial *t, struct finding *f)
{
	long long scope = h->yama.value;

	if (h->yama.err == -ENOENT)
		say(f, CHECK_OK, NO_FIX, "none: this kernel has no Yama, or it is off");
	else if (not_known(f, &h->yama, "/proc/sys/kernel/yama/ptrace_scope"))
		return;
	else if (scope >= 3)
		say(f, CHECK_LIMITED, 1, "%lld: no process may read another until reboot", scope);
	else if (scope <= 0 || h->caps.err || has(h, CAP_SYS_PTRACE))
		say(f, CHECK_OK, NO_FIX, "%lld", scope);
	else
		say(f, CHECK_LIMITED, 0, "%lld: needs CAP_SYS_PTRACE, which is not held", scope);
}

static const char *hidepid_text(enum host_hidepid h)
{
	return h == HOST_HIDEPID_OFF         ? "off"
	       : h == HOST_HIDEPID_NOACCESS  ? "noaccess"
	       : h == HOST_HIDEPID_INVISIBLE ? "invisible"
					     : "ptraceable";
}

enum { PROC_FIX_OPTION, PROC_FIX_MOUNT };

static void judge_proc(const struct host *h, const struct trial *t, struct finding *f)
{
	const char *what = hidepid_text(h->mounts.hidepid);

	if (h->mounts.err == -ENOENT)
		say(f, CHECK_LIMITED, PROC_FIX_MOUNT, "/proc is not mounted");
	else if (h->mounts.err)
		say(f, CHECK_UNKNOWN, NO_FIX, "/proc/self/mountinfo: %s", strerror(-h->mounts.err));
	else if (h->mounts.pids_only)
		say(f, CHECK_LIMITED, PROC_FIX_MOUNT,
		    "/proc is mounted with subset=pid: settings and times are hidden");
	else if (h->mounts.hidepid == HOST_HIDEPID_OFF)
		say(f, CHECK_OK, NO_FIX, "hidepid is %s", what);
	else if (h->caps.err || has(h, CAP_SYS_PTRACE))
		say(f, CHECK_OK, NO_FIX, "hidepid is %s: CAP_SYS_PTRACE sees all processes", what);
	else
		say(f, CHECK_LIMITED, PROC_FIX_OPTION,
		    "hidepid is %s: needs CAP_SYS_PTRACE, which is not held", what);
}

static void judge_cgroups(const struct host *h, const struct trial *t, struct finding *f)
{
	static const char *const modes[] = {
		[HOST_CGROUPS_NONE] = "none mounted",
		[HOST_CGROUPS_V1] = "v1",
		[HOST_CGROUPS_HYBRID] = "hybrid: v2 beside v1",
		[HOST_CGROUPS_V2] = "v2",
	};

	if (h->mounts.err)
		say(f, CHECK_UNKNOWN, NO_FIX, "/proc/self/mountinfo: %s", strerror(-h->mounts.err));
	else
		say(f, CHECK_OK, NO_FIX, "%s; recording does not depend on it",
		    modes[h->mounts.cgroups]);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void judge_memlock(const struct host *h, const struct trial *t, struct finding *f)
{
	long long have = h->locked.value;

	if (not_known(f, &h->locked, "getrlimit") || not_known(f, &h->version, "uname"))
		return;
	if (h->version.value >= HOST_VERSION(5, 11))
		say(f, CHECK_OK, NO_FIX, "not needed since Linux 5.11");
	else if (have >= LOCKED_NEED)
		say(f, CHECK_OK, NO_FIX, "enough");
	else if (!h->caps.err && has(h, CAP_SYS_RESOURCE))
		say(f, CHECK_OK, NO_FIX, "%lld bytes; CAP_SYS_RESOURCE lets krait raise it", have);
	else
		say(f, missing_unless(t), 0,
		    "%lld bytes; before Linux 5.11, BPF maps count against it", have);
}

static void judge_files(const struct host *h, const struct trial *t, struct finding *f)
{
	long long need = 2 * h->cpus.value + FILES_BESIDES, have = h->files.value;

	if (not_known(f, &h->cpus, "/sys/devices/system/cpu/online") ||
	    not_known(f, &h->files, "getrlimit"))
		return;
	f->number = need;
	if (have == INT64_MAX)
		say(f, CHECK_OK, NO_FIX, "no limit");
	else
		say(f, have >= need ? CHECK_OK : missing_unless(t), 0,
		    "%lld; %lld CPUs need up to %lld", have, (long long)h->cpus.value, need);
}

/* --- the trial -------------------------------------------------------------------------------- */

/* The verifier never returns EPERM: the cause is a privilege or a limit, not one of the programs. */
static bool refused(const struct trial *t)
{
	for (int i = 0; i < TRIAL_PROGRAMS; i++)
		if (t->program[i] == -EPERM)
			return true;
	return false;
}

/* True, with the reason in @f, if the trial did not load the programs one by one. */
static bool not_tried(const struct host *h, const struct trial *t, struct finding *f)
{
	if (t->loaded && refused(t))
		say(f, CHECK_UNKNOWN, NO_FIX,
		    "not tried: permission denied, or too little locked memory");
	if (t->loaded)
		return refused(t);
	say(f, CHECK_UNKNOWN, NO_FIX, "not tried: %s",
	    h->btf != HOST_BTF_READABLE ? "no BTF" : "needs CAP_BPF and CAP_PERFMON");
	return true;
}

static void judge_sampler(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_tried(h, t, f))
		return;
	if (!t->program[TRIAL_SAMPLE])
		say(f, CHECK_OK, NO_FIX, "sample loads");
	else if (!t->program[TRIAL_BOUNDED])
		say(f, CHECK_OK, NO_FIX, "sample_bounded loads (for kernels before 5.17)");
	else
		say(f, CHECK_MISSING, 0,
		    "neither sample (error %d) nor sample_bounded (error %d) loads",
		    -t->program[TRIAL_SAMPLE], -t->program[TRIAL_BOUNDED]);
}

static void judge_lifecycle(const struct host *h, const struct trial *t, struct finding *f)
{
	const int *p = t->program;

	if (not_tried(h, t, f))
		return;
	if (!p[TRIAL_FORK] && !p[TRIAL_EXEC] && !p[TRIAL_EXIT])
		say(f, CHECK_OK, NO_FIX, "on_fork, on_exec and on_exit load");
	else
		say(f, CHECK_MISSING, 0, "on_fork %s, on_exec %s, on_exit %s",
		    p[TRIAL_FORK] ? "refused" : "loads", p[TRIAL_EXEC] ? "refused" : "loads",
		    p[TRIAL_EXIT] ? "refused" : "loads");
}

static void judge_list(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_tried(h, t, f))
		return;
	if (t->program[TRIAL_LIST])
		say(f, CHECK_MISSING, 0, "list_tasks does not load (error %d)",
		    -t->program[TRIAL_LIST]);
	else
		say(f, CHECK_OK, NO_FIX, "list_tasks loads");
}

static void judge_visitor(const struct host *h, const struct trial *t, struct finding *f)
{
	if (not_tried(h, t, f))
		return;
	if (t->visit_one)
		say(f, CHECK_OK, NO_FIX, "memory of sleeping threads can be read");
	else if (t->visit_all)
		say(f, CHECK_LIMITED, NO_FIX,
		    "memory of sleeping threads can be read, but threads cannot be found by ID");
	else
		say(f, CHECK_MISSING, 0, "memory of sleeping threads cannot be read");
}

static void judge_nice(const struct host *h, const struct trial *t, struct finding *f)
{
	judge_cap(h, f, CAP_SYS_NICE, CAP_SYS_NICE, "", CHECK_LIMITED);
}

static void judge_processes(const struct host *h, const struct trial *t, struct finding *f)
{
	bool allowed = !h->caps.err && has(h, CAP_SYS_PTRACE);

	if (!works(t))
		say(f, CHECK_UNKNOWN, NO_FIX, "not tried: recording does not work");
	else if (t->refused)
		say(f, CHECK_LIMITED, allowed ? CAP_FIX_OTHER : cap_fix(h, CAP_SYS_PTRACE),
		    "Python processes: %u; not readable: %u (such as pid %u)", t->python,
		    t->refused, t->refused_example);
	else
		say(f, CHECK_OK, NO_FIX, "Python processes: %u; all processes are readable",
		    t->python);
}

static void judge_trial(const struct host *h, const struct trial *t, struct finding *f)
{
	if (!t->ran)
		say(f, CHECK_UNKNOWN, NO_FIX, "not tried");
	else if (t->err.code)
		say(f, CHECK_MISSING, 0, "%s", t->err.text);
	else
		say(f, CHECK_OK, NO_FIX, "everything up to the first sample works");
}

/* --- rows ------------------------------------------------------------------------------------- */

#define NO_PROGRAMS "fails: krait's BPF programs cannot be loaded"
#define GRANT                                                                                      \
	"sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,"                      \
	"cap_checkpoint_restore,cap_sys_nice=ep @  # or run it with sudo"
#define BOUND(cap)                                                                                 \
	"docker run --cap-add=" cap                                                                \
	" ...  # or start it outside the container; a systemd unit needs CAP_" cap                 \
	" in CapabilityBoundingSet= and AmbientCapabilities="
#define OUTSIDE  "sudo @ record  # on the host, outside the container"
#define VERIFIER "sudo @ record -d 1s -vv >/dev/null  # shows the verifier's log"

static const struct check rows[] = {
	{ "kernel",
	  judge_kernel,
	  { [CHECK_RECORD] = "probably fails: krait needs Linux 5.10 or newer",
	    [CHECK_LIFECYCLE] = "probably fails, for the same reason" },
	  { "sudo apt-get install linux-image-$(dpkg --print-architecture) && sudo reboot  # or "
	    "your distribution's equivalent" } },
	{ "btf",
	  judge_btf,
	  { [CHECK_RECORD] = NO_PROGRAMS, [CHECK_LIFECYCLE] = NO_PROGRAMS },
	  { [BTF_FIX_KERNEL] = "sudo apt-get install linux-image-$(dpkg --print-architecture) && "
			       "sudo reboot  # any kernel with CONFIG_DEBUG_INFO_BTF=y",
	    [BTF_FIX_HIDDEN] = "sudo umount @",
	    [BTF_FIX_SYSFS] = "sudo mount -t sysfs sysfs /sys",
	    [BTF_FIX_MODE] = "sudo @ record" } },
	{ "lockdown",
	  judge_lockdown,
	  { [CHECK_RECORD] = "fails: confidentiality mode forbids bpf_probe_read_kernel (reading "
			     "the memory of programs is allowed)",
	    [CHECK_LIFECYCLE] = "fails, for the same reason" },
	  { "sudo sed -i 's/lockdown=confidentiality/lockdown=integrity/' /etc/default/grub && "
	    "sudo update-grub && sudo reboot",
	    "sudo mount -t securityfs securityfs /sys/kernel/security" } },
	{ "user namespace",
	  judge_user_ns,
	  { [CHECK_RECORD] = NO_PROGRAMS, [CHECK_LIFECYCLE] = NO_PROGRAMS },
	  { OUTSIDE } },
	{ "pid namespace",
	  judge_pid_ns,
	  { [CHECK_RECORD] = "refused: krait could not identify any process",
	    [CHECK_NAMES] = "fails" },
	  { "docker run --pid=host ...  # or run it on the host" } },
	{ "CAP_BPF",
	  judge_bpf,
	  { [CHECK_RECORD] = NO_PROGRAMS, [CHECK_LIFECYCLE] = NO_PROGRAMS },
	  { [CAP_FIX_GRANT] = GRANT, [CAP_FIX_BOUND] = BOUND("BPF") } },
	{ "CAP_PERFMON",
	  judge_perfmon,
	  { [CHECK_RECORD] = "fails: neither CPU clock events nor memory reads are permitted",
	    [CHECK_LIFECYCLE] = "fails: tracing programs are refused" },
	  { [CAP_FIX_GRANT] = GRANT, [CAP_FIX_BOUND] = BOUND("PERFMON") } },
	{ "CAP_SYS_ADMIN",
	  judge_admin,
	  { [CHECK_NAMES] =
		    "an interpreter whose file was deleted or replaced while it runs is not "
		    "recognised" },
	  { [CAP_FIX_GRANT] = GRANT, [CAP_FIX_BOUND] = BOUND("CHECKPOINT_RESTORE") } },
	{ "CAP_SYS_PTRACE",
	  judge_ptrace,
	  { [CHECK_RECORD] = "only processes that the caller may trace are recorded; the summary "
			     "counts the others",
	    [CHECK_NAMES] = "processes of other users, and of the same user with more privileges, "
			    "are not recognised" },
	  { [CAP_FIX_GRANT] = GRANT, [CAP_FIX_BOUND] = BOUND("SYS_PTRACE") } },
	{ "CAP_DAC_READ_SEARCH",
	  judge_dac,
	  { [CHECK_NAMES] = "interpreters in directories that the caller may not enter are not "
			    "recognised" },
	  { [CAP_FIX_GRANT] = GRANT, [CAP_FIX_BOUND] = BOUND("DAC_READ_SEARCH") } },
	{ "perf_event_paranoid",
	  judge_paranoid,
	  { [CHECK_RECORD] =
		    "fails: above 2 (Debian: 3, Ubuntu: 4), CPU clock events need CAP_SYS_ADMIN" },
	  { "sudo sysctl kernel.perf_event_paranoid=2" } },
	{ "unprivileged_bpf_disabled",
	  judge_bpf_users,
	  { [CHECK_RECORD] = "not affected: it concerns callers without CAP_BPF" },
	  {} },
	{ "sampler", judge_sampler, { [CHECK_RECORD] = "fails" }, { VERIFIER } },
	{ "lifecycle hooks",
	  judge_lifecycle,
	  { [CHECK_RECORD] = "fails: krait does not record without them",
	    [CHECK_LIFECYCLE] = "fails" },
	  { VERIFIER } },
	{ "task list",
	  judge_list,
	  { [CHECK_RECORD] = "fails: only the kernel can produce the keys of processes",
	    [CHECK_NAMES] = "fails" },
	  { VERIFIER } },
	{ "visitor",
	  judge_visitor,
	  { [CHECK_WALL] = "--mode=wall and --mode=gil are refused before Linux 5.18; before 6.2, "
			   "each tick at which a thread has run scans all threads of the host" },
	  { "sudo apt-get install linux-image-$(dpkg --print-architecture) && sudo reboot  # or "
	    "your distribution's equivalent" } },
	{ "CAP_SYS_NICE",
	  judge_nice,
	  { [CHECK_WALL] = "ticks may be late on busy CPUs; no sample is lost or invented" },
	  { [CAP_FIX_GRANT] = GRANT, [CAP_FIX_BOUND] = BOUND("SYS_NICE") } },
	{ "locked memory",
	  judge_memlock,
	  { [CHECK_RECORD] = "fails: BPF maps cannot be created",
	    [CHECK_LIFECYCLE] = "fails, for the same reason" },
	  { "sudo prlimit --pid $$ --memlock=unlimited" } },
	{ "open files",
	  judge_files,
	  { [CHECK_RECORD] = "fails: each CPU needs file descriptors of its own" },
	  { "sudo prlimit --pid $$ --nofile=%:%" } },
	{ "perf_event_max_sample_rate",
	  judge_rate,
	  { [CHECK_RECORD] =
		    "works, because krait requests a period; but if -F is above this rate, ticks "
		    "of busy CPUs are dropped and counted as not delivered. (An idle CPU without a "
		    "tick of its own drops them at any -F; krait counts those as idle.)" },
	  { [RATE_FIX_RATE] = "sudo sysctl kernel.perf_event_max_sample_rate=100000",
	    [RATE_FIX_BOTH] = "sudo sysctl kernel.perf_cpu_time_max_percent=25 "
			      "kernel.perf_event_max_sample_rate=100000" } },
	{ "perf_cpu_time_max_percent",
	  judge_cpu_time,
	  { [CHECK_RECORD] = "another profiler that uses hardware counters can make the kernel "
			     "lower perf_event_max_sample_rate" },
	  {} },
	{ "ptrace_scope",
	  judge_yama,
	  { [CHECK_NAMES] = "memory that BPF could not read is not fetched afterwards: frames stay "
			    "[unreadable], names [unresolved]" },
	  { "sudo sysctl kernel.yama.ptrace_scope=0",
	    "sudo sed -i '/ptrace_scope/d' /etc/sysctl.conf /etc/sysctl.d/*.conf && sudo "
	    "reboot" } },
	{ "/proc",
	  judge_proc,
	  { [CHECK_RECORD] = "processes hidden in /proc are not recorded",
	    [CHECK_NAMES] = "these are not recognised" },
	  { [PROC_FIX_OPTION] = "sudo mount -o remount,hidepid=0 /proc",
	    [PROC_FIX_MOUNT] = "sudo mount -t proc proc /proc" } },
	{ "cgroups",
	  judge_cgroups,
	  { [CHECK_NAMES] = "not affected: cgroups only identify containers" },
	  {} },
	{ "processes",
	  judge_processes,
	  { [CHECK_RECORD] = "these are not recorded", [CHECK_NAMES] = "these are not recognised" },
	  { [CAP_FIX_GRANT] = GRANT,
	    [CAP_FIX_BOUND] = BOUND("SYS_PTRACE"),
	    [CAP_FIX_OTHER] = "sudo dmesg | grep -i denied  # a security module denies access" } },
	{ "trial",
	  judge_trial,
	  { [CHECK_RECORD] = "fails: krait record reports the same error" },
	  {} },
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) <= CHECKS_MAX, "findings hold all rows");

const struct check *checks(size_t *ret_n)
{
	*ret_n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

/* --- all together ----------------------------------------------------------------------------- */

static enum check_status worse(enum check_status a, enum check_status b)
{
	return a > b ? a : b;
}

static void add_finding(struct findings *to, const struct check *c, const struct finding *f)
{
	if (f->status == CHECK_UNKNOWN)
		return;
	to->all = worse(to->all, f->status);
	for (int m = 0; m < CHECK_MODES; m++)
		if (c->means[m])
			to->mode[m] = worse(to->mode[m], f->status);
}

void checks_judge(const struct host *h, const struct trial *t, struct findings *ret)
{
	size_t n;
	const struct check *c = checks(&n);

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < n; i++) {
		c[i].judge(h, t, &ret->at[i]);
		add_finding(ret, &c[i], &ret->at[i]);
	}
	if (works(t) && ret->all == CHECK_MISSING)
		ret->all = CHECK_LIMITED;
	/* Without recording there are no names and no lifecycle either. */
	for (int m = 0; m < CHECK_MODES; m++)
		if (ret->mode[CHECK_RECORD] == CHECK_MISSING)
			ret->mode[m] = CHECK_MISSING;
}

struct host checks_as_root(const struct host *h)
{
	struct host root = *h;

	root.caps.effective = h->caps.bounding;
	if (root.btf == HOST_BTF_UNREADABLE)
		root.btf = HOST_BTF_READABLE;
	return root;
}

bool check_fix(const struct check *c, const struct finding *f, const char *self, struct buf *ret)
{
	const char *text = f->fix < CHECK_FIXES && f->status != CHECK_OK ? c->fix[f->fix] : NULL;

	buf_clear(ret);
	for (const char *at = text; at && *at; at++) {
		if (*at == '@')
			buf_str(ret, f->object[0] ? f->object : self);
		else if (*at == '%')
			buf_printf(ret, "%lld", f->number);
		else
			buf_char(ret, *at);
	}
	return text && !ret->err;
}
