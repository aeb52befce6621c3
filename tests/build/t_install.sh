#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs into a staging directory from a build outside of the tree, looks at what is there and
# removes it again.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

copy_tree
cd "$tmp/src" || exit 1
stage=$tmp/stage prefix=/opt/krait
binary=$stage$prefix/bin/krait
man=$stage$prefix/share/man/man1/krait.1
completion=$stage$prefix/share/bash-completion/completions/krait

install_all() {
	clean_make -j2 OUTPUT="$tmp/out" DESTDIR="$stage" PREFIX="$prefix" "$@"
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
printf '.%s\n' "$prefix"/{bin/krait,share/man/man1/krait.1,share/bash-completion/completions/krait} \
	>"$tmp/expected"
ok 'exactly the three files are installed' same_files "$tmp/installed" "$tmp/expected"
ok 'the program may be executed' mode "$binary" 755
ok 'the manual page may be read by all' mode "$man" 644

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

page_is_clean() {
	local said
	said=$(groff -man -ww -Tutf8 -z "$man" 2>&1)
	echo "$said"
	[ -z "$said" ]
}
all_help() {
	"$binary" record --help && "$binary" list --help
}
page_is_complete() {
	local option missing=
	for option in $(all_help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
		groff -man -Tascii -P-cbu "$man" | grep -q -e "$option\b" || missing+=" $option"
	done
	echo "missing:$missing"
	[ -z "$missing" ]
}
if command -v groff >/dev/null; then
	ok 'the manual page has no groff warnings' page_is_clean
	ok 'the manual page has every option of the help' page_is_complete
else
	skip 'the manual page has no groff warnings' 'no groff here'
	skip 'the manual page has every option of the help' 'no groff here'
fi

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
