/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything is found by the descriptors of the process: /proc/PID/fdinfo names their objects. */
#include "running.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

enum { MAX_OBJECTS = 512, MAX_MAPS = 64 };

/* An object of BPF that a descriptor stands for; ids of maps and programs are numbered apart. */
struct object {
	uint32_t map, program;
	uint64_t memory;
};

struct objects {
	uint32_t n;
	struct object at[MAX_OBJECTS];
};

static struct object read_object(pid_t pid, const char *fd)
{
	struct object o = {};
	char path[300], line[200];
	unsigned long long memory;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	_fclose_ FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "map_id: %u", &o.map);
		sscanf(line, "prog_id: %u", &o.program);
		if (sscanf(line, "memlock: %llu", &memory) == 1)
			o.memory = memory;
	}
	return o;
}

static void add(struct objects *all, const struct object *o)
{
	for (uint32_t i = 0; i < all->n; i++) {
		struct object *other = &all->at[i];

		if (other->map == o->map && other->program == o->program) {
			other->memory = o->memory > other->memory ? o->memory : other->memory;
			return; /* a link shows its program, too, without its memory */
		}
	}
	if (all->n < MAX_OBJECTS)
		all->at[all->n++] = *o;
}

static struct objects *objects_of(pid_t pid)
{
	struct objects *all = calloc(1, sizeof(*all));
	struct dirent *d;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (all && dir && (d = readdir(dir))) {
		struct object o = read_object(pid, d->d_name);

		if (o.map || o.program)
			add(all, &o);
	}
	if (dir)
		closedir(dir);
	return all;
}

/* --- the sampler and its counters ------------------------------------------------------------- */

struct running {
	int sampler, stats, cpus;
	struct wire_stats *per_cpu;
};

static bool is_sampler(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_PROG_TYPE_PERF_EVENT &&
	       !strncmp(info.name, "sample", 6);
}

static int open_sampler(pid_t pid)
{
	_free_ struct objects *all = objects_of(pid);

	for (uint32_t i = 0; all && i < all->n; i++) {
		uint32_t id = all->at[i].program;
		_close_ int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

		if (fd >= 0 && is_sampler(fd))
			return take_fd(&fd);
	}
	return -1;
}

/* The map of this name that the program uses. */
static int open_map(int prog, const char *name)
{
	uint32_t ids[MAX_MAPS], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .map_ids = (uintptr_t)ids, .nr_map_ids = MAX_MAPS };

	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		return -1;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAX_MAPS; i++) {
		_close_ int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info map = {};

		len = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) && !strcmp(map.name, name))
			return take_fd(&fd);
	}
	return -1;
}

struct running *running_open(pid_t pid)
{
	struct running *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->sampler = open_sampler(pid);
	r->stats = r->sampler < 0 ? -1 : open_map(r->sampler, "stats");
	r->cpus = libbpf_num_possible_cpus();
	r->per_cpu = calloc(r->cpus > 0 ? r->cpus : 1, sizeof(*r->per_cpu));
	if (r->stats < 0 || r->cpus < 1 || !r->per_cpu) {
		running_close(r);
		return NULL;
	}
	return r;
}

void running_close(struct running *r)
{
	if (!r)
		return;
	close_fd(&r->sampler);
	close_fd(&r->stats);
	free(r->per_cpu);
	free(r);
}

int running_sampler(const struct running *r)
{
	return r->sampler;
}

bool running_stats(struct running *r, struct wire_stats *ret)
{
	uint64_t *to = (void *)ret;
	const uint64_t *from;
	uint32_t zero = 0;

	memset(ret, 0, sizeof(*ret));
	if (bpf_map_lookup_elem(r->stats, &zero, r->per_cpu))
		return false;
	for (int i = 0; i < r->cpus; i++) {
		from = (const void *)&r->per_cpu[i];
		for (size_t j = 0; j < sizeof(*ret) / sizeof(*to); j++)
			to[j] += from[j];
	}
	return true;
}

/* --- all objects ------------------------------------------------------------------------------ */

struct running_weight running_weigh(pid_t pid)
{
	_free_ struct objects *all = objects_of(pid);
	struct running_weight w = {};

	for (uint32_t i = 0; all && i < all->n; i++) {
		w.memory += all->at[i].memory;
		w.maps += !!all->at[i].map;
		w.programs += !!all->at[i].program;
	}
	return w;
}

/* The producer's position, which every ring buffer has in its second page. */
static uint64_t sent_to(uint32_t id)
{
	_close_ int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	long page = sysconf(_SC_PAGESIZE);
	uint64_t *at, sent;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_MAP_TYPE_RINGBUF)
		return 0;
	at = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, page);
	if (at == MAP_FAILED)
		return 0;
	sent = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	munmap(at, page);
	return sent;
}

uint64_t running_sent(pid_t pid)
{
	_free_ struct objects *all = objects_of(pid);
	uint64_t sent = 0;

	for (uint32_t i = 0; all && i < all->n; i++)
		if (all->at[i].map)
			sent += sent_to(all->at[i].map);
	return sent;
}
