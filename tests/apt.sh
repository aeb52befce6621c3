# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# For scripts that make a tree from a Debian suite's packages: an apt configuration of their own. It
# uses this machine's mirror, verifies packages against Debian's keys, and installs nothing.

keys=/usr/share/keyrings/debian-archive-keyring.gpg

# unavailable REASON: print the reason and exit with status 77, "not available here".
unavailable() {
	echo "$1" >&2
	exit 77
}

# apt_open deb|deb-src SUITE DIR [ARCH]: from here on, apt-get only knows this suite of $mirror,
# with packages for ARCH (default: this machine's). The caller fills $work, which is removed when
# the script ends, and moves the complete result to DIR.
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

	# Without "Error-Mode=any", an unreachable mirror causes only a warning.
	apt-get -qq -o APT::Update::Error-Mode=any update >&2 ||
		unavailable "the lists of $suite cannot be downloaded from $mirror"
}
