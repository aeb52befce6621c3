/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the programs in the kernel and the loader: map keys and values, records of
 * the two ring buffers, reasons for every sample that is not shown. It compiles alone on both
 * sides; every struct is padded by hand and its size asserted.
 *
 *	counts   (process, thread, stack) -> samples          read once a second
 *	ring     code objects, stacks, threads: each once      read on a timer
 *	events   unknown, forked, ended processes              wakes the loader
 */
#ifndef KRAIT_WIRE_H
#define KRAIT_WIRE_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

enum wire_limits {
	WIRE_COMM = 16,
	WIRE_MAX_FRAMES = 4096, /* of one stack; more: the root side is kept */
	WIRE_MAX_WALK = 16384,  /* frames looked at in one sample */
	WIRE_MAX_NAME = 1024,   /* bytes of one name in a code record */
	WIRE_MAX_FILE = 4096,   /* bytes of a file name */
	WIRE_MAX_TABLE = 32768, /* bytes of a line table; the loader reads longer ones itself */
	WIRE_MAX_LAYOUTS = 256,
	WIRE_MAX_INTERPS = 4, /* of one process */
	WIRE_BUILD_ID = 20,   /* bytes of an identity that is believed */
	WIRE_CGROUP_PATH = 480,
};

/*
 * A process: the start time survives exec and execve counts in exec_id, so that neither a reused
 * pid nor a new program ever inherits anything.
 */
struct proc_key {
	__u64 start_ns; /* since boot, of the thread group leader */
	__u32 tgid;
	__u32 exec_id;
};
_Static_assert(sizeof(struct proc_key) == 16, "wire");

enum proc_kind {
	PROC_PENDING,     /* seen, the loader has not answered yet */
	PROC_OTHER,       /* not Python: a look-up and a comparison a sample, nothing else */
	PROC_UNSUPPORTED, /* Python that cannot be read; the loader knows why */
	PROC_PYTHON,
	PROC_STARTING, /* executed a known program that is not whole in its place yet: counts as other */
};

/* An executable as the kernel knows it: stat() says something else on overlayfs and btrfs. */
struct file_id {
	__u64 inode;
	__s64 ctime_s; /* inodes are reused */
	__u32 dev;
	__u32 generation;
	__u32 ctime_ns;
	__u32 pad;
};
_Static_assert(sizeof(struct file_id) == 32, "wire");

/* What a process executes. All 0: not known. */
struct wire_exe {
	struct file_id file;
	__u64 start_code; /* where its code is mapped */
};
_Static_assert(sizeof(struct wire_exe) == 40, "wire");

/* Where a thread keeps the pointer to its state: behind a pthread key, or in a variable (3.15+). */
enum tss_kind {
	TSS_GLIBC,       /* two levels of {seq, data} in struct pthread */
	TSS_MUSL,        /* one array of pointers behind struct pthread */
	TSS_STATIC_TLS,  /* at a fixed distance from the thread pointer */
	TSS_DYNAMIC_TLS, /* in the block of a module, which the thread's DTV has */
};

/* Map procs: what the kernel must know of a process. Addresses are the target's; 0: there is none. */
struct proc_info {
	__u32 kind;       /* enum proc_kind */
	__u32 layout;     /* index into map layouts */
	__u64 current;    /* of a PyThreadState *: the state that holds the GIL (up to 3.11) */
	__u64 key;        /* of the int that names the thread-specific slot of the thread's state */
	__u64 interps;    /* of the PyInterpreterState * that heads the list */
	__u64 code_type;  /* &PyCode_Type */
	__u64 entry;      /* where the interpreter's prologue has no valid chain (3.11, 3.12) */
	__u32 tss;        /* enum tss_kind */
	__u32 tss_base;   /* subtract from the thread pointer to get struct pthread */
	__u32 tss_first;  /* glibc: offset of the first 32 slots; musl: of the pointer to the array;
			    DTV: offset of the module's entry */
	__u32 tss_second; /* glibc: offset of the pointers to further blocks of 32;
			     DTV: offset of the pointer to it */
	__u32 entry_len;  /* bytes from entry */
	__u32 more;       /* further interpreters in this process, in map more_interps */
	__u32 exec_pages; /* mapped executable, when it was looked at; for PROC_OTHER */
	__u32 pad;
	__s64 tls;     /* of the variable, from the thread pointer or in its block */
	__u64 pending; /* samples that came while kind was PROC_PENDING, or PROC_STARTING;
			  PROC_OTHER: ns, when the loader was asked to look again */
};
_Static_assert(sizeof(struct proc_info) == 96, "wire");

