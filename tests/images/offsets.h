/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What _PyRuntime of two real interpreters starts with (_Py_DebugOffsets, the first 600 bytes), as
 * the recorder of memory images found it: 3.13.0 built by pyenv, 3.13.5 of Debian.
 */
#ifndef KRAIT_OFFSETS_H
#define KRAIT_OFFSETS_H

#include <stdint.h>

/* clang-format off */
static const uint64_t offsets_3_13_0[75] = {
	0x7970677562656478, 0x30d00f0, 0, 0x452b8, 608, 632, 0x2f998, 7272, 7264, 7344, 7400, 7656,
	7640, 7648, 16, 7752, 0, 7768, 7760, 304, 0, 8, 16, 72, 152, 160, 232, 32, 80, 8, 0, 56,
	72, 70, 208, 112, 120, 128, 136, 68, 52, 96, 104, 200, 16, 8, 416, 24, 88, 168, 32, 24, 16,
	40, 24, 16, 48, 32, 40, 24, 16, 32, 16, 24, 40, 16, 32, 64, 32, 16, 40, 240, 200, 1,
	0x100000001
};

static const uint64_t offsets_3_13_5[75] = {
	0x7970677562656478, 0x30d05f0, 0, 0x452f0, 608, 632, 0x2f9a0, 7272, 7264, 7344, 7400, 7656,
	7640, 7648, 16, 7752, 0, 7768, 7760, 304, 0, 8, 16, 72, 152, 160, 232, 32, 80, 8, 0, 56,
	72, 70, 208, 112, 120, 128, 136, 68, 52, 96, 104, 200, 16, 8, 416, 24, 88, 168, 32, 24, 16,
	40, 24, 16, 48, 32, 40, 24, 16, 32, 16, 24, 40, 16, 32, 64, 32, 16, 40, 240, 200, 1,
	0x100000001
};
/* clang-format on */

#endif
