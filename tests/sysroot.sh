#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# sysroot.sh ARCH: print the path of a sysroot with krait's libraries for a foreign architecture
# (Debian's name: arm64), for a compiler's option --sysroot. It is unpacked into the cache at first
# use. Exit status 77: not available here.
set -euo pipefail

dir=${KRAIT_CACHE:-$HOME/.cache/krait}/sysroot/bookworm-$1-4 # increment with the package list
mkdir -p "$(dirname "$dir")"
# If two scripts make it at once, both may succeed: the slower one finds a complete tree.
[ -d "$dir" ] ||
	"$(dirname "$0")/e2e/roots.sh" "bookworm:$1" "$dir" libbpf-dev libelf-dev zlib1g-dev liblzma-dev libiberty-dev libjansson-dev libc6-dev ||
	[ -d "$dir" ] || exit $?
echo "$dir"
