#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Debian packages of several suites, by a private apt root: nothing is installed on the host, and its apt stays as it is.
#
#   packages.sh sources SUITE...     apt lines for these suites, on the host's own mirror and with its own keyring
#   packages.sh options              the host's settings that a download needs (proxy and the like), as apt.conf lines
#   packages.sh names REGEX          names of the packages that match, newest kernel last
#   packages.sh field PACKAGE FIELD  one field of a package's newest version
#   packages.sh fetch DIR PACKAGE... download into DIR (each package once)
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

SUITES="bookworm bookworm-backports bookworm-security trixie trixie-backports trixie-security sid"
APT=$CACHE/apt

# index LABEL: "repository-uri sources-file:line" of the host's first source with this label (Debian, Debian-Security)
index() {
	# apt expands the $(...) itself
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' 'Origin: Debian' |
		awk -v label="$1" '$1 == label { print $2, $3; exit }'
}

# keyring FILE:LINE: the Signed-By of that source, or nothing: apt then takes the keys it trusts anyway
keyring() {
	file=${1%:*}
	line=${1##*:}
	case $file in
	*.sources)
		# The stanza that holds the line: stanzas are separated by empty lines.
		awk -v want="$line" '
			/^[ \t]*$/ { if (NR > want) exit; key = ""; next }
			tolower($1) == "signed-by:" { key = $2 }
			END { if (key ~ /^\//) print key }' "$file" ;;
	*)
		sed -n "${line}s/.*signed-by=\([^] ]*\).*/\1/p" "$file" ;;
	esac
}

sources() {
	# Asked once: apt reads all its lists for each answer.
	main=$(index Debian)
	security=$(index Debian-Security)
	for suite; do
		case $suite in
		*-security) found=$security ;;
		*) found=$main ;;
		esac
		[ -n "$found" ] || die "apt on this host has no Debian source to take $suite from"
		key=$(keyring "${found#* }")
		echo "deb ${key:+[signed-by=$key] }${found%% *} $suite main"
	done
}

options() {
	apt-config dump | grep -E '^Acquire::(https?::|Retries|Check-Valid-Until|Check-Date|ForceIPv)' | grep -v ' "";$' || :
}

# The host's settings are read first (with -c), ours then move every folder.
apt_get() { cmd=$1; shift; "apt-$cmd" -qq -c "$APT/apt.conf" "$@"; }

setup() {
	mkdir -p "$APT/state/lists/partial" "$APT/cache/archives/partial" "$APT/etc/preferences.d"
	[ -e "$APT/status" ] || : >"$APT/status"
	# The host's trusted keys, for sources that name no keyring.
	trusted=$(apt-config shell TRUSTED Dir::Etc::trustedparts/d)
	eval "$trusted"
	cat >"$APT/apt.conf" <<-END
		Dir::State "$APT/state";
		Dir::State::status "$APT/status";
		Dir::Cache "$APT/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		Dir::Etc "$APT/etc";
		Dir::Etc::sourceparts "-";
		Dir::Etc::trustedparts "${TRUSTED:-/etc/apt/trusted.gpg.d}";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
	END
	# shellcheck disable=SC2086
	sources $SUITES >"$APT/wanted"
}

update() {
	say "fetching package lists ($SUITES)"
	cp "$APT/wanted" "$APT/etc/sources.list"
	if ! apt_get get update 2>"$APT/update.log"; then
		# One suite that has left the mirror must not take the others with it: try them one by one.
		good=
		for suite in $SUITES; do
			sources "$suite" >"$APT/etc/sources.list"
			if apt_get get -o APT::Get::List-Cleanup=false update 2>/dev/null; then
				good="$good $suite"
			else
				say "the mirror has no $suite"
			fi
		done
		[ -n "$good" ] || { cat "$APT/update.log" >&2; die "no package list could be fetched"; }
		# shellcheck disable=SC2086
		sources $good >"$APT/etc/sources.list"
	fi
	touch "$APT/updated"
}

# A list younger than a day is good enough; this is only reached when something is missing from the cache.
fresh() {
	[ -z "$(find "$APT/updated" -mmin -1440 2>/dev/null)" ] || return 0
	setup
	update
}

names() {
	fresh
	apt_get cache pkgnames | grep -Ex "$1" | sort -V || :
}

field() {
	fresh
	apt_get cache show --no-all-versions "$1" | sed -n "s/^$2: //p" | head -n 1
}

# One apt-get call for all, into a folder of its own, moved when complete.
fetch() {
	to=$1
	shift
	[ -e "$to/.complete" ] && return
	case $to in
	"$CACHE"/*) ;;
	*) die "packages are downloaded into the cache only, not into $to" ;;
	esac
	fresh
	rm -rf "$to" "$to.part"
	mkdir -p "$to.part"
	say "downloading $*"
	if ! (cd "$to.part" && apt_get get download "$@" >&2); then
		# A list from yesterday may name files that the mirror has replaced since.
		update
		(cd "$to.part" && apt_get get download "$@" >&2) || die "downloading failed: $*"
	fi
	touch "$to.part/.complete"
	mv "$to.part" "$to"
}

cmd=$1
shift
case $cmd in
sources | options) ;;
*) lock "$APT/lock" ;;
esac
"$cmd" "$@"
