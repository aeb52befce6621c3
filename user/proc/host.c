/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	/proc/self/status ──── caps            /proc/sys/kernel/... ── numbers
 *	/proc/self/mountinfo ─ cgroups, /proc  /sys/kernel/... ─────── BTF, lockdown
 *
 * Each file is read completely, up to a limit, then parsed by a function that sees only its text.
 */
#include "proc/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hmap.h"
#include "proc/cgroup.h"
#include "proc/mountinfo.h"

/* Inode of the initial user namespace: fixed by the kernel (PROC_USER_INIT_INO). */
#define HOST_USERNS_INO 0xEFFFFFFDu
/* Inode of the initial pid namespace: fixed by the kernel (PROC_PID_INIT_INO). */
#define HOST_PIDNS_INO 0xEFFFFFFCu

#define BTF_PATH "/sys/kernel/btf/vmlinux"

enum { TEXT_MAX = 16 << 20 };

static struct host_number known(int64_t value)
{
	return (struct host_number){ 0, value };
}

static struct host_number unknown(int err)
{
	return (struct host_number){ err, 0 };
}

/* --- texts ------------------------------------------------------------------------------------ */

struct host_number host_version(const char *release)
{
	unsigned int major, minor;

	if (sscanf(release, "%5u.%5u", &major, &minor) != 2)
		return unknown(-EINVAL);
	return known(HOST_VERSION(major, minor));
}

static bool mask_of(const char *status, const char *name, uint64_t *ret)
{
	const char *line = strstr(status, name);

	return line && sscanf(line + strlen(name), "%" SCNx64, ret) == 1;
}

/* The newline is part of the search: the name on the first line may hold any text, but no newline. */
struct host_caps host_caps(const char *status)
{
	struct host_caps c = {};

	if (!mask_of(status, "\nCapEff:", &c.effective) ||
	    !mask_of(status, "\nCapBnd:", &c.bounding))
		return (struct host_caps){ .err = -ENODATA };
	return c;
}

struct host_number host_lockdown(const char *text)
{
	static const char *const levels[] = {
		[HOST_LOCKDOWN_NONE] = "[none]",
		[HOST_LOCKDOWN_INTEGRITY] = "[integrity]",
		[HOST_LOCKDOWN_CONFIDENTIALITY] = "[confidentiality]",
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strstr(text, levels[i]))
			return known(i);
	return unknown(-EINVAL);
}

struct host_number host_sysctl(const char *text)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || errno || (*end && strcmp(end, "\n")))
		return unknown(-EINVAL);
	return known(v);
}

struct host_number host_cpu_count(const char *list)
{
	unsigned int first, last;
	int64_t n = 0;
	int len;

	for (;;) {
		if (sscanf(list, "%6u%n", &first, &len) != 1)
			return unknown(-EINVAL);
		list += len;
		last = first;
		if (*list == '-') {
			if (sscanf(list, "-%6u%n", &last, &len) != 1 || last < first)
				return unknown(-EINVAL);
			list += len;
		}
		n += last - first + 1;
		if (*list != ',')
			return *list && strcmp(list, "\n") ? unknown(-EINVAL) : known(n);
		list++;
	}
}

/* --- mounts ----------------------------------------------------------------------------------- */

/* The value of "NAME=VALUE" in a list with commas, up to the end of the list; "": NAME is not in it. */
static const char *option(const char *options, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, len) && at[len] == '=')
			return at + len + 1;
	}
	return "";
}

/* Kernels up to 5.7 print a number, later ones a word. */
static enum host_hidepid hidepid(const char *options)
{
	static const struct {
		const char *word;
		enum host_hidepid is;
	} words[] = {
		{ "1", HOST_HIDEPID_NOACCESS },   { "noaccess", HOST_HIDEPID_NOACCESS },
		{ "2", HOST_HIDEPID_INVISIBLE },  { "invisible", HOST_HIDEPID_INVISIBLE },
		{ "4", HOST_HIDEPID_PTRACEABLE }, { "ptraceable", HOST_HIDEPID_PTRACEABLE },
	};
	const char *value = option(options, "hidepid");
	size_t len = strcspn(value, ",");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (len == strlen(words[i].word) && !strncmp(value, words[i].word, len))
			return words[i].is;
	return HOST_HIDEPID_OFF;
}

/* Is @path equal to @under, or a parent of it? */
static bool covers(const char *path, const char *under)
{
	size_t len = strlen(path);

	return !strncmp(path, under, len) && (!under[len] || under[len] == '/');
}

