#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
# STATIC=1 links a binary that needs nothing of the host: it runs in Debian 11 without libraries.
# KRAIT_ROOT_BULLSEYE: a tree of that suite; else the one that the end-to-end tests use.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

output=${OUTPUT:-$top/build}
cd "$top" || exit 1

# The objects that are there already, linked elsewhere: tests beside this one use $OUTPUT/krait.
link_static() {
	mkdir "$tmp/out" && cp -a "$output"/{bpf,user,*.skel.h} "$tmp/out" &&
		clean_make OUTPUT="$tmp/out" STATIC=1 "$tmp/out/krait"
}
ok 'make STATIC=1 links' link_static

binary=$tmp/out/krait
is_static() {
	LC_ALL=C readelf -lW "$binary" >"$tmp/headers" && grep -q LOAD "$tmp/headers" &&
		not grep -e INTERP -e DYNAMIC "$tmp/headers"
}
ok 'the binary has no interpreter and no dynamic section' is_static

# Sets $root, or $why there is none.
find_root() {
	root=${KRAIT_ROOT_BULLSEYE:-} why=
	[ "$(id -u)" = 0 ] || {
		why='chroot needs root'
		return 1
	}
	unshare --mount true 2>"$tmp/why" || {
		why="no mount namespace: $(tail -n 1 "$tmp/why")"
		return 1
	}
	[ -n "$root" ] || root=$(python3 tests/e2e/interpreters.py root bullseye 2>"$tmp/why") || {
		why=$(tail -n 1 "$tmp/why")
		return 1
	}
}

# A private mount namespace: proc and sys in the tree go away with it.
# in_root TREE WORDS...
in_root() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount bash -euc 'mkdir -p "$1/proc" "$1/sys"
		mount -t proc proc "$1/proc"; mount --rbind /sys "$1/sys"
		mount -t tmpfs tmpfs "$1/tmp"; cp "$2" "$1/tmp/krait"
		root=$1; shift 2; exec chroot "$root" /tmp/krait "$@"' bash "$root" "$binary" "$@"
}

says_version() {
	in_root --version | grep -qx 'krait [0-9.]*'
}

resolves_users() {
	in_root record --uid no-such-user
	[ $? = 2 ]
}

# A busy Python of this host, so that there is something to record.
records() {
	local target status=0
	/usr/bin/python3 -c 'print(flush=True)
while True: sum(range(1000))' >"$tmp/started" &
	target=$!
	until [ -s "$tmp/started" ]; do kill -0 $target || return 1; sleep 0.05; done
	in_root record -d 1 -p $target >"$tmp/folded" || status=$?
	kill $target
	wait $target
	head -n 3 "$tmp/folded"
	[ $status = 0 ] && grep -q '^[^;]*python3.*<module>.* [0-9]*$' "$tmp/folded"
}

if find_root; then
	ok 'says its version in Debian 11' says_version
	ok 'looks up users without libraries' resolves_users
	ok 'records in Debian 11' records
else
	skip 'says its version in Debian 11' "$why"
	skip 'looks up users without libraries' "$why"
	skip 'records in Debian 11' "$why"
fi
plan
