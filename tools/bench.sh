#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bench.sh [OPTION...]: measures the cost of one run of krait's sampler (root; `make bench`).
#
# Method. The kernel sums the run time of each BPF program while its statistics are on
# (BPF_ENABLE_STATS: as long as the measuring program lives; the sysctl kernel.bpf_stats_enabled is
# not changed). Targets are Pythons that spin at a fixed stack depth, all pinned to one CPU and all
# stopped except the measured one; krait records them (-p) on another CPU. krait's clock ticks on
# all CPUs, including idle ones, and those runs are in the sum. So the cost of a run that ends
# before a walk (a skipped run) is measured with all targets stopped, and
#
#	ns/run = (time of all runs - runs that were not shown * cost of a skipped run) / shown
#
# with the numbers of runs from krait's counters (map stats, as printed by record -v).
#
# At the same time, on the same CPU and at the same rate, an empty program runs, and programs that
# do 0, 10 and 50 reads of 8 bytes of the target (price.bpf.c). The empty program's time is the
# overhead of timing a program; the slope over the reads is the cost of one read with warm caches.
# The stopped target is also walked from outside by the same walker: "reads" is the number of reads
# of that walk, "needed" the number that the layout requires (see cost.c). The aim is
#
#	empty + 500 ns + 1.3 * needed * ns/read
#
# and ratio is ns/run divided by it, both measured at the same time. Each figure is a median twice:
# over slices of 40 ms, because a host that takes the CPU away during one run spoils the mean of
# hundreds, and over interleaved rounds. Virtual machines and busy hosts are noisy nevertheless, and
# caches are not always warm: nanoseconds differ from run to run, ratios less. Compare ratios, and
# figures of one table only.
#
#	stacks	repeated: seen before (a counter is incremented); new: each sample is a new stack of
#		known functions (it is sent); the last column has the actual share of new stacks
#
# Options are bench.py's. OUTPUT: the build folder (build).
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
	-I"$bench" -I"$top/user" -I"$top" "$here/bench/cost.c" "$here/bench/running.c" \
	"$O"/user/base/*.o "$O"/user/proc/*.o "$O"/user/py/*.o -lbpf -lelf -lz -ljansson -lm -o "$bench/cost"

KRAIT=$O/krait COST=$bench/cost exec python3 -u -B "$here/bench/bench.py" "$@"