/*
 * Map more_interps: a struct proc_info for each further interpreter of a process, one loaded beside
 * another (a library in a program that has Python already, say). Its kind is PROC_PYTHON.
 */
struct interp_key {
	struct proc_key proc;
	__u32 index; /* 1..proc_info.more */
	__u32 pad;
};
_Static_assert(sizeof(struct interp_key) == 24, "wire");

/*
 * Map programs, by struct file_id: what one process told of all that execute the same file. No Python
 * (PROC_OTHER): the rest is 0. Else, what lies in the executable moves with start_code; what lies in a library moves with that, and the library
 * is the entry of the dynamic linker's list whose dynamic section and build id are these.
 */
struct program {
	struct proc_info info; /* of the process that was looked at */
	__u64 start_code;      /* its */
	__u64 debug;   /* its; of the linker's own entry (DT_DEBUG); 0: there is no library */
	__u64 library; /* its; what is added to addresses in the library's file */
	__u64 dynamic; /* from there to the library's dynamic section */
	__u64 note;    /* and to its build id */
	__u32 id_len;
	__u8 id[WIRE_BUILD_ID];
};
_Static_assert(sizeof(struct program) == 160, "wire");

/* What a thread was doing when it was counted; the order is that of enum state_kind. */
enum wire_state {
	THREAD_RUNNING,
	THREAD_RUNNABLE,
	THREAD_THROTTLED,
	THREAD_GIL_WAIT,
	THREAD_FUTEX,
	THREAD_SLEEPING,
	THREAD_DISK,
	THREAD_STOPPED,
	THREAD_UNKNOWN,
	/* Beside it in count_key.state. */
	THREAD_STATE_MASK = 0xff,
	THREAD_HOLDS_GIL = 0x100,
	THREAD_CALL_SHIFT = 16, /* number of the system call plus 1 */
};

/* The hierarchies of cgroups that are looked at. */
enum cgroup_view {
	CGROUP_V2,
	CGROUP_V1, /* of the controller wire_config.cgroup_controller */
	CGROUP_VIEWS,
};

/*
 * Controllers of version 1, the most usual ones first: X(what the kernel's enum calls it, name).
 */
#define WIRE_CONTROLLERS(X)                                                                        \
	X(memory, "memory")                                                                        \
	X(pids, "pids")                                                                            \
	X(freezer, "freezer")                                                                      \
	X(cpuset, "cpuset")                                                                        \
	X(cpu, "cpu")                                                                              \
	X(cpuacct, "cpuacct")                                                                      \
	X(devices, "devices")                                                                      \
	X(io, "blkio")                                                                             \
	X(net_cls, "net_cls")                                                                      \
	X(perf_event, "perf_event")                                                                \
	X(hugetlb, "hugetlb")

#define WIRE_CONTROLLER_ENUM(symbol, name) CONTROLLER_##symbol,
enum wire_controller { WIRE_CONTROLLERS(WIRE_CONTROLLER_ENUM) CONTROLLERS };

/* Map filter_cgroup. Ids of one hierarchy mean nothing in the other. */
struct cgroup_key {
	__u64 id; /* inode of its directory */
	__u32 view;
	__u32 pad;
};
_Static_assert(sizeof(struct cgroup_key) == 16, "wire");

