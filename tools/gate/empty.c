/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads empty.bpf.c, says "ready", and ends. */
#include <stdio.h>

#include "empty.skel.h"

int main(void)
{
	struct empty_bpf *e = empty_bpf__open_and_load();

	if (!e) {
		perror("empty");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	empty_bpf__destroy(e);
	return 0;
}
