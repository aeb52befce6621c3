#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# clang.sh PACKAGE DIR: build the CPython of a Debian source package of this machine's suite with
# clang into DIR, its source tree, where ./python runs it. The source comes from the mirror that
# this machine uses and is verified against Debian's own keys; nothing is installed. DIR appears
# only when it is complete. Exit status 77: it cannot be had here.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "$0")/../apt.sh"

package=$1 dir=$2

command -v clang >/dev/null || unavailable "no clang"
command -v dpkg-source >/dev/null || unavailable "no dpkg-source (dpkg-dev)"
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")

apt_open deb-src "$suite" "$dir"
cd "$work"
apt-get -qq source --only-source "$package" >&2 ||
	unavailable "the source of $package cannot be downloaded from $mirror"

mv "$package"-*/ tree
cd tree
./configure -q CC=clang --disable-test-modules --without-ensurepip >&2
make -s -j2 python sharedmods >&2
cd /
mv -T "$work/tree" "$dir"
