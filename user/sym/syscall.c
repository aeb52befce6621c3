/* SPDX-License-Identifier: BSD-2-Clause */
/* The build generates the table from <asm/unistd.h>: a line "[__NR_read] = "read"," for each call. */
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
