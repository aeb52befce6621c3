#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cpython.sh SUITE PACKAGE DIR CONFIGURE-ARGUMENT...: build the CPython of a Debian source package
# into DIR, its source tree, where ./python runs it. The source comes from the mirror that this
# machine uses and is verified against Debian's own keys; nothing is installed. DIR appears only when
# it is complete. Exit status 77: it cannot be had here.
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
./configure -q --disable-test-modules --without-ensurepip "$@" >&2
make -s -j2 python sharedmods >&2
cd /
mv -T "$work/tree" "$dir"
