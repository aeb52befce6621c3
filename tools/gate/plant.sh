#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# plant.sh: does the gate fail when it should, and only then? Plants one regression at a time in a
# copy of the tree, builds it, and runs gate.py beside an unchanged copy: it must fail and name the
# figure. Then the unchanged copy beside itself must pass ten times, half of them beside two busy loops.
# Prints TAP. Needs root; some 20 minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."

OUTPUT=$(realpath -m "${OUTPUT:-build}")
folder=$OUTPUT/gate/plant
n=0
status=0

# A regression: its name, the figure that must fail, a file, and what perl does to it.
# shellcheck disable=SC2016 # the variables are perl's
plants=(
	'a read more a frame|reads of the walk|bpf/pywalk.h|s/(\tf\.off = off;\n)/$1\tif (read_user(src, &code, 8, f.at))\n\t\treturn pywalk_fault(w, f.at);\n/'
	'4 kB more a map entry|memory|bpf/wire.h|s/(struct program \{\n)/$1\t__u8 more[4096];\n/; s/(sizeof\(struct program\) == )\d+/${1}4336/'
	'a system call more a sample|calls a second|user/session/samples.c|s/(int samples_stack\(.*?\n\{\n)/int getppid(void);\n$1\tgetppid();\n/s'
	'a program verified twice|loads|user/session/sampler.c|s/(\tif \(open_all\(s, opts, features, hz, err\)\)\n)/\tguess_was_wrong(features, &found);\n$1/'
	'30 ms of sleep at start|start:|user/load/kern.c|s/(static int start\(.*?\n\{\n)/int usleep(unsigned int us);\n$1\tusleep(30000);\n/s'
)

say() {
	n=$((n + 1))
	[ "$1" = ok ] || status=1
	echo "$1 $n - $2"
}

# copy PLACE: the tree as it is, with changes that are not committed.
copy() {
	rm -rf "$1"
	mkdir -p "$1"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1"
}

build() {
	MAKEFLAGS='' make -s -C "$1" -j2 OUTPUT="$1/build" "$1/build/krait" >"$1/log" 2>&1
}

gate() {
	OUTPUT="$1/build" python3 -u -B "$1/tools/gate/gate.py" --few --beside "$folder/clean"
}

# plant NAME FIGURE FILE EXPRESSION
plant() {
	local tree=$folder/tree said

	copy "$tree"
	perl -0pi -e "$4" "$tree/$3"
	if cmp -s "$3" "$tree/$3"; then
		say 'not ok' "$1: nothing was planted in $3"
	elif ! build "$tree"; then
		say 'not ok' "$1: does not build"
		tail -n 5 "$tree/log" | sed 's/^/# /'
	elif said=$(gate "$tree"); then
		say 'not ok' "$1: the gate passed"
	elif grep -q "^not ok .* - $2" <<<"$said"; then
		say ok "$1: $(grep "^not ok .* - $2" <<<"$said" | head -n 1 | sed 's/^[^-]*- //')"
	else
		say 'not ok' "$1: another figure failed"
		grep -v '^ok' <<<"$said" | sed 's/^/# /'
	fi
}

busy() {
	while :; do :; done
}

# clean ROUND WHERE
clean() {
	local said

	if said=$(gate "$folder/clean"); then
		say ok "no regression, round $1 $2"
	else
		say 'not ok' "no regression, round $1 $2"
		grep '^not ok' <<<"$said" | sed 's/^/# /'
	fi
}

copy "$folder/clean"
build "$folder/clean"
for p in "${plants[@]}"; do
	IFS='|' read -r name figure file expression <<<"$p"
	plant "$name" "$figure" "$file" "$expression"
done

for i in 1 2 3 4 5; do
	clean "$i" 'alone'
done
busy &
loops=$!
busy &
loops+=" $!"
# shellcheck disable=SC2064,SC2086 # the pids as they are now, two words
trap "kill $loops" EXIT
for i in 6 7 8 9 10; do
	clean "$i" 'beside two busy loops'
done
echo "1..$n"
exit $status
