# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# For scripts that make a tree out of a Debian suite's packages: an apt of their own. It takes from
# the mirror that this machine uses, verifies against Debian's own keys, and installs nothing.

keys=/usr/share/keyrings/debian-archive-keyring.gpg

# unavailable REASON: status 77, "cannot be had here".
unavailable() {
	echo "$1" >&2
	exit 77
}

# apt_open deb|deb-src SUITE DIR [ARCH]: from here on apt-get knows this suite of $mirror alone, and
# packages of ARCH (default: this machine's). The caller fills $work, which is gone when the script
# ends, and moves what is complete to DIR.
apt_open() {
	local type=$1 suite=$2 arch=${4:-$(dpkg --print-architecture)}

	[ -e $keys ] || unavailable "no Debian archive keys ($keys)"
	# shellcheck disable=SC2016 # the $( ) is apt's own
	mirror=$(apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !n++')
	[ -n "$mirror" ] || unavailable "this machine has no Debian mirror configured"

	work=$3.tmp.$$
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
	: >"$work/apt/status"
	echo "$type [signed-by=$keys] $mirror $suite main" >"$work/apt/sources.list"
	cat >"$work/apt/conf" <<-CONF
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Dir::Etc::sourcelist "$work/apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$work/apt/lists";
		Dir::State::status "$work/apt/status";
		Dir::Cache "$work/apt";
	CONF
	export APT_CONFIG=$work/apt/conf

	# Without "Error-Mode=any" a mirror that does not answer is only a warning.
	apt-get -qq -o APT::Update::Error-Mode=any update >&2 ||
		unavailable "the lists of $suite cannot be downloaded from $mirror"
}
