/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host is and what it lets the caller do, as /proc, /sys and the limits say it. Facts only:
 * what they mean for krait is written in session/checks.c. A fact that cannot be known says why, so
 * that a container or an old kernel is described and not guessed.
 */
#ifndef KRAIT_HOST_H
#define KRAIT_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* A number, or why there is none: err is 0 or -errno. */
struct host_number {
	int err;
	int64_t value;
};

enum host_btf {
	HOST_BTF_READABLE,
	HOST_BTF_UNREADABLE, /* is there, and this caller may not open it */
	HOST_BTF_HIDDEN,     /* another file system is mounted over its place */
	HOST_BTF_NO_SYSFS,   /* /sys is not what the kernel shows there */
	HOST_BTF_NONE,       /* the kernel was built without */
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
	char covers_btf[256]; /* what is mounted over the place of BTF, "": nothing */
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

/* Never fails: what cannot be read says so in its own fact. */
void host_read(struct host *ret);

/* The caller's own masks alone. */
struct host_caps host_own_caps(void);

/* kernel.perf_event_paranoid alone. */
struct host_number host_paranoid(void);

/* 1: this process lives in the host's (initial) pid namespace, 0: in a child of it. */
struct host_number host_pid_ns(void);

/* Time that all CPUs together spent idle (idle + iowait of /proc/stat), in ns; granularity 10 ms. 0 or -errno. */
int host_idle_ns(unsigned long long *ret_ns);
/* Bytes of memory that krait could have: the host's, or less if one of its cgroups (of either version) says so. */
uint64_t host_memory(void);
/* A number that no other boot of any host has, of boot_id; 0: cannot be read. */
uint64_t host_boot(void);

/* "6.1.0-50-amd64" as a number that compares: (major << 16) + minor. -EINVAL. */
#define HOST_VERSION(major, minor) (((int64_t)(major) << 16) + (minor))
struct host_number host_version(const char *release);
/* The masks in a text of /proc/PID/status; -ENODATA if one is not there. */
struct host_caps host_caps(const char *status);
/* "none [integrity] confidentiality". -EINVAL. */
struct host_number host_lockdown(const char *text);
/* A sysctl of one number. -EINVAL. */
struct host_number host_sysctl(const char *text);
/* How many CPUs "0-3,8" are. -EINVAL. */
struct host_number host_cpu_count(const char *list);
/* A text of /proc/PID/mountinfo. Lines that are none say nothing. */
void host_mounts(const char *mountinfo, struct host_mounts *ret);

#endif
