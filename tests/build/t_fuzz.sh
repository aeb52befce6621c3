#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others. Takes long.
# Every fuzz target for a few seconds: enough for its seeds and what is found easily. make fuzz runs
# them for ten minutes each.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

output=$tmp/build # where nothing else has made what these need
cd "$top" || exit 1
names=$(cd tests/fuzz && echo fuzz_*.c)

# Can this clang link a fuzz target?
has_libfuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *, long); int LLVMFuzzerTestOneInput(const char *d,
		long n) { return d && n == 1 && *d == 1; }' >"$tmp/try.c"
	"${CLANG:-clang}" -fsanitize=fuzzer,address "$tmp/try.c" -o "$tmp/try" 2>"$tmp/why"
}

if ! has_libfuzzer; then
	for name in $names; do
		skip "${name%.c}" "no libFuzzer: $(head -n 1 "$tmp/why")"
	done
	plan
	exit
fi

ok 'fuzz targets build' clean_make -j"$(nproc)" OUTPUT="$output" fuzz-build
for name in $names; do
	name=${name#fuzz_}
	ok "fuzz_${name%.c}" clean_make OUTPUT="$output" FUZZ="${name%.c}" FUZZ_SECONDS=3 fuzz
done

# One that breaks: the exit status says so, and the line below how to see it again.
finds() {
	local status=0
	mkdir -p "$tmp/fuzz"
	cat >"$tmp/broken.c" <<-'END'
		#include "fuzz.h"
		static void set_up(void) {}
		static void make_seeds(void) {}
		int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
		{
			MUST(size < 2 || data[1] != 'x');
			return 0;
		}
	END
	"${CLANG:-clang}" -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Iuser -Itests/fuzz \
		"$tmp/broken.c" "$output/fuzz/libkrait.a" -o "$tmp/fuzz/fuzz_broken" || return 1
	OUTPUT=$tmp FUZZ_SECONDS=20 tests/fuzz/run.sh broken >"$tmp/found" || status=$?
	cat "$tmp/found"
	[ $status = 1 ] && grep -q '^broken .* 1 findings' "$tmp/found" &&
		grep -q "^    $tmp/fuzz/fuzz_broken $tmp/fuzz/findings/broken/" "$tmp/found"
}
ok 'a finding is reported' finds
plan
