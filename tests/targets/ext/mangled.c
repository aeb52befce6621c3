/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions with the names of other languages, each called by the one before: outer, C++, Rust, hostile. */
typedef int function(int);

#define HOSTILE                                                                                    \
	"_Z1fIDp2axI2bxI2cxI2dxI2exI2fxI2gxI2hxI2ixI2jxI2kxI2lxI2mxI2nxI2oxI2pxI2qxI2rxI2sxI2tx"   \
	"I2uxI2vxI2wxI2xxI2yxI2zxIiiESQ_ESR_ESS_EST_ESU_ESV_ESW_ESX_ESY_ESZ_ES10_ES11_ES12_ES13_"  \
	"ES14_ES15_ES16_ES17_ES18_ES19_ES1A_ES1B_ES1C_ES1D_ES1E_EvT_"

int outer(function *f, int n);
int in_cxx(function *f, int n) __asm__("_ZN4shop4Cart5orderILi3EEEiPFiiEi");
int in_rust(function *f, int n) __asm__("_RNvMs_C4shopNtB4_4Cart5total");
int in_hostile(function *f, int n) __asm__(HOSTILE);

/* No call may be the last thing that a function does, or its frame is gone by then. */
#define CALL(x) ((x) + 1)

__attribute__((noinline)) int in_hostile(function *f, int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += f(i);
	return sum;
}

__attribute__((noinline)) int in_rust(function *f, int n)
{
	return CALL(in_hostile(f, n));
}

__attribute__((noinline)) int in_cxx(function *f, int n)
{
	return CALL(in_rust(f, n));
}

__attribute__((noinline)) int outer(function *f, int n)
{
	return CALL(in_cxx(f, n));
}
