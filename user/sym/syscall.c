/* SPDX-License-Identifier: BSD-2-Clause */
/* The table is made of <asm/unistd.h> when this is built: a line "[__NR_read] = "read"," for each. */
#include "sym/syscall.h"

#include <stddef.h>

#include <asm/unistd.h>

static const char *const names[] = {
#include "syscalls.inc"
};

const char *syscall_name(uint32_t number)
{
	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}
