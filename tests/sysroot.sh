#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# sysroot.sh ARCH: what krait is linked with, for another architecture (in Debian's words: arm64), as
# the option --sysroot of a compiler takes it. It is unpacked into the cache at first use; its path
# goes to standard output. Exit status 77: it cannot be had here.
set -euo pipefail

dir=${KRAIT_CACHE:-$HOME/.cache/krait}/sysroot/bookworm-$1-2 # counted up with the list of packages
mkdir -p "$(dirname "$dir")"
# Two that make it at once may both succeed: the second one finds a complete tree.
[ -d "$dir" ] ||
	"$(dirname "$0")/e2e/roots.sh" "bookworm:$1" "$dir" libbpf-dev libelf-dev zlib1g-dev libjansson-dev libc6-dev ||
	[ -d "$dir" ] || exit $?
echo "$dir"
