/* SPDX-License-Identifier: BSD-2-Clause */
#include "load/natvisit.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "natvisit.skel.h"

struct natvisit {
	struct natvisit_bpf *skel;
};

static int share(struct bpf_map *map, const struct bpf_object *main)
{
	const struct bpf_map *other = bpf_object__find_map_by_name(main, bpf_map__name(map));

	if (bpf_map__is_internal(map) || !other)
		return 0;
	return bpf_map__reuse_fd(map, bpf_map__fd(other));
}

static int load(struct natvisit *n, const struct bpf_object *main, const struct wire_config *cfg,
		int state)
{
	struct bpf_map *map;
	int code;

	n->skel = natvisit_bpf__open();
	if (!n->skel)
		return -errno;
	n->skel->rodata->cfg = *cfg;
	bpf_program__set_autoload(n->skel->progs.visit_ring_native, true);
	/* Both objects have nothing but that state in this map. */
	code = bpf_map__reuse_fd(n->skel->maps.bss, state);
	bpf_object__for_each_map(map, n->skel->obj) if (!code) code = share(map, main);
	return code ? code : natvisit_bpf__load(n->skel);
}

struct natvisit *natvisit_new(const struct bpf_object *main, const struct wire_config *cfg,
			      int state)
{
	struct natvisit *n = calloc(1, sizeof(*n));
	int code;

	if (!n)
		return NULL;
	code = load(n, main, cfg, state);
	if (!code)
		return n;
	natvisit_free(n);
	errno = -code;
	return NULL;
}

struct bpf_program *natvisit_program(const struct natvisit *n)
{
	return n->skel->progs.visit_ring_native;
}

void natvisit_free(struct natvisit *n)
{
	if (!n)
		return;
	natvisit_bpf__destroy(n->skel);
	free(n);
}
