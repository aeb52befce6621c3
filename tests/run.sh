#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs test programs and sums up their results (TAP).
#
#   tests/run.sh SUITE...      unit: $OUTPUT/unit/test_*   build: tests/build/t_*
#                              e2e: tests/e2e/t_*.py
#
# Prints a line when a program ends, and failures with their diagnostics; at the end the slowest
# programs, all skips with their reasons, and the closing line. A program fails as a whole if it is
# killed, prints no plan, or prints another number of results than planned. It is a failure, too, if
# no program ran. All output is kept in $OUTPUT/test-logs/.
#
# Unit tests, and other tests with a line "# Runs beside others.", do not need a quiet machine:
# $JOBS of them run at a time, of all suites together, before the tests that run alone. Tests with
# "# Runs beside others. Takes long." start first, so that none of them runs alone at the end.
#
# OUTPUT        where the build is (build)
# JOBS          number of programs to run at a time (2)
# TEST_TIMEOUT  seconds for one program (1200)

set -u
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
OUTPUT=$(realpath -m "${OUTPUT:-$here/../build}")
export OUTPUT
limit=${TEST_TIMEOUT:-1200}
jobs=${JOBS:-2}
slowest=10
logs=$OUTPUT/test-logs

ran=0 passed=0 failed=0 skipped=0
skips=()
times=()
declare -A running=() # pid of the subshell that runs a program -> its log

stop() {
	[ ${#running[@]} -eq 0 ] || kill "${!running[@]}" 2>/dev/null
	echo "stopped" >&2
	exit 130
}
trap stop INT TERM

# The programs of a suite, one a line.
programs() {
	local -A glob=(
		[unit]="$OUTPUT/unit/test_*" [build]="$here/build/t_*" [e2e]="$here/e2e/t_*.py"
	)
	local file

	for file in ${glob[$1]}; do
		case $file in
		*.d | *.o) ;;
		*) [ -f "$file" ] && echo "$file" ;;
		esac
	done
}

# Is there a line like $2 near the beginning of program $1?
says() {
	head -n 5 "$1" | grep -qx "$2"
}

# May program $2 of suite $1 run beside others?
is_beside() {
	[ "$1" = unit ] || says "$2" '# Runs beside others\.\( Takes long\.\)\?'
}

is_long() {
	[ "$1" != unit ] && says "$2" '# Runs beside others\. Takes long\.'
}

# Runs program $2 of suite $1 with output to $3.out and $3.err. For a subshell.
run_program() {
	local command=("$2") child

	[ "$1" = e2e ] && command=(/usr/bin/python3 -u -B "$2")
	timeout -k 10 "$limit" "${command[@]}" >"$3.out" 2>"$3.err" </dev/null &
	child=$!
	# shellcheck disable=SC2064 # expand $child now
	trap "kill $child 2>/dev/null; exit 130" INT TERM
	wait "$child" 2>/dev/null
}

# Prints why a program with output $1, exit status $2, $3 results, $4 failures and plan $5 failed as
# a whole, if it did.
program_fault() {
	local rc=$2 results=$3 failures=$4 plan=$5

	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		echo "did not end within $limit s, or was killed"
	elif [ "$rc" -gt 128 ]; then
		echo "died of signal $((rc - 128))"
	elif grep -q '^Bail out!' "$1"; then
		grep -m1 '^Bail out!' "$1"
	elif [ -z "$plan" ]; then
		echo "printed no plan (exit status $rc)"
	elif [ "$results" -ne "$plan" ]; then
		echo "printed $results results of $plan planned (exit status $rc)"
	elif [ "$rc" -ne 0 ] && [ "$failures" -eq 0 ]; then
		echo "exit status $rc, although nothing failed"
	fi
}

# Prints the failed results of output $1, each with the diagnostics before and after it.
print_failures() {
	awk '
		/^(not )?ok([ \t]|$)/ {
			bad = /^not/
			if (bad || was_bad)
				printf "%s", notes
			if (bad)
				print "    " $0
			notes = ""
			was_bad = bad
		}
		/^#/ { notes = notes "      " $0 "\n" }
		END { if (was_bad) printf "%s", notes }
	' "$1"
}

