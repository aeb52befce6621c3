/* SPDX-License-Identifier: BSD-2-Clause */
#define OTHER
#include "swapped.c"
