#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check_depfiles.sh: in a copy of the tree, edit one header at a time. make must rebuild each object
# whose source includes it, and not the others; a second make must do nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp -r Makefile vmlinux.h bpf user "$tmp"
cd "$tmp"

fail() {
	echo "check_depfiles: $1" >&2
	exit 1
}

# Nothing is run, so the code need not be optimized.
build() {
	MAKEFLAGS='' make --no-print-directory -j2 OUTPUT="$tmp/build" CFLAGS=-O0 all >"$tmp/log" 2>&1 || {
		tail -n 20 "$tmp/log" >&2
		fail "the copy does not build"
	}
}

# Prints the rebuilt objects as names of their sources: user/base/num.c, bpf/maps.bpf.c.
rebuilt() {
	find build -name '*.o' -newer stamp |
		sed -n 's|^build/\(user/.*\)\.o$|\1.c|p; s|^build/\(bpf/.*\)\.tmp\.bpf\.o$|\1.bpf.c|p'
}

# edit HEADER NAME...: edit and rebuild; the NAMEs are those in #include lines of the header.
edit() {
	local header=$1 source name
	shift
	touch stamp
	echo '/* edited */' >>"$header"
	build
	rebuilt >list
	for name; do
		while read -r source; do
			if [ -e "build/${source%.c}.o" ] || [ -e "build/${source%.bpf.c}.tmp.bpf.o" ]; then
				grep -qx "$source" list || fail "$header was edited, $source was not rebuilt"
			fi
		done < <(grep -rl --include='*.c' "#include \"$name\"" bpf user)
	done
	[ -s list ] || fail "$header was edited, nothing was rebuilt"
	MAKEFLAGS='' make --no-print-directory -q OUTPUT="$tmp/build" all || fail "a second make would build again"
}

untouched() {
	! grep -x "$1" list || fail "$2 was edited, and this was rebuilt for nothing"
}

build
MAKEFLAGS='' make --no-print-directory -q OUTPUT="$tmp/build" all || fail "a second make would build again"

edit user/base/num.h base/num.h
untouched 'user/base/buf\.c' user/base/num.h
untouched 'bpf/.*' user/base/num.h

# A header whose sources lie two folders down.
edit user/cmd/record/opts.h cmd/record/opts.h
untouched 'user/cmd/report/.*' user/cmd/record/opts.h

edit bpf/wire.h bpf/wire.h wire.h krait.skel.h
untouched 'user/base/.*' bpf/wire.h
untouched 'user/cli/.*' bpf/wire.h
grep -q '^bpf/' list || fail "bpf/wire.h was edited, no BPF program was rebuilt"
