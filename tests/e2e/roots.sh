#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# roots.sh SUITE[:ARCH] DIR PACKAGE...: unpack packages of a Debian suite and their dependencies
# into DIR, a tree for chroot. ARCH is Debian's name of a foreign architecture (bookworm:arm64);
# such a tree runs only in a virtual machine, and has no ld.so.cache. The packages come from the
# mirror that this machine uses and are verified against Debian's keys; nothing is installed and no
# maintainer script runs. DIR appears only when it is complete. Exit status 77: the packages are not
# available here.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "$0")/../apt.sh"

suite=${1%:*} dir=$2
own=$(dpkg --print-architecture)
arch=${1#"$suite"} arch=${arch#:} arch=${arch:-$own}
shift 2

apt_open deb "$suite" "$dir" "$arch"
apt-get -qq -y --download-only install "$@" libc-bin >&2 ||
	unavailable "the packages of $suite cannot be downloaded from $mirror"

# Old suites ship /bin and /lib as directories; every tree is made with merged /usr.
for d in bin sbin lib lib64; do
	mkdir -p "$work/root/usr/$d"
	ln -s "usr/$d" "$work/root/$d"
done
mkdir -p "$work/root"/{dev,proc,sys,tmp}
for deb in "$work"/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --keep-directory-symlink
done
[ "$arch" != "$own" ] || chroot "$work/root" /sbin/ldconfig
mv -T "$work/root" "$dir"