/* Map counts (one of two, see map count_sets): key of a u64 number of samples. */
struct count_key {
	struct proc_key proc;
	__u64 stack; /* wire_stack.id */
	__u32 tid;
	__u32 state; /* enum wire_state; 0: on a CPU */
};
_Static_assert(sizeof(struct count_key) == 32, "wire");

/* How a walk ended: WALK_COMPLETE, or the marker that stands where frames are missing. */
enum walk_end {
	WALK_COMPLETE,
	WALK_TRUNCATED,  /* deeper than WIRE_MAX_FRAMES or --max-depth; the root side is there */
	WALK_ENDLESS,    /* deeper than WIRE_MAX_WALK: neither leaf nor root side is there */
	WALK_UNREADABLE, /* a frame was not resident: its callers are missing */
	WALK_INCOMPLETE, /* the chain stopped before its root, or is stale: callers are missing */
	WALK_ENTERING,   /* inside the interpreter's prologue: no chain at all */
	WALK_NO_STATE,   /* a thread of a Python process that has no Python state */
	WALK_NO_FRAME,   /* it has one, but runs no Python frame */
	WALK_AMBIGUOUS, /* several states of one thread, or several interpreters; none known to run */
	WALK_EXITING,   /* its memory is gone */
	WALK_ENDS,
};

/* Frame flags. */
enum {
	/* The code object was not resident; wire_frame.code is made of its address. */
	FRAME_UNREADABLE = 1,
	/* The leaf runs compiled code, which stores its instruction only now and then. */
	FRAME_COMPILED = 2,
};

/* wire_frame.lasti of a frame whose instruction could not be told: behind the end of any code. */
enum { LASTI_UNKNOWN = 0x7ffffffe };

struct wire_frame {
	__u64 code;  /* identity of the code object: its address, content and process mixed */
	__u64 addr;  /* of the code object, for the loader's second look */
	__s32 lasti; /* byte offset of the instruction; negative: not started */
	__u32 flags;
};
_Static_assert(sizeof(struct wire_frame) == 24, "wire");

enum record_kind {
	RECORD_STACK = 1,
	RECORD_CODE,
	RECORD_THREAD,
	EVENT_UNKNOWN = 16,
	EVENT_FORK,
	EVENT_EXIT,
	EVENT_EXEC,  /* of what is followed (BY_CHILDREN), before its first sample */
	EVENT_GREW,  /* a PROC_OTHER has mapped code in which an interpreter may be */
	EVENT_KNOWN, /* its addresses are in map procs; sent twice where a library came later */
	EVENT_MKDIR, /* struct wire_cgroup: one was made */
};

/* Followed by count frames, leaf first, as a ring: frame i is frames[(first + i) % count]. */
struct wire_stack {
	__u32 kind;
	__u32 end; /* enum walk_end */
	struct proc_key proc;
	__u64 id;    /* of everything below and of proc */
	__u64 fault; /* WALK_UNREADABLE: the address that was not resident */
	__u32 count;
	__u32 first;
};
_Static_assert(sizeof(struct wire_stack) == 48, "wire");

/* What of a code object could not be captured in the kernel. */
enum {
	CODE_NO_OBJECT = 1,
	CODE_NO_NAME = 2,
	CODE_NO_QUALNAME = 4,
	CODE_NO_FILE = 8,
	CODE_NO_TABLE = 16,
	CODE_CUT_NAME = 32, /* longer than the record holds */
	CODE_CUT_QUALNAME = 64,
	CODE_CUT_FILE = 128,
	CODE_CUT_TABLE = 256,
	CODE_NOT_RESIDENT =
		CODE_NO_OBJECT | CODE_NO_NAME | CODE_NO_QUALNAME | CODE_NO_FILE | CODE_NO_TABLE,
};

enum { CODE_NAME, CODE_QUALNAME, CODE_FILE, CODE_STRINGS };

