#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# clang.sh PACKAGE DIR: build the CPython of a Debian source package of this machine's suite with
# clang into DIR, its source tree, where ./python runs it. The source comes from the mirror that
# this machine uses and is verified against Debian's own keys; nothing is installed. DIR appears
# only when it is complete. Exit status 77: it cannot be had here.
set -euo pipefail

package=$1 dir=$2

keys=/usr/share/keyrings/debian-archive-keyring.gpg
unavailable() {
	echo "$1" >&2
	exit 77
}

[ -e $keys ] || unavailable "no Debian archive keys ($keys)"
command -v clang >/dev/null || unavailable "no clang"
command -v dpkg-source >/dev/null || unavailable "no dpkg-source (dpkg-dev)"
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
# shellcheck disable=SC2016 # the $( ) is apt's own
mirror=$(apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !n++')
[ -n "$mirror" ] || unavailable "this machine has no Debian mirror configured"

work=$dir.tmp.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/lists/partial"
echo "deb-src [signed-by=$keys] $mirror $suite main" >"$work/apt/sources.list"
cat >"$work/apt/conf" <<-CONF
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "2";
	Dir::Etc::sourcelist "$work/apt/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::State::lists "$work/apt/lists";
	Dir::Cache "$work/apt";
CONF
export APT_CONFIG=$work/apt/conf

# Without "Error-Mode=any" a mirror that does not answer is only a warning.
apt-get -qq -o APT::Update::Error-Mode=any update >&2 ||
	unavailable "the lists of $suite cannot be downloaded from $mirror"
cd "$work"
apt-get -qq source --only-source "$package" >&2 ||
	unavailable "the source of $package cannot be downloaded from $mirror"

mv "$package"-*/ tree
cd tree
./configure -q CC=clang --disable-test-modules --without-ensurepip >&2
make -s -j2 python sharedmods >&2
cd /
mv -T "$work/tree" "$dir"