# Adds the results of output $2 of test $1 to the caller's variables ok, bad, skip and plan.
count_results() {
	local line plan_line='^1\.\.([0-9]+)([[:space:]]*#[[:space:]]*(SKIP|skip)(.*))?$'
	local skip_line='^ok[^#]*#[[:space:]]*(SKIP|skip)[[:space:]]*(.*)$'
	local name

	while IFS= read -r line || [ -n "$line" ]; do
		if [[ $line =~ $plan_line ]]; then
			plan=$((10#${BASH_REMATCH[1]}))
			[ "$plan" -eq 0 ] || continue
			skip=$((skip + 1))
			skips+=("$1:${BASH_REMATCH[4]:- planned nothing}")
		elif [[ $line =~ $skip_line ]]; then
			skip=$((skip + 1))
			name=${line%%#*}
			name=${name#ok }
			skips+=("$1: ${name% }: ${BASH_REMATCH[2]:-no reason given}")
		elif [[ $line =~ ^ok([[:space:]]|$) ]]; then
			ok=$((ok + 1))
		elif [[ $line =~ ^not\ ok([[:space:]]|$) ]]; then
			bad=$((bad + 1))
		fi
	done <"$2"
}

# Runs a program and writes its counts to $log.counts, its skips to $log.skips. For a subshell.
run_test() {
	local suite=$1 file=$2 log=$3 name start took rc fault results
	local ok=0 bad=0 skip=0 plan=
	skips=()

	name=$suite/$(basename "$file")
	start=${EPOCHREALTIME/./}
	run_program "$suite" "$file" "$log"
	rc=$?
	took=$(((${EPOCHREALTIME/./} - start) / 1000))

	count_results "$name" "$log.out"
	results=$((ok + bad + skip))
	[ "${plan:-1}" -eq 0 ] && results=$((ok + bad))
	fault=$(program_fault "$log.out" "$rc" "$results" "$bad" "$plan")

	printf '%-4s  %-36s %4d passed %3d failed %3d skipped %6d.%03d s\n' \
		"$([ -z "$fault" ] && [ "$bad" -eq 0 ] && echo ok || echo FAIL)" \
		"$name" "$ok" "$bad" "$skip" $((took / 1000)) $((took % 1000))
	if [ -n "$fault" ] || [ "$bad" -gt 0 ]; then
		print_failures "$log.out"
		[ -n "$fault" ] && echo "    $name: $fault"
		tail -n 40 "$log.err" | sed 's/^/      | /'
		echo "    all of it: $log.out, $log.err"
	fi
	[ -n "$fault" ] && bad=$((bad + 1))
	[ ${#skips[@]} -eq 0 ] || printf '%s\n' "${skips[@]}" >"$log.skips"
	echo "$ok $bad $skip $took $name" >"$log.counts"
}

# Waits until one of the running programs ends, prints its report, and adds its counts.
collect() {
	local pid log ok=0 bad=1 skip=0 took=0 name='' more=()

	wait -n -p pid "${!running[@]}"
	log=${running[$pid]}
	unset "running[$pid]"
	cat "$log.report"
	[ ! -e "$log.skips" ] || mapfile -t more <"$log.skips"
	skips+=("${more[@]}")
	read -r ok bad skip took name <"$log.counts" || echo "FAIL  $log: no counts"
	ran=$((ran + 1))
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	times+=("$took $name")
}

# Runs programs, each given as "SUITE PATH", $1 at a time.
run_files() {
	local most=$1 program suite file log

	shift
	for program; do
		[ ${#running[@]} -lt "$most" ] || collect
		suite=${program%% *} file=${program#* }
		log=$logs/$suite-$(basename "$file")
		rm -f "$log.skips" "$log.counts"
		run_test "$suite" "$file" "$log" >"$log.report" 2>&1 &
		running[$!]=$log
	done
	while [ ${#running[@]} -gt 0 ]; do
		collect
	done
}

run_suites() {
	local suite files file long=() beside=() alone=()

	for suite; do
		mapfile -t files < <(programs "$suite")
		if [ ${#files[@]} -eq 0 ]; then
			skipped=$((skipped + 1))
			skips+=("$suite: it has no test programs")
		fi
		for file in "${files[@]}"; do
			if is_long "$suite" "$file"; then
				long+=("$suite $file")
			elif is_beside "$suite" "$file"; then
				beside+=("$suite $file")
			else
				alone+=("$suite $file")
			fi
		done
	done
	run_files "$jobs" "${long[@]}" "${beside[@]}"
	run_files 1 "${alone[@]}"
}

print_slowest() {
	echo
	echo "slowest:"
	printf '%s\n' "${times[@]}" | sort -rn | head -n "$slowest" |
		awk '{ printf "  %8.1f s  %s\n", $1 / 1000, $2 }'
}

main() {
	local suite

	[ $# -gt 0 ] || set -- ''
	for suite; do
		case $suite in
		unit | build | e2e) ;;
		*)
			echo "usage: tests/run.sh unit|build|e2e..." >&2
			exit 2
			;;
		esac
	done

	mkdir -p "$logs"
	cd "$here/.." || exit 1
	run_suites "$@"

	[ "$ran" -eq 0 ] || print_slowest
	if [ ${#skips[@]} -gt 0 ]; then
		printf '\nskipped:\n'
		printf '  %s\n' "${skips[@]}"
	fi
	echo
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]
}

main "$@"
