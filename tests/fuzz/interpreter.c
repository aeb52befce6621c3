/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not an interpreter: a small library with the symbols that identify one. The Makefile builds ELF
 * seeds for fuzzing from it. HEX is PY_VERSION_HEX, TEXT the version as a string.
 */
#include <stdint.h>

#include "images/offsets.h"

#if HEX < 0x03070000
uint64_t _PyThreadState_Current = 1, autoTLSkey = 1;
static volatile uint64_t interp_head = 1;

uint64_t PyInterpreterState_Head(void)
{
	return interp_head;
}
#elif HEX >= 0x030f0000
extern const uint64_t _PyRuntime[112] __attribute__((alias("offsets_3_15_2")));
#elif HEX >= 0x030e0000
extern const uint64_t _PyRuntime[96] __attribute__((alias("offsets_3_14_10")));
#elif HEX >= 0x030d0000
extern const uint64_t _PyRuntime[75] __attribute__((alias("offsets_3_13_5")));
#else
uint64_t _PyRuntime[128] = { 1 };
#endif

#if HEX >= 0x030b0000
const uint32_t Py_Version = HEX;
#else
static const char version[] = TEXT;

const char *Py_GetVersion(void)
{
	return version;
}
#endif

/* glibc's variables for debuggers. */
const uint32_t _thread_db_pthread_specific[3] = { 2048, 1, 1296 };
const uint32_t _thread_db_sizeof_pthread = 2304;

/* Placed after the offsets, so that a whole block of them can be read. */
const char PyCode_Type[1024] = { 1 };

/* Compiles to the prologue that window.c looks for. */
void _PyEval_EvalFrameDefault(uint64_t *state, uint64_t *frame)
{
	uint64_t cframe[3];

	state[7] = (uint64_t)(uintptr_t)cframe;
	cframe[1] = (uint64_t)(uintptr_t)frame;
	frame[6] = (uint64_t)(uintptr_t)cframe;
	__asm__ volatile("" : : "r"(cframe) : "memory");
}
