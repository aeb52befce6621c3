/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of system calls on the architecture that krait was built for. */
#ifndef KRAIT_SYSCALL_H
#define KRAIT_SYSCALL_H

#include <stdint.h>

/* "epoll_wait"; NULL: no such number. */
const char *syscall_name(uint32_t number);

#endif
