/* SPDX-License-Identifier: BSD-2-Clause */
/* Where threads wait for work by habit: the leaf functions of the standard library that tell it. */
#ifndef KRAIT_PARKED_H
#define KRAIT_PARKED_H

#include <stdbool.h>

#include "model/frame.h"

/* Is a thread that sleeps in this frame one that has nothing to do? */
bool parked_in(const struct frame *leaf);

#endif
