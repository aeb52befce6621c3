// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Since Linux 7.0. */
#define TASK_WORK_PLAIN
#include "faulting.bpf.h"