/* Followed by name, qualname, file (raw code points of kind bytes), line table. */
struct wire_code {
	__u32 kind;
	__u32 missing; /* CODE_NO_*, CODE_CUT_* */
	struct proc_key proc;
	__u64 id;
	__u64 addr;
	__s32 first_line;
	__u32 layout;
	__u16 len[CODE_STRINGS];      /* bytes */
	__u8 char_size[CODE_STRINGS]; /* 1 Latin-1, 2 UCS-2, 4 UCS-4 */
	__u8 pad[3];
	__u32 table_len; /* bytes that follow */
};
_Static_assert(sizeof(struct wire_code) == 64, "wire");

struct wire_thread {
	__u32 kind;
	__u32 tid;
	struct proc_key proc;
	__u32 ns_tgid, ns_tid; /* as the process' own pid namespace sees them */
	char comm[WIRE_COMM];
	char leader_comm[WIRE_COMM];
	__u64 cgroup[CGROUP_VIEWS]; /* 0: there is no such hierarchy */
};
_Static_assert(sizeof(struct wire_thread) == 80, "wire");

/* A cgroup that was made, before anything is in it. */
struct wire_cgroup {
	__u32 kind;
	__u32 view;
	__u64 id;
	__u32 len; /* of the path with its NUL; WIRE_CGROUP_PATH: it may be cut */
	__u32 pad;
	char path[WIRE_CGROUP_PATH]; /* from the root of the hierarchy */
};
_Static_assert(sizeof(struct wire_cgroup) == 504, "wire");

struct wire_event {
	__u32 kind;
	__u32 tid; /* EVENT_UNKNOWN: the thread that was sampled; the leader may have ended */
	struct proc_key proc;
	struct proc_key parent; /* EVENT_FORK */
	struct wire_exe exe;    /* EVENT_UNKNOWN, EVENT_EXEC */
	__u64 code_type;        /* EVENT_KNOWN: as in proc_info, 0: not known yet */
	__u32 layout;           /* EVENT_KNOWN */
	__u32 pad;
};
_Static_assert(sizeof(struct wire_event) == 96, "wire");

/* One process, as the task iterator prints it. */
struct wire_task {
	struct proc_key proc;
	__u32 ppid;
	__u32 kthread;
	char comm[WIRE_COMM];
	struct wire_exe exe;
};
_Static_assert(sizeof(struct wire_task) == 80, "wire");

/*
 * Every run of the sampler ends in exactly one of these. The text says what the user reads; a NULL
 * text is not a loss. X(symbol, name, text)
 */
#define WIRE_FATES(X)                                                                              \
	X(FATE_IDLE, "idle", NULL)                                                                 \
	X(FATE_KERNEL, "kernel_thread", NULL)                                                      \
	X(FATE_OTHER, "not_python", NULL)                                                          \
	X(FATE_FILTERED, "filtered_out", NULL)                                                     \
	X(FATE_SHOWN, "shown", NULL)                                                               \
	X(FATE_PENDING, "unknown_process", "before the process was known")                         \
	X(FATE_UNSUPPORTED, "unsupported", "Python that cannot be read (listed above)")            \
	X(FATE_PROCS_FULL, "procs_full", "process table full; use a larger --max-procs")           \
	X(FATE_RING_FULL, "ring_full", "ring buffer full; use a larger --ring-size")               \
	X(FATE_COUNTS_FULL, "counts_full", "count table full; use a larger --max-counts")          \
	X(FATE_BROKEN, "broken", "krait's own maps were not there")

#define WIRE_ENUM(symbol, name, text) symbol,
enum wire_fate { WIRE_FATES(WIRE_ENUM) FATES };

/*
 * What went by beside the fates: X(symbol, name). NOTE_FAULT_*: code objects that a task was asked to read
 * itself; was read whole, or not (the rest waits for a thread to leave the kernel, or was lost with it); found
 * no room, or the kernel would not. Pages: of frames, that a task has read.
 */
