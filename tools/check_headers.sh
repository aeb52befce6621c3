#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check_headers.sh: each header must compile alone: headers of user/ with the host's compiler,
# headers of the BPF side with clang for BPF, and headers shared by both sides with either.
# Environment (from the Makefile): CC CLANG BPF_CFLAGS O.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${CC:?}" "${CLANG:?}" "${BPF_CFLAGS:?}" "${O:?run me by: make check-headers}"
failed=0

# alone HEADER COMPILER...: includes the header twice, to detect a missing include guard, too.
alone() {
	local header=$1
	shift
	printf '#include "%s"\n' "$header" "$header" |
		"$@" -Wall -Wextra -Werror -Wno-unused-parameter -Wno-unused-function -fsyntax-only -x c - || {
		echo "$header: does not compile alone ($1)" >&2
		failed=1
	}
}

# shellcheck disable=SC2086 # flags are words
host() {
	alone "$1" $CC -std=gnu11 -D_GNU_SOURCE -I"$O" -Iuser -I.
}

# shellcheck disable=SC2086
bpf() {
	alone "$1" $CLANG $BPF_CFLAGS -I.
}

while read -r header; do
	host "${header#user/}"
done < <(find user -name '*.h' | sort)
for header in bpf/wire.h bpf/pylayout.h bpf/native.h; do
	host "$header"
	bpf "$header"
done
# A walker is included after what it calls. No BPF program includes the native one yet.
printf '%s\n' '#include "native.h"' 'typedef void natwalk_source;' \
	'int read_user(natwalk_source *src, void *to, __u32 len, __u64 address);' \
	'const struct native_map *native_map_at(natwalk_source *src, __u32 i);' \
	'const struct native_chunk *native_chunk_at(natwalk_source *src, __u32 number);' \
	'const struct native_pool *native_pool_at(natwalk_source *src, __u32 i);' \
	'int natwalk_a64(natwalk_source *src);' '#include "natwalk.h"' >"$O/natwalk-alone.h"
bpf "$O/natwalk-alone.h"
for header in bpf/*.bpf.h; do
	bpf "$header"
done
exit $failed
