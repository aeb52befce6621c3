# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# For the tests of the build: TAP lines, and a copy of the tree that may be changed.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tests=0

# ok NAME COMMAND...: the case passes if the command does. What it says is shown if not.
ok() {
	local name=$1
	shift
	tests=$((tests + 1))
	if "$@" >"$tmp/said" 2>&1; then
		echo "ok $tests - $name"
	else
		echo "not ok $tests - $name"
		tail -n 30 "$tmp/said" | sed 's/^/# /'
	fi
}

# skip NAME REASON
skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# The last line of a test.
plan() {
	echo "1..$tests"
}

not() {
	! "$@"
}

# What builds the program, in $tmp/src.
copy_tree() {
	mkdir "$tmp/src"
	cp -r "$top"/{Makefile,vmlinux.h,bpf,user,tools} "$tmp/src"
}

# A make that does not listen to the one that runs the tests.
clean_make() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory "$@"
}
