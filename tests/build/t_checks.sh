#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
# A check that cannot fail checks nothing: each is given a tree with one fault.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

copy_tree
cd "$tmp/src" || exit 1

# fault FILE LINE: a layer check of the tree with that line added must fail and name it.
fault() {
	local said status=0
	cp "$1" "$tmp/kept"
	echo "$2" >>"$1"
	said=$(tools/check_layers.sh 2>&1) || status=$?
	cp "$tmp/kept" "$1"
	echo "$said"
	[ $status != 0 ] && [ "$(grep -c . <<<"$said")" = 1 ] && [[ $said == "$1:"* ]]
}

# A file of user/ itself belongs to no layer.
stray() {
	local status=0
	touch user/stray.c
	fault user/stray.c "$1" || status=$?
	rm user/stray.c
	return $status
}

ok 'layers: the tree itself is clean' tools/check_layers.sh
ok 'layers: base includes proc' fault user/base/num.c '#include "proc/elf.h"'
ok 'layers: format includes session' fault user/format/format.c '#include "session/session.h"'
ok 'layers: cli includes cmd' fault user/cli/rows.h '#include "cmd/cmd.h"'
ok 'layers: session includes format' fault user/session/session.h '#include "format/format.h"'
ok 'layers: a file two folders down includes load' fault user/cmd/record/run.c '#include "load/kern.h"'
ok 'layers: native includes py' fault user/native/chunk.c '#include "py/walk.h"'
ok 'layers: a file in no layer' stray '#include "base/buf.h"'
ok 'layers: libbpf outside of load' fault user/proc/elf.h '#include <bpf/libbpf.h>'
ok 'layers: a skeleton outside of load' fault user/cmd/main.c '#include "krait.skel.h"'
ok 'layers: user space in a BPF program' fault bpf/wire.h '#include "base/buf.h"'
ok 'layers: the same by a path' fault bpf/pylayout.h '# include "../user/base/buf.h"'
ok 'layers: the kernel side in user space' fault user/py/pystr.c '#include "bpf/maps.bpf.h"'
ok 'layers: an unknown folder' fault user/base/buf.c '#include "nowhere/x.h"'

headers() {
	clean_make -o "$tmp/o/krait.skel.h" -o "$tmp/o/probe.skel.h" OUTPUT="$tmp/o" check-headers
}
incomplete_header() {
	local status=0
	echo 'struct unknown_inside { struct not_declared x; };' >>user/base/num.h
	headers >"$tmp/headers" 2>&1 || status=$?
	cp "$top/user/base/num.h" user/base/num.h
	cat "$tmp/headers"
	[ $status != 0 ] && grep -q '^base/num.h: does not compile alone' "$tmp/headers"
}
ok 'headers: one that needs another' incomplete_header

# deps.sh on a host where nothing is: no commands but bash's own.
no_apt() {
	local said status=0
	said=$(PATH="$tmp/empty" CLANG=clang /bin/bash tools/deps.sh build 2>&1) || status=$?
	echo "$said"
	[ $status = 1 ] && [[ $said == *'missing: clang pkg-config'* || $said == *'missing: clang '* ]]
}
mkdir "$tmp/empty"
ok 'deps: says what is missing without apt-get' no_apt
ok 'deps: nothing to do is quick' timeout 2 tools/deps.sh build
plan
