#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bench.sh [OPTION...]: what one run of krait's sampler costs (root; `make bench`).
#
# How it is measured. The kernel itself sums the time of all runs of a program while its statistics
# are on (BPF_ENABLE_STATS: for as long as the measuring program lives, the sysctl
# kernel.bpf_stats_enabled is not touched). Targets are Pythons that spin at a fixed depth, all
# pinned on one CPU and all stopped but the one that is measured; krait records them (-p) on another
# CPU. krait's clock ticks on all CPUs, idle ones too, and those runs count: so the price of a run
# that ends before a walk is measured with all targets stopped, and
#
#	ns/run = (time of all runs - runs that were not shown * price of a skipped run) / shown
#
# with the numbers of runs from krait's own books (map stats, what record -v prints).
#
# At the same time, on the same CPU and at the same rate, run an empty program and programs that do
# 0, 10 and 50 reads of 8 bytes of the target (price.bpf.c): the empty program's time is what any
# program pays for being timed, the slope over the reads is the price of one read, hot. And the
# stopped target is walked from outside by the same walker: reads is what the walk did, needed what
# the layout makes necessary (cost.c says what that is). The aim is
#
#	empty + 500 ns + 1.3 * needed * ns/read
#
# and ratio is ns/run divided by it, both of the same moment. Each figure is a median twice: over
# slices of 40 ms, because a host that takes the CPU away in the middle of one run spoils the mean of
# hundreds, and over interleaved rounds. Virtual machines and busy hosts are noisy all the same, and
# cold caches are real: nanoseconds differ from run to run, ratios less; compare ratios, and figures
# of one table only.
#
#	stacks	repeated: seen before (a count goes up); new: each sample is a stack never seen, of
#		known functions (it is sent); the last column says how many were
#
# Options are bench.py's. OUTPUT: where the build is (build).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
O=$(realpath -m "${OUTPUT:-$top/build}")
bench=$O/bench
CLANG=${CLANG:-clang}
CC=${CC:-cc}
BPFTOOL=${BPFTOOL:-$(PATH=$PATH:/usr/sbin command -v bpftool)}

[ "$(id -u)" = 0 ] || {
	echo "bench.sh: needs root" >&2
	exit 1
}
[ -x "$O/krait" ] || {
	echo "bench.sh: $O/krait is not built" >&2
	exit 1
}

mkdir -p "$bench"
case $(uname -m) in
aarch64) arch=arm64 ;;
*) arch=x86 ;;
esac
"$CLANG" -target bpf -mcpu=v3 -g -O2 -D__TARGET_ARCH_$arch -I"$top" \
	-c "$here/bench/price.bpf.c" -o "$bench/price.bpf.o"
"$BPFTOOL" gen skeleton "$bench/price.bpf.o" name price_bpf >"$bench/price.skel.h"
"$CC" -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE \
	-I"$bench" -I"$top/user" -I"$top" "$here/bench/cost.c" \
	"$O"/user/base/*.o "$O"/user/proc/*.o "$O"/user/py/*.o -lbpf -lelf -lz -ljansson -o "$bench/cost"

KRAIT=$O/krait COST=$bench/cost exec python3 -u -B "$here/bench/bench.py" "$@"
