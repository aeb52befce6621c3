#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cpython.sh SUITE PACKAGE DIR CONFIGURE-ARGUMENT...: build the CPython of a Debian source package
# in DIR, its source tree, where ./python runs it. The source comes from the mirror that this
# machine uses and is verified against Debian's keys; nothing is installed. DIR appears only when it
# is complete. Exit status 77: not available here. CC=musl-gcc builds for musl libc. An argument
# make:NAME=VALUE goes to make instead (Debian's configure does not keep LDFLAGS).
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "$0")/apt.sh"

suite=$1 package=$2 dir=$3
shift 3

for option; do
	case $option in
	CC=*) command -v "${option#CC=}" >/dev/null || unavailable "no ${option#CC=}" ;;
	esac
done
command -v dpkg-source >/dev/null || unavailable "no dpkg-source (dpkg-dev)"

apt_open deb-src "$suite" "$dir"
cd "$work"
apt-get -qq source --only-source "$package" >&2 ||
	unavailable "the source of $package cannot be downloaded from $mirror"

mv "$package"-*/ tree
cd tree

# musl_compiler: make ./musl-cc, which finds the kernel's headers and reports a musl target.
musl_compiler() {
	local asm

	mkdir headers
	asm=/usr/include/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/asm
	ln -s /usr/include/linux /usr/include/asm-generic "$asm" headers/
	cat >musl-cc <<-CC
		#!/bin/sh
		[ "\$1" != --print-multiarch ] || exec echo $(uname -m)-linux-musl
		exec musl-gcc -idirafter $dir/headers -idirafter $PWD/headers "\$@"
	CC
	chmod +x musl-cc
}

options=() variables=()
for option; do
	if [[ $option = make:* ]]; then
		variables+=("${option#make:}")
		continue
	fi
	if [ "$option" = CC=musl-gcc ]; then
		musl_compiler
		option=CC=$PWD/musl-cc
		options+=(PKG_CONFIG=false) # it would find libraries for glibc
	fi
	options+=("$option")
done

./configure -q --disable-test-modules --without-ensurepip "${options[@]}" >&2
make -s -j2 "${variables[@]}" python sharedmods >&2
cd /
mv -T "$work/tree" "$dir"
