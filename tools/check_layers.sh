#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check_layers.sh [TREE]: each #include of user/ and bpf/ must be allowed by the table below. Only
# direct includes are checked; the includes of an included header are checked as that header's.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

# Each layer and the layers that it may include besides itself and the C library. A layer is a
# folder of user/ with its subfolders, or:
#   contract  bpf/wire.h bpf/pylayout.h bpf/pywalk.h bpf/native.h bpf/natwalk.h bpf/natstack.h, shared by both sides
#   skel      the generated skeletons
#   libbpf    <bpf/...>
#   bpf       everything else in bpf/
arrows='
base:
proc:     base
py:       base proc contract
native:   base proc contract
model:    base
sym:      base contract model py
format:   base model
load:     base contract skel libbpf
session:  base contract proc py native sym model load
cli:      base
cmd:      base cli model format session
contract: kernel
bpf:      contract kernel libbpf
'

# shellcheck disable=SC2016 # the dollars are awk's
find user bpf -name '*.[ch]' | sort | xargs awk -v arrows="$arrows" '
BEGIN {
	n = split(arrows, rows, "\n")
	for (i = 1; i <= n; i++) {
		m = split(rows[i], word, /[: ]+/)
		for (j = 1; j <= m; j++)
			may[word[1], word[j]] = 1
		known[word[1]] = 1
	}
	delete known[""]
}

# The layer of a file of this tree, by its path.
function layer(path) {
	if (path ~ /^bpf\/(wire|pylayout|pywalk|native|natwalk|natstack)\.h$/) return "contract"
	if (path ~ /^bpf\//) return "bpf"
	if (path ~ /^user\/[^\/]+\//) { split(path, part, "/"); return part[2] }
	return "no layer"
}

# The layer that an include names; "": the C library; "?": unknown.
function target(from, quoted, name) {
	if (name ~ /(^|\/)\.\.?\//) return "?"
	if (!quoted) return name ~ /^bpf\// ? "libbpf" : ""
	if (name == "vmlinux.h") return "kernel"
	if (name ~ /^[a-z_]+\.skel\.h$/) return "skel"
	if (name == "syscalls.inc") return "" # generated from a header of the C library
	if (from ~ /^bpf\//) return name ~ /\// ? "?" : layer("bpf/" name)
	if (name ~ /^bpf\//) return layer(name)
	return layer("user/" name) == "no layer" ? "?" : layer("user/" name)
}

/^[ \t]*#[ \t]*include/ {
	if (!match($0, /[<"][^>"]+/)) next
	quoted = substr($0, RSTART, 1) == "\""
	name = substr($0, RSTART + 1, RLENGTH - 1)
	from = layer(FILENAME)
	to = target(FILENAME, quoted, name)
	count++
	if (!(from in known) || to == "?" || (to != "" && to != from && !((from, to) in may))) {
		printf "%s:%d: %s: %s may not include %s\n", FILENAME, FNR, name, from,
			to == "?" ? "by this path" : to
		bad++
	}
}

END {
	if (!count) { print "no include found: nothing was checked"; bad++ }
	exit bad > 0
}' >&2
