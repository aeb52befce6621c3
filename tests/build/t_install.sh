#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
# Installs into a staging directory from a build outside of the tree, looks at what is there and
# removes it again.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

copy_tree
cd "$tmp/src" || exit 1
stage=$tmp/stage prefix=/opt/krait
binary=$stage$prefix/bin/krait
man=$stage$prefix/share/man
completion=$stage$prefix/share/bash-completion/completions/krait

# How fast the program is does not matter here, so it is built fast.
install_all() {
	clean_make -j2 CFLAGS=-O0 OUTPUT="$tmp/out" DESTDIR="$stage" PREFIX="$prefix" "$@"
}

same_files() {
	diff <(sort "$1") <(sort "$2")
}

lists() {
	(cd "$1" && find . ! -type d) >"$2"
}

mode() {
	[ "$(stat -c %a "$1")" = "$2" ]
}

lists . "$tmp/before"
ok 'make install builds and installs' install_all install
lists . "$tmp/after"
ok 'a build outside writes nothing into the tree' same_files "$tmp/before" "$tmp/after"

lists "$stage" "$tmp/installed"
printf '.%s\n' "$prefix"/{bin/krait,share/man/man1/krait{,-record,-report,-list,-dump,-doctor}.1} \
	"$prefix"/share/{man/man5/krait-formats.5,bash-completion/completions/krait} \
	"$prefix"/share/{zsh/site-functions/_krait,fish/vendor_completions.d/krait.fish} >"$tmp/expected"
ok 'exactly these files are installed' same_files "$tmp/installed" "$tmp/expected"
ok 'the program may be executed' mode "$binary" 755
ok 'the manual pages may be read by all' mode "$man/man1/krait-record.1" 644

runs() {
	"$binary" --version | grep -qx 'krait [0-9.]*'
}
ok 'the installed program says its version' runs

needs_only_libc() {
	LC_ALL=C readelf -d "$binary" | grep NEEDED | tee /dev/stderr |
		not grep -v -e 'libc\.so' -e 'ld-linux' -e 'libm\.so' &&
		LC_ALL=C readelf -d "$binary" | grep -q 'NEEDED.*libc\.so'
}
ok 'it needs no library but libc' needs_only_libc

# lint TOOL...: says nothing of any page.
lint() {
	"$@" "$man"/man?/* >"$tmp/lint" 2>&1
	cat "$tmp/lint"
	[ ! -s "$tmp/lint" ]
}
# Every option that the help of a command has is on its page.
pages_are_complete() {
	local command option missing=
	for command in record report list doctor; do
		for option in $("$binary" $command --help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
			groff -man -Tascii -P-cbu "$man/man1/krait-$command.1" | grep -q -e "$option\b" ||
				missing+=" $command:$option"
		done
	done
	echo "missing:$missing"
	[ -z "$missing" ]
}
if command -v groff >/dev/null; then
	ok 'the manual pages have no groff warnings' lint groff -man -ww -Tutf8 -z
	ok 'the manual pages have every option of the help' pages_are_complete
else
	skip 'the manual pages have no groff warnings' 'no groff here'
	skip 'the manual pages have every option of the help' 'no groff here'
fi
if command -v mandoc >/dev/null; then
	ok 'the manual pages have no mandoc warnings' lint mandoc -Tlint -W warning
else
	skip 'the manual pages have no mandoc warnings' 'no mandoc here'
fi
prose_is_there() {
	local page
	for page in "$man"/man1/*; do
		not grep -q 'PROSE$' "$page" || return 1
	done
}
ok 'the manual pages have their prose' prose_is_there

# complete WORD... EXPECTED: what the last of the words is completed to.
completes() {
	local want=${*: -1} words=("${@:1:$#-1}")
	bash -c '. "$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) &&
		_krait 2>/dev/null && echo "${COMPREPLY[*]}"' bash "$completion" "${words[@]}" |
		tee /dev/stderr | grep -qxF -- "$want"
}
ok 'completes commands' completes krait rec record
ok 'completes options of another command' completes krait list --js --json
ok 'completes options' completes krait record --freq --frequency
ok 'completes choices' completes krait record --format fol folded
ok 'completes choices behind =' completes krait record --format = fol folded
ok 'completes the last item of a list' completes krait record --by process,thr process,thread
ok 'leaves what follows -- alone' completes krait record -- true --freq ''
# shellcheck disable=SC2016 # for the inner shell
ok 'is sourced by a strict bash' bash -euc '. "$1"' bash "$completion"

ok 'make uninstall' install_all uninstall
lists "$stage" "$tmp/left"
ok 'nothing is left' not test -s "$tmp/left"
plan