/* Later lines are mounted over earlier ones. */
static void add_mount(const struct mount *m, struct host_mounts *ret)
{
	bool sysfs = !strcmp(m->type, "sysfs");

	if (!strcmp(m->type, "cgroup2"))
		ret->cgroups = ret->cgroups == HOST_CGROUPS_NONE || ret->cgroups == HOST_CGROUPS_V2
				       ? HOST_CGROUPS_V2
				       : HOST_CGROUPS_HYBRID;
	if (!strcmp(m->type, "cgroup"))
		ret->cgroups = ret->cgroups == HOST_CGROUPS_NONE || ret->cgroups == HOST_CGROUPS_V1
				       ? HOST_CGROUPS_V1
				       : HOST_CGROUPS_HYBRID;
	if (!strcmp(m->at, "/proc")) {
		ret->hidepid = hidepid(m->options);
		ret->pids_only = !strncmp(option(m->options, "subset"), "pid", 3);
	}
	if (!strcmp(m->at, "/sys"))
		ret->sysfs = sysfs;
	if (!strcmp(m->at, "/sys/kernel/security"))
		ret->securityfs = !strcmp(m->type, "securityfs");
	if (covers(m->at, BTF_PATH) && strlen(m->at) > strlen("/sys"))
		snprintf(ret->covers_btf, sizeof(ret->covers_btf), "%s", m->at);
	else if (!strcmp(m->at, "/sys"))
		ret->covers_btf[0] = '\0';
}

void host_mounts(const char *mountinfo, struct host_mounts *ret)
{
	_free_ char *text = strdup(mountinfo);
	char *rest = text, *line;
	struct mount m;

	*ret = (struct host_mounts){ .err = text ? 0 : -ENOMEM };
	while ((line = strsep(&rest, "\n")))
		if (mountinfo_parse(line, &m))
			add_mount(&m, ret);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Appends the file. 0 or -errno; an empty one is -ENODATA. */
static int read_text(const char *path, struct buf *ret)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char part[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, part, sizeof(part))) > 0 && ret->len < TEXT_MAX)
		buf_add(ret, part, n);
	if (n < 0)
		return -errno;
	return ret->err ? ret->err : ret->data ? 0 : -ENODATA;
}

static struct host_number number_in(const char *path, struct host_number (*parse)(const char *))
{
	_cleanup_(buf_done) struct buf text = {};
	int err = read_text(path, &text);

	return err ? unknown(err) : parse(text.data);
}

struct host_caps host_own_caps(void)
{
	_cleanup_(buf_done) struct buf text = {};
	int err = read_text("/proc/self/status", &text);

	return err ? (struct host_caps){ .err = err } : host_caps(text.data);
}

static void read_mounts(struct host_mounts *ret)
{
	_cleanup_(buf_done) struct buf text = {};
	int err = read_text("/proc/self/mountinfo", &text);

	if (err)
		*ret = (struct host_mounts){ .err = err };
	else
		host_mounts(text.data, ret);
}

static struct host_number read_user_ns(void)
{
	struct stat st;

	if (stat("/proc/self/ns/user", &st))
		return unknown(-errno);
	return known(st.st_ino == HOST_USERNS_INO);
}

struct host_number host_pid_ns(void)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		return unknown(-errno);
	return known(st.st_ino == HOST_PIDNS_INO);
}

static enum host_btf find_btf(const struct host_mounts *m)
{
	_close_ int fd = open(BTF_PATH, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return HOST_BTF_READABLE;
	if (errno != ENOENT)
		return HOST_BTF_UNREADABLE;
	if (!m->err && m->covers_btf[0])
		return HOST_BTF_HIDDEN;
	return !m->err && !m->sysfs ? HOST_BTF_NO_SYSFS : HOST_BTF_NONE;
}

static struct host_number limit(int resource, bool hard)
{
	struct rlimit l;
	rlim_t v;

