/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about this host and the caller's privileges, from /proc, /sys and resource limits. Facts
 * only: session/checks.c decides what they mean for krait. An unknown fact carries the reason, so
 * that containers and old kernels are described instead of guessed.
 */
#ifndef KRAIT_HOST_H
#define KRAIT_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* A number, or the reason that it is unknown: err is 0 or -errno. */
struct host_number {
	int err;
	int64_t value;
};

enum host_btf {
	HOST_BTF_READABLE,
	HOST_BTF_UNREADABLE, /* exists, but the caller may not open it */
	HOST_BTF_HIDDEN,     /* another file system is mounted over it */
	HOST_BTF_NO_SYSFS,   /* /sys is not a sysfs */
	HOST_BTF_NONE,       /* the kernel was built without it */
};

enum host_lockdown { HOST_LOCKDOWN_NONE, HOST_LOCKDOWN_INTEGRITY, HOST_LOCKDOWN_CONFIDENTIALITY };

enum host_cgroups { HOST_CGROUPS_NONE, HOST_CGROUPS_V1, HOST_CGROUPS_HYBRID, HOST_CGROUPS_V2 };

/* hidepid= of /proc, by the kernel's numbers. */
enum host_hidepid {
	HOST_HIDEPID_OFF = 0,
	HOST_HIDEPID_NOACCESS = 1,
	HOST_HIDEPID_INVISIBLE = 2,
	HOST_HIDEPID_PTRACEABLE = 4,
};

/* Bit 1 << CAP_... of linux/capability.h. */
struct host_caps {
	int err;
	uint64_t effective, bounding;
};

struct host_mounts {
	int err;
	enum host_cgroups cgroups;
	enum host_hidepid hidepid;
	bool pids_only;       /* /proc with subset=pid: no /proc/sys, no /proc/stat */
	bool sysfs;           /* at /sys */
	bool securityfs;      /* at /sys/kernel/security */
	char covers_btf[256]; /* mount point that hides the BTF file, "": none */
};

struct host {
	char release[66], machine[66];
	struct host_number version; /* host_version() */
	enum host_btf btf;
	struct host_caps caps;
	struct host_number user_ns;   /* 1: the initial one, 0: a child */
	struct host_number pid_ns;    /* 1: the initial one, 0: a child */
	struct host_number paranoid;  /* kernel.perf_event_paranoid */
	struct host_number rate;      /* kernel.perf_event_max_sample_rate */
	struct host_number cpu_time;  /* kernel.perf_cpu_time_max_percent */
	struct host_number bpf_users; /* kernel.unprivileged_bpf_disabled */
	struct host_number yama;      /* kernel.yama.ptrace_scope */
	struct host_number
		lockdown; /* enum host_lockdown; -ENOENT: none in this kernel, -ENODEV: not mounted */
	struct host_number cpus;   /* online */
	struct host_number files;  /* hard limit of descriptors, INT64_MAX: none */
	struct host_number locked; /* soft limit of locked memory in bytes, INT64_MAX: none */
	struct host_mounts mounts;
};

/* Never fails: a fact that cannot be read carries its own error. */
void host_read(struct host *ret);

/* Only the caller's capabilities. */
struct host_caps host_own_caps(void);

/* Only kernel.perf_event_paranoid. */
struct host_number host_paranoid(void);

/* 1: this process is in the host's (initial) pid namespace, 0: in a child of it. */
struct host_number host_pid_ns(void);

/* Idle time of all CPUs (idle + iowait of /proc/stat) in ns; granularity 10 ms. 0 or -errno. */
int host_idle_ns(unsigned long long *ret_ns);
/* Bytes of memory that krait may use: the host's memory or the lowest limit of krait's cgroups (v1 or v2). */
uint64_t host_memory(void);
/* Threads on the host, of all containers; 0: cannot be read. */
uint32_t host_threads(void);
/* A number that identifies this boot, hashed from boot_id; 0: cannot be read. */
uint64_t host_boot(void);

/* "6.1.0-50-amd64" as a number that compares: (major << 16) + minor. -EINVAL. */
#define HOST_VERSION(major, minor) (((int64_t)(major) << 16) + (minor))
struct host_number host_version(const char *release);
/* The capabilities in the text of /proc/PID/status; -ENODATA if one is missing. */
struct host_caps host_caps(const char *status);
/* "none [integrity] confidentiality". -EINVAL. */
struct host_number host_lockdown(const char *text);
/* A sysctl that is one number. -EINVAL. */
struct host_number host_sysctl(const char *text);
/* The number of CPUs in a list such as "0-3,8". -EINVAL. */
struct host_number host_cpu_count(const char *list);
/* Parses the text of /proc/PID/mountinfo; skips malformed lines. */
void host_mounts(const char *mountinfo, struct host_mounts *ret);

#endif
