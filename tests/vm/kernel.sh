#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kernel.sh SUITE ARCH VERSION DIR: what boots a Debian suite's newest kernel whose version begins
# with VERSION: DIR/version, DIR/vmlinuz, DIR/busybox, and in DIR/modules what a root over 9p needs,
# named NN-NAME.ko in the order in which they are inserted. The packages are verified against
# Debian's own keys; nothing is installed. DIR appears only when it is complete. Exit status 77: it
# cannot be had here.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "$0")/../apt.sh"

suite=$1 arch=$2 wanted=$3 dir=$4
# The busses, then the root.
modules=(virtio_pci virtio_mmio pci_host_generic 9pnet_virtio 9p overlay)

# add MODULE: it, after what it depends on. What the kernel has built in is no file.
inserted=()
add() {
	local file fresh depends name=${1//-/_}

	[[ " ${inserted[*]-} " != *" $name "* ]] || return 0
	file=$(find root -name "${name//_/[-_]}.ko*" -type f -print -quit)
	[ -n "$file" ] || return 0
	fresh=$work/$name.ko
	case $file in
	*.xz) xz -dc "$file" >"$fresh" ;;
	*.zst) zstd -qdc "$file" >"$fresh" ;;
	*) cp "$file" "$fresh" ;;
	esac
	depends=$(tr '\0' '\n' <"$fresh" | sed -n 's/^depends=//p')
	for depends in ${depends//,/ }; do
		add "$depends"
	done
	inserted+=("$name")
	mv "$fresh" "$(printf '%s/kernel/modules/%02d-%s.ko' "$work" ${#inserted[@]} "$name")"
}

apt_open deb "$suite" "$dir" "$arch"

# The cloud flavour lacks 9p, the other flavours are other kernels. A kernel is one package up to
# 6.x; since 7.x linux-image is empty and there are two more.
names=$(apt-cache pkgnames linux- | grep -E "^linux-(image|binary|modules)-[0-9.]+[^-]*(-[0-9]+)?-$arch\$") ||
	unavailable "$suite has no kernel for $arch"
version=$(sed -E 's/^linux-(image|binary|modules)-//' <<<"$names" | grep "^${wanted//./\\.}" |
	sort -uV | tail -n 1) || unavailable "$suite has no kernel $wanted* for $arch"
mapfile -t packages < <(grep -Fx -e "linux-image-$version" -e "linux-binary-$version" \
	-e "linux-modules-$version" <<<"$names")

cd "$work"
apt-get -qq download "${packages[@]}" busybox-static >&2 ||
	unavailable "kernel $version of $suite cannot be downloaded from $mirror"
mkdir -p root kernel/modules
for deb in ./*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C root
done
for module in "${modules[@]}"; do
	add "$module"
done
# It was in /boot once and is with the modules now.
find root -name 'vmlinuz*' -type f -exec cp {} kernel/vmlinuz \; -quit
find root -path '*/bin/busybox' -type f -exec cp {} kernel/busybox \; -quit
echo "$version" >kernel/version
ls kernel/vmlinuz kernel/busybox kernel/modules/*-{9pnet_virtio,9p,overlay}.ko >/dev/null
mv -T kernel "$dir"
