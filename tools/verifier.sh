#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verifier.sh [--update]: compare the number of instructions that the verifier processes for each
# BPF program with the committed table tools/verifier.csv, for this compiler and kernel. A program
# more than 10 % above its row fails; a program without a row is a SKIP that shows the row to add.
# --update rewrites the rows of this compiler and kernel. Prints TAP. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

OUTPUT=${OUTPUT:-build}
table=tools/verifier.csv
margin=10

if [ "$(id -u)" != 0 ]; then
	echo "1..1"
	echo "ok 1 - verifier # SKIP not root"
	exit 0
fi
clang=$("${CLANG:-clang}" -dumpversion | cut -d. -f1)
kernel=$(uname -r | cut -d. -f1,2)
mkdir -p "$OUTPUT/verifier"
make -s OUTPUT="$OUTPUT" CLANG="${CLANG:-clang}" bpf-objects >/dev/null
cc -std=gnu11 -D_GNU_SOURCE -O1 -I. tools/verifier.c -Wl,-Bstatic -lbpf -lelf -lz -Wl,-Bdynamic \
	-o "$OUTPUT/verifier/verifier"
now=$("$OUTPUT/verifier/verifier" "$OUTPUT/bpf/krait.bpf.o")
# On kernels with task work, one of the first two loads; on others none does.
for object in faulting faulting_plain natvisit; do
	more=$("$OUTPUT/verifier/verifier" "$OUTPUT/bpf/$object.bpf.o" 2>/dev/null) && now+=$'\n'$more
done

if [ "${1-}" = --update ]; then
	{
		echo "program,clang,kernel,insns"
		{
			tail -n +2 "$table" 2>/dev/null | awk -F, -v c="$clang" -v k="$kernel" \
				'$2 != c || $3 != k' || true
			awk -v c="$clang" -v k="$kernel" '{print $1 "," c "," k "," $2}' <<<"$now"
		} | sort
	} >"$OUTPUT/verifier/new.csv"
	mv "$OUTPUT/verifier/new.csv" "$table"
fi

echo "1..$(wc -l <<<"$now")"
n=0
status=0
while read -r program insns; do
	n=$((n + 1))
	row="$program,$clang,$kernel"
	was=$(awk -F, -v r="$row" '$1 "," $2 "," $3 == r {print $4}' "$table")
	if [ -z "$was" ]; then
		echo "ok $n - $program # SKIP no row for clang $clang on $kernel: $row,$insns"
	elif [ $((insns * 100)) -gt $((was * (100 + margin))) ]; then
		echo "not ok $n - $program: $insns instructions, $was in the table"
		status=1
	else
		echo "ok $n - $program: $insns instructions, $was in the table"
	fi
done <<<"$now"
exit $status
