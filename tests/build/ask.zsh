# SPDX-License-Identifier: BSD-2-Clause
# zsh -f ask.zsh FOLDER WORD...: what zsh offers for the last of the words, one a line; FOLDER has the
# completion. There is completion on a terminal only: the line is typed into a second shell on one.
zmodload zsh/zpty
typeset said=

read_to() {
	local piece
	while [[ $said != *$1* ]]; do
		zpty -r shell piece || return 1
		said+=$piece
	done
}

init=$(mktemp)
trap 'rm -f $init' EXIT
cat >$init <<-'END'
	PS1= PS2= RPS1=
	unset zle_bracketed_paste
	stty -echo
	fpath=($folder $fpath)
	autoload -U compinit && compinit -u -D
	# Everything that is offered goes through here: print it, with what stands before it on the line.
	compadd() {
		local -a found
		builtin compadd -O found "$@"
		[[ -z $found ]] || print -rl -- "<$IPREFIX"${^found}">"
		builtin compadd "$@"
	}
	ended() { print -r -- "EN""DED" }
	zle -N ended
	bindkey '^X' ended
	bindkey '^I' complete-word
	print -r -- "REA""DY"
END
zpty shell zsh -f -i
zpty -w shell "folder=${(q)1}; source $init"
read_to READY || { print -r -- $said >&2; exit 1 }
said=
zpty -w -n shell "${(j: :)@[2,-1]}"$'\t\C-x'
read_to ENDED
print -r -- $said | tr -d '\r' | sed -n 's/^.*<\(.*\)>.*$/\1/p'
