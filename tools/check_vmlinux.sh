#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check_vmlinux.sh: vmlinux.h of this tree is trimmed by hand, so a wrong type in it might only fail
# at load time, on a user's kernel. This compiles each BPF program against the full types of the
# running kernel instead. BTF names the BTF of another kernel (6.4 or newer), for another ARCH:
#   make check-vmlinux ARCH=arm64 BTF=copy-of-its-/sys/kernel/btf/vmlinux
# Environment (from the Makefile): BPFTOOL CLANG BPF_CFLAGS O.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${BPFTOOL:?}" "${CLANG:?}" "${BPF_CFLAGS:?}" "${O:?run me by: make check-vmlinux}"
btf=${BTF:-/sys/kernel/btf/vmlinux}

[ -r "$btf" ] || {
	echo "SKIP check_vmlinux: $btf cannot be read"
	exit 0
}
mkdir -p "$O/full"
"$BPFTOOL" btf dump file "$btf" format c >"$O/full/vmlinux.h"
[ "$(wc -l <"$O/full/vmlinux.h")" -gt 10000 ] || {
	echo "check_vmlinux: the dump of $btf is too short to be a kernel's" >&2
	exit 1
}

failed=0
for source in bpf/*.bpf.c; do
	# Kernels before 6.18 have no task work, and these programs are not loaded there.
	if [[ $source = bpf/faulting* ]] && ! grep -q '^struct bpf_task_work {' "$O/full/vmlinux.h"; then
		echo "SKIP $source: no task work in $btf"
		continue
	fi
	# shellcheck disable=SC2086 # flags are words
	$CLANG -I"$O/full" $BPF_CFLAGS -c "$source" -o "$O/full/$(basename "$source" .c).o" || {
		echo "$source: does not compile against this kernel's types" >&2
		failed=1
	}
done
exit $failed
