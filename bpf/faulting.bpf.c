// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For Linux 6.18 and 6.19. */
#include "faulting.bpf.h"