	if (getrlimit(resource, &l))
		return unknown(-errno);
	v = hard ? l.rlim_max : l.rlim_cur;
	return known(v == RLIM_INFINITY || v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static void read_name(struct host *h)
{
	struct utsname u;

	if (uname(&u)) {
		h->version = unknown(-errno);
		return;
	}
	snprintf(h->release, sizeof(h->release), "%s", u.release);
	snprintf(h->machine, sizeof(h->machine), "%s", u.machine);
	h->version = host_version(h->release);
}

/* Distinguishes a kernel without lockdown from a host that does not mount securityfs. */
static struct host_number read_lockdown(const struct host_mounts *m)
{
	struct host_number n = number_in("/sys/kernel/security/lockdown", host_lockdown);

	if (n.err == -ENOENT && !m->securityfs)
		n.err = -ENODEV; /* securityfs is not mounted */
	return n;
}

struct host_number host_paranoid(void)
{
	return number_in("/proc/sys/kernel/perf_event_paranoid", host_sysctl);
}

void host_read(struct host *ret)
{
	static const char kernel[] = "/proc/sys/kernel";
	const struct {
		const char *name;
		struct host_number *to;
	} numbers[] = {
		{ "perf_event_paranoid", &ret->paranoid },
		{ "perf_event_max_sample_rate", &ret->rate },
		{ "perf_cpu_time_max_percent", &ret->cpu_time },
		{ "unprivileged_bpf_disabled", &ret->bpf_users },
		{ "yama/ptrace_scope", &ret->yama },
	};
	char path[80];

	*ret = (struct host){};
	read_name(ret);
	read_mounts(&ret->mounts);
	ret->btf = find_btf(&ret->mounts);
	ret->caps = host_own_caps();
	ret->user_ns = read_user_ns();
	ret->pid_ns = host_pid_ns();
	ret->lockdown = read_lockdown(&ret->mounts);
	ret->cpus = number_in("/sys/devices/system/cpu/online", host_cpu_count);
	ret->files = limit(RLIMIT_NOFILE, true);
	ret->locked = limit(RLIMIT_MEMLOCK, false);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", kernel, numbers[i].name);
		*numbers[i].to = number_in(path, host_sysctl);
	}
}

/* --- idle time, memory, boot ------------------------------------------------------------------ */

int host_idle_ns(unsigned long long *ret_ns)
{
	_fclose_ FILE *f = fopen("/proc/stat", "re");
	unsigned long long idle, iowait;

	if (!f)
		return -errno;
	if (fscanf(f, "cpu %*u %*u %*u %llu %llu", &idle, &iowait) != 2)
		return -EINVAL;
	*ret_ns = (idle + iowait) * (1000000000ULL / sysconf(_SC_CLK_TCK));
	return 0;
}

/* UINT64_MAX: the file is missing or holds "max". */
static uint64_t read_limit(const char *root, const char *path, int len, const char *file)
{
	_free_ char *name = NULL;
	_fclose_ FILE *f = NULL;
	uint64_t limit;

	if (asprintf(&name, "%s%.*s/%s", root, len, path, file) < 0) {
		name = NULL;
		return UINT64_MAX;
	}
	f = fopen(name, "re");
	return f && fscanf(f, "%" SCNu64, &limit) == 1 ? limit : UINT64_MAX;
}

/* The lowest limit of a cgroup and its parents. */
static uint64_t least_limit(const char *root, const char *path, const char *file)
{
	uint64_t least = UINT64_MAX, limit;

	for (size_t len = strlen(path);; len--) {
		limit = read_limit(root, path, len, file);
		least = limit < least ? limit : least;
		while (len && path[len - 1] != '/')
			len--;
		if (!len)
			return least;
	}
}

/* A line of /proc/self/cgroup: "0::/user.slice" or "9:memory:/user.slice". */
static uint64_t line_limit(char *line)
{
	const char *controllers, *path = cgroup_line(line, &controllers);

	if (!path)
		return UINT64_MAX;
	if (!*controllers)
		return least_limit("/sys/fs/cgroup", path, "memory.max");
	return !strcmp(controllers, "memory")
		       ? least_limit("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
		       : UINT64_MAX;
}

uint64_t host_memory(void)
{
	_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	struct sysinfo info = {};
	char line[PATH_MAX + 64];
	uint64_t least, limit;

	sysinfo(&info);
	least = (uint64_t)info.totalram * info.mem_unit;
	while (f && fgets(line, sizeof(line), f)) {
		limit = line_limit(line);
		least = limit < least ? limit : least;
	}
	return least;
}

uint32_t host_threads(void)
{
	_fclose_ FILE *f = fopen("/proc/loadavg", "re");
	unsigned int threads;

	return f && fscanf(f, "%*s %*s %*s %*u/%u", &threads) == 1 ? threads : 0;
}

uint64_t host_boot(void)
{
	static const uint64_t seed[2] = { 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f };
	_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char id[64];

	return f && fgets(id, sizeof(id), f) ? hmap_hash(id, strcspn(id, "\n"), seed) : 0;
}
