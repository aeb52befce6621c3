#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# roots.sh SUITE DIR PACKAGE...: unpack packages of a Debian suite, with all that they depend on,
# into DIR, a tree good for chroot. The packages come from the mirror that this machine uses and
# are verified against Debian's own keys; nothing is installed and no maintainer script runs.
# DIR appears only when it is complete. Exit status 77: the packages cannot be had here.
set -euo pipefail

suite=$1 dir=$2
shift 2

keys=/usr/share/keyrings/debian-archive-keyring.gpg
unavailable() {
	echo "$1" >&2
	exit 77
}

[ -e $keys ] || unavailable "no Debian archive keys ($keys)"
# shellcheck disable=SC2016 # the $( ) is apt's own
mirror=$(apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !n++')
[ -n "$mirror" ] || unavailable "this machine has no Debian mirror configured"

work=$dir.tmp.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/root"
: >"$work/apt/status"
echo "deb [signed-by=$keys] $mirror $suite main" >"$work/apt/sources.list"
cat >"$work/apt/conf" <<-CONF
	APT::Architecture "$(dpkg --print-architecture)";
	APT::Install-Recommends "false";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "2";
	Dir::Etc::sourcelist "$work/apt/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::State::lists "$work/apt/lists";
	Dir::State::status "$work/apt/status";
	Dir::Cache "$work/apt";
CONF
export APT_CONFIG=$work/apt/conf

# Without "Error-Mode=any" a mirror that does not answer is only a warning.
apt-get -qq -o APT::Update::Error-Mode=any update >&2 ||
	unavailable "the lists of $suite cannot be downloaded from $mirror"
apt-get -qq -y --download-only install "$@" libc-bin >&2 ||
	unavailable "the packages of $suite cannot be downloaded from $mirror"

# Old suites ship /bin and /lib as directories; one merged tree serves all.
for d in bin sbin lib lib64; do
	mkdir -p "$work/root/usr/$d"
	ln -s "usr/$d" "$work/root/$d"
done
mkdir -p "$work/root"/{dev,proc,sys,tmp}
for deb in "$work"/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --keep-directory-symlink
done
chroot "$work/root" /sbin/ldconfig
mv -T "$work/root" "$dir"
