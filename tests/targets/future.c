/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Imitates a program that embeds a debug build of a free-threaded Python 3.99, which krait cannot
 * support: it has the symbols, but not the data behind them. Waits for the end of its input.
 */
#include <stdio.h>

extern const unsigned long Py_Version;
extern unsigned char _PyRuntime[4096], _Py_NegativeRefcount, _Py_DecRefShared, PyCode_Type;

const unsigned long Py_Version = 0x036301f0;
unsigned char _PyRuntime[4096] = { 1 }, _Py_NegativeRefcount, _Py_DecRefShared, PyCode_Type;

int main(void)
{
	puts("READY");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
