// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For Linux 7.0 and later. */
#define TASK_WORK_PLAIN
#include "faulting.bpf.h"