#define WIRE_NOTES(X)                                                                              \
	X(NOTE_DEFERRED, "code_deferred")                                                          \
	X(NOTE_CODE_RING_FULL, "code_ring_full")                                                   \
	X(NOTE_CODE_UNREADABLE, "code_unreadable")                                                 \
	X(NOTE_EVENT_LOST, "event_lost")                                                           \
	X(NOTE_STACKS, "stacks_sent")                                                              \
	X(NOTE_CODES, "codes_sent")                                                                \
	X(NOTE_WALL_READ, "threads_read")                                                          \
	X(NOTE_WALL_SELF, "threads_read_by_themselves")                                            \
	X(NOTE_WALL_MOVED, "threads_moved")                                                        \
	X(NOTE_WALL_MISSED, "switches_missed")                                                     \
	X(NOTE_WALL_RING, "visits_ring_full")                                                      \
	X(NOTE_WALL_UNSEEN, "unseen_thread")                                                       \
	X(NOTE_WALL_LOST, "waiting_lost")                                                          \
	X(NOTE_FAULT_ASKED, "fault_asked")                                                         \
	X(NOTE_FAULT_WHOLE, "fault_whole")                                                         \
	X(NOTE_FAULT_FAILED, "fault_failed")                                                       \
	X(NOTE_FAULT_REFUSED, "fault_refused")                                                     \
	X(NOTE_FAULT_PAGES, "fault_pages")

#define WIRE_NOTE_ENUM(symbol, name) symbol,
enum wire_note { WIRE_NOTES(WIRE_NOTE_ENUM) NOTES };

/* Map stats, one per CPU. */
struct wire_stats {
	__u64 fate[FATES];
	__u64 end[WALK_ENDS]; /* of the samples whose fate is FATE_SHOWN */
	__u64 note[NOTES];
};

enum filter {
	BY_PID = 1,
	BY_TID = 2,
	BY_COMM = 4,
	BY_UID = 8,
	BY_CHILDREN = 16, /* children of a process in the pid filter are added to it */
	BY_CGROUP = 32,
};

enum wall_mode {
	WALL_CLOCK = 1, /* threads that do not run are counted, too */
	WALL_GIL = 2,   /* of all, those that have the GIL */
};

/* Wall-clock mode: what the programs and the loader's tick thread share. */
struct wire_wall {
	__u64 t0;         /* CLOCK_MONOTONIC ns of tick 0; 0: not begun */
	__u64 period;     /* ns */
	__u64 tick;       /* for the visitor: the last that has passed */
	__s64 offset;     /* CLOCK_MONOTONIC minus the run queues' clock; 0: not measured */
	__u64 head, tail; /* of map visits: entries ever put in, and taken out */
	__u32 overflow;   /* it was full: all threads are to be looked at */
	__u32 visitor;    /* tid of the tick thread */
	__u32 visiting;   /* tid that it reads, 0: none */
	__u32 pad;
};
_Static_assert(sizeof(struct wire_wall) == 64, "wire");

/* What the visitor's programs are told. */
struct wire_visit {
	__u32 tid; /* adopt_thread: which */
	__u32 pad;
};
_Static_assert(sizeof(struct wire_visit) == 8, "wire");

/* Filled by the loader before the programs are loaded. */
struct wire_config {
	__u32 filters;     /* enum filter: a sample must pass every kind that is set */
	__u32 max_depth;   /* 1..WIRE_MAX_FRAMES */
	__u32 code_budget; /* new code objects that one sample may send */
	__u32 sent_stacks; /* slots of the maps of that name, powers of two */
	__u32 sent_codes;
	__u32 wall;                           /* enum wall_mode */
	__u32 scratch;                        /* index of the visitor's in map scratches */
	__u32 cgroup_views;                   /* bit 1 << enum cgroup_view */
	__u32 cgroup_controller;              /* of version 1: enum wire_controller */
	__u32 cgroup_hierarchy[CGROUP_VIEWS]; /* their numbers, as /proc/PID/cgroup has them */
};
_Static_assert(sizeof(struct wire_config) == 44, "wire");

#endif
