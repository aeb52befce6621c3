#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# deps.sh build|cross|test: install the missing packages to build krait, to build it for aarch64
# (its libraries come from tests/sysroot.sh), or to test it, and no others. It looks for files and
# commands, not for packages, so other installations count. It needs apt-get and root only if
# something is missing; without them it prints what to install.
set -euo pipefail

# A command or path (which may be a pattern) to look for, and its Debian package.
build_rows="
${CLANG:-clang}                 clang
/usr/sbin/bpftool               bpftool
/usr/include/bpf/libbpf.h       libbpf-dev
/usr/include/gelf.h             libelf-dev
/usr/include/zlib.h             zlib1g-dev
/usr/include/lzma.h             liblzma-dev
/usr/include/libiberty/demangle.h libiberty-dev
/usr/include/jansson.h          libjansson-dev
/usr/include/stdio.h            libc6-dev
pkg-config                      pkg-config
make                            make
gcc                             gcc
"
cross_rows="$build_rows
aarch64-linux-gnu-gcc           gcc-aarch64-linux-gnu
"
# The packages of clang's libraries are named after its version (14 if there is no clang yet).
clang_version=$("${CLANG:-clang}" -dumpversion 2>/dev/null) || clang_version=14
test_rows="$build_rows
/usr/lib/llvm-${clang_version%%.*}/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a libclang-rt-${clang_version%%.*}-dev
${CLANG_FORMAT:-clang-format}   clang-format
shellcheck                      shellcheck
groff                           groff-base
mandoc                          mandoc
zsh                             zsh
fish                            fish
python3                         python3
/usr/include/python3*/Python.h  python3-dev
/usr/lib/python3/dist-packages/pip python3-pip
podman                          podman
runc                            runc
gdb                             gdb
readelf                         binutils
uwsgi                           uwsgi-core
/usr/lib/uwsgi/plugins/python3*_plugin.so uwsgi-plugin-python3
/usr/sbin/apache2               apache2-bin
/usr/lib/apache2/modules/mod_wsgi.so* libapache2-mod-wsgi-py3
dpkg-architecture               dpkg-dev
busybox                         busybox-static
qemu-system-x86_64              qemu-system-x86
npm                             npm
/usr/sbin/debootstrap           debootstrap
protoc                          protobuf-compiler
/usr/bin/chromium*              chromium-headless-shell
"

# Debian's bpftool is in /usr/sbin, which is not in a user's PATH; other installations are in PATH.
is_there() {
	case $1 in
	/usr/sbin/bpftool) [ -e "$1" ] || command -v "${BPFTOOL:-bpftool}" >/dev/null ;;
	/*) compgen -G "$1" >/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# Sets $missing to the missing packages, separated by spaces.
look() {
	local proof package
	missing=
	while read -r proof package; do
		[ -z "$proof" ] || is_there "$proof" || missing+="${missing:+ }$package"
	done <<<"$1"
}

case ${1-} in
build) rows=$build_rows ;;
cross) rows=$cross_rows ;;
test) rows=$test_rows ;;
*)
	echo "usage: deps.sh build|cross|test" >&2
	exit 2
	;;
esac

look "$rows"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "deps: missing: $missing (names of Debian packages); install them and try again" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "deps: missing: $missing; as root: apt-get install --no-install-recommends $missing" >&2
	exit 1
fi

echo "deps: installing $missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update </dev/null >"$log" 2>&1 ||
	echo "deps: apt-get update failed; trying without: $(tail -n 1 "$log")" >&2
# shellcheck disable=SC2086 # package names are words
apt-get -qq -y --no-install-recommends install $missing </dev/null >"$log" 2>&1 || {
	tail -n 20 "$log" >&2
	exit 1
}

look "$rows"
[ -z "$missing" ] || {
	echo "deps: still missing after the installation: $missing" >&2
	exit 1
}
