#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kernel.sh SUITE ARCH VERSION DIR: get a Debian suite's newest kernel whose version begins with
# VERSION, and the files to boot it: DIR/version, DIR/vmlinuz, DIR/busybox, and in DIR/modules the
# modules for a root over 9p, named NN-NAME.ko in the order of insertion. The packages are verified
# against Debian's keys; nothing is installed. DIR appears only when it is complete. Exit status 77:
# not available here.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "$0")/../apt.sh"

suite=$1 arch=$2 wanted=$3 dir=$4
# First the buses, then the root file system.
modules=(virtio_pci virtio_mmio pci_host_generic 9pnet_virtio 9p overlay)

# add MODULE: copy a module after its dependencies. Modules built into the kernel have no file.
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

# The pattern excludes flavours: cloud lacks 9p, and the others are different kernels. Up to 6.x a
# kernel is one package; since 7.x linux-image is empty, and two more packages have its files.
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
# Older packages have vmlinuz in /boot, newer ones beside the modules.
find root -name 'vmlinuz*' -type f -exec cp {} kernel/vmlinuz \; -quit
find root -path '*/bin/busybox' -type f -exec cp {} kernel/busybox \; -quit
echo "$version" >kernel/version
ls kernel/vmlinuz kernel/busybox kernel/modules/*-{9pnet_virtio,9p,overlay}.ko >/dev/null
mv -T kernel "$dir"
