// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Defines the maps, the configuration and the state of wall-clock mode that all programs share. */
#define MAP
#include "maps.bpf.h"
#include "wall.bpf.h"

struct wire_wall wall;

const volatile struct wire_config cfg = {
	.max_depth = WIRE_MAX_FRAMES,
	.code_budget = 64,
	.sent_stacks = 2,
	.sent_codes = 2,
};

char LICENSE[] SEC("license") = "Dual BSD/GPL";
