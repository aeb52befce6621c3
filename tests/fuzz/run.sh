#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs fuzz targets one after another, each for a fixed time, and prints one line for each: the
# number of inputs, the number of edges that they reached in the code, and the number of findings.
#
#   tests/fuzz/run.sh [NAME...]      all targets, or elf, maps, walk, ...
#
# OUTPUT         build directory (build); inputs are kept in $OUTPUT/fuzz/corpus for the next run
# FUZZ_SECONDS   seconds per target (600)
# FUZZ_ELF       ELF files that are seeds, separated by blanks
#
# Findings are kept in $OUTPUT/fuzz/findings; the command that reproduces each one is printed. Exit
# status 1: there are findings, or a target did not run.
set -u
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
fuzz=$(realpath -m "${OUTPUT:-$here/../../build}")/fuzz
seconds=${FUZZ_SECONDS:-600}
child=

stop() {
	[ -z "$child" ] || kill "$child" 2>/dev/null
	exit 130
}
trap stop INT TERM

# The number after the last "$1 N" or "$1: N" in log $2; empty (0 for printf) if there is none.
number() {
	local all

	all=$(grep -o "$1:* *[0-9]*" "$2" | tail -n 1)
	echo "${all##*[ :]}"
}

# Runs one target. Returns 0 if it ran and found nothing.
run() {
	local name=$1 program=$fuzz/fuzz_$1 log=$fuzz/logs/$1 found rc

	mkdir -p "$fuzz"/{logs,"seeds/$name","corpus/$name","findings/$name"}
	FUZZ_SEEDS=$fuzz/seeds/$name "$program" || return 1
	"$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$fuzz/findings/$name/" \
		"$fuzz/corpus/$name" "$fuzz/seeds/$name" >"$log" 2>&1 &
	child=$!
	wait "$child"
	rc=$?
	child=
	found=$(grep -c 'Test unit written to' "$log")
	printf '%-12s %5d s %12d inputs %6d edges %3d findings\n' "$name" "$seconds" \
		"$(number stat::number_of_executed_units "$log")" "$(number cov "$log")" "$found"
	[ "$found" -gt 0 ] || [ "$rc" -eq 0 ] || tail -n 20 "$log"
	grep 'Test unit written to' "$log" | sed "s|.*written to |    $program |"
	[ "$rc" -eq 0 ] && [ "$found" -eq 0 ]
}

main() {
	local status=0 program

	if [ $# -eq 0 ]; then
		for program in "$fuzz"/fuzz_*; do
			[[ ! -x $program ]] || set -- "$@" "${program##*/fuzz_}"
		done
	fi
	[ $# -gt 0 ] || status=1
	for name; do
		run "$name" || status=1
	done
	[ $status -eq 0 ]
}

main "$@"
