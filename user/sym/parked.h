/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognizes parked threads, which wait for work, by their leaf function in the standard library. */
#ifndef KRAIT_PARKED_H
#define KRAIT_PARKED_H

#include <stdbool.h>

#include "model/frame.h"

/* Is a thread that sleeps in this leaf frame waiting for work? */
bool parked_in(const struct frame *leaf);

#endif
