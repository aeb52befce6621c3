/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions, which a file of the target has. The input is a name, without NULs. */
#include <time.h>

#include "fuzz.h"
#include "native/demangle.h"

static const char *const names[] = {
	"_ZN4shop4cart5orderILi3EEEvi",
	"_ZNSt6vectorIN4shop4CartESaIS1_EE17_M_realloc_insertIJS1_EEEvOT_",
	"_ZZN3fooIJicEEEvDpT_ENKUlvE_clEv",
	"_Z1fIDp1aI1bI1cIiiES3_ES4_EEvT_",
	"_ZN47_$LT$shop..Cart$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE.llvm.7",
	"_RNvMs_C4shopNtB4_4Cart5total",
	"_RINvC1a1bTTNtC4shopu9bcher_kvaNtC4shopu9bcher_kvaEB9_EE",
	"_RNvXs5_NtCsd4VYFwevHkG_4core3fmtNtB5_6OptionINtB5_3BoxpKh7b_E3fmt",
	"_GLOBAL__sub_I__ZN4shop5orderEv",
};

static void set_up(void)
{
}

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf file = {}, name = {};

		buf_printf(&file, "name-%zu", i);
		buf_str(&name, names[i]);
		seed_write(file.data, &name);
		buf_done(&file);
		buf_done(&name);
	}
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), got[DEMANGLE_MAX];
	unsigned int costly = 0;
	int64_t start = cpu_ns();

	MUST(name);
	if (size)
		memcpy(name, data, size);
	name[size] = '\0';
	if (demangle(name, got, &costly))
		MUST(*got && memchr(got, 0, sizeof(got)) && !costly);
	MUST(costly <= 1);
	MUST(cpu_ns() - start < 500000000); /* a tick of the timer can be long */
	free(name);
	return 0;
}
