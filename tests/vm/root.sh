#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Prints the path of the build root, making it first if need be: a folder with one Debian suite in which modules for 7.x
# kernels and the programs that run in dom0 are compiled, and from which Xen, its toolstack and dom0's userland are taken.
# One suite for all of it means one C library for all of it.
#
#   root.sh [SUITE]     trixie unless told otherwise
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

suite=${1:-trixie}
PACKAGES="base-files base-passwd dash coreutils sed grep findutils diffutils gzip tar libc-bin make gcc libc6-dev libelf-dev mawk perl-base"
case $suite in
trixie)
	# What the programs for dom0 are built with is listed beside them.
	PACKAGES="$PACKAGES gcc-14 $(tr '\n' ' ' <"$TOP/tests/dom0/packages.txt")
		xen-hypervisor-4.20-amd64 xen-utils-4.20 busybox kmod strace e2fsprogs util-linux"
	# What the programs for dom0 want is said where they are.
	PACKAGES="$PACKAGES $(cat "$TOP"/tests/*/packages.txt "$TOP"/userspace/packages.txt 2>/dev/null | sed 's/#.*//' | tr '\n' ' ')"
	suites="trixie trixie-security"
	;;
sid)
	# Only for kernels that have not reached a released suite's backports.
	PACKAGES="$PACKAGES gcc-16"
	suites=sid
	;;
*) die "no build root is known for the suite $suite" ;;
esac

root=$CACHE/root-$suite-$(echo "$PACKAGES" | short_hash)
if [ -e "$root/.complete" ]; then
	touch "$root/.complete"
	echo "$root"
	exit
fi

need_root "making the build root"
lock "$CACHE/root-$suite.lock"
if [ ! -e "$root/.complete" ]; then
	say "making the build root ($suite)"
	rm -rf "$root.part" "$root"
	mkdir -p "$root.part"
	"$VM/packages.sh" options >"$root.apt.conf"
	# shellcheck disable=SC2086
	"$VM/packages.sh" sources $suites >"$root.list"
	# extract: unpacked and not configured, which is all that compilers and libraries need.
	# Documentation is most of some packages.
	# shellcheck disable=SC2086
	mmdebstrap --quiet --mode=root --variant=extract --aptopt="$root.apt.conf" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(echo $PACKAGES | tr ' ' ,)" "$suite" "$root.part" "$root.list" >&2
	# What the packages' own setup would have done.
	[ -e "$root.part/usr/bin/awk" ] || ln -s mawk "$root.part/usr/bin/awk"
	[ -e "$root.part/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$root.part/etc/passwd"
	[ -e "$root.part/etc/group" ] || echo 'root:x:0:' >"$root.part/etc/group"
	ldconfig -r "$root.part"
	touch "$root.part/.complete"
	mv "$root.part" "$root"
	rm -f "$root.apt.conf" "$root.list"
	# Roots that nobody has asked for in a week are of other lists of packages.
	find "$CACHE" -mindepth 2 -maxdepth 2 -path "$CACHE/root-*/.complete" -mtime +7 | while read -r old; do
		rm -rf "${old%/.complete}"
	done
fi
echo "$root"
