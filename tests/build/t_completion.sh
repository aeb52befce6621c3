#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
# Completions in the shells themselves: what each of them offers behind the same words.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

output=${OUTPUT:-$top/build}
cd "$top" || exit 1
ok 'make completions' clean_make OUTPUT="$output" completions
mkdir -p "$tmp/files/folder"
touch "$tmp/files/web.krait"

# All three are asked the same and answer with the candidates, one a line.
ask_bash() {
	# shellcheck disable=SC2016 # for the inner shell
	bash -c '. "$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) &&
		_krait 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' bash "$output/completion/krait.bash" "$@"
}

ask_zsh() {
	timeout 30 zsh -f tests/build/ask.zsh "$tmp/zsh" "$@"
}

ask_fish() {
	fish -c "source $output/completion/krait.fish; complete -C '$*'" | cut -f 1
}

mkdir "$tmp/zsh"
cp "$output/completion/krait.zsh" "$tmp/zsh/_krait"

# offers SHELL WANT WORD...: that candidate is among them, with or without the beginning that is there.
offers() {
	"ask_$1" "${@:3}" | sed -e 's/^--[^=]*=//' -e 's|.*/||' >"$tmp/offered"
	cat "$tmp/offered"
	grep -qxF -- "$2" "$tmp/offered"
}

for shell in bash zsh fish; do
	if ! command -v $shell >/dev/null; then
		skip "completions of $shell" "no $shell here"
		continue
	fi
	ok "$shell: commands" offers $shell record krait rec
	ok "$shell: options" offers $shell --frequency krait record --freq
	ok "$shell: of the command that stands there" not offers $shell --frequency krait list --
	ok "$shell: choices" offers $shell wall krait record --mode ''
	ok "$shell: the next item of a list" offers $shell process,thread krait record --by process,th
	[ $shell = bash ] || # readline has taken that word apart
		ok "$shell: items behind =" offers $shell process,thread krait record --by=process,th
	ok "$shell: files" offers $shell web.krait krait report "$tmp/files/w"
	ok "$shell: what follows -- is left alone" not offers $shell --frequency krait record -- true --freq
done
plan
