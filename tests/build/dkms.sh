#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A real DKMS on Debian's own system: make install, dkms add, build, install and remove, make uninstall, with a list of all files
# before and after. In a chroot of the suite that the kernel belongs to, kept in the cache.
#
#   dkms.sh [KERNEL...]     6.1 and 6.12 in bookworm (DKMS 3.0), 7.2 in trixie, unless told otherwise
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
VM=$here/../vm
# shellcheck source-path=SCRIPTDIR source=../vm/lib.sh
. "$VM/lib.sh"

"$VM/host.sh"
need_root "a chroot"
version=$(sed -n 's/^VERSION := //p' "$TOP/userspace/version.mk")
out=$TOP/build/dkms
mkdir -p "$out"

fail() {
	echo "dkms: $*" >&2
	exit 1
}

# suite_root SUITE: a configured system with DKMS and what building modules and the library takes. Kernel headers are laid over
# it from the cache: their packages would bring images along. pahole is what linux-kbuild depends on from 6.12 on.
suite_root() {
	case $1 in
	bookworm) packages="dkms,make,gcc-12,gcc,libc6-dev,libjansson-dev,libelf1,kmod,openssl,pahole" suites="bookworm bookworm-security" ;;
	trixie) packages="dkms,make,gcc-14,gcc,libc6-dev,libjansson-dev,libelf1t64,kmod,openssl,pahole" suites="trixie trixie-security" ;;
	esac
	root=$CACHE/dkms-$1-$(echo "$packages" | short_hash)
	if [ ! -e "$root/.complete" ]; then
		lock "$CACHE/dkms-$1.lock"
		if [ ! -e "$root/.complete" ]; then
			say "making a system with DKMS ($1)"
			rm -rf "$root" "$root.part"
			"$VM/packages.sh" options >"$root.apt.conf"
			# shellcheck disable=SC2086
			"$VM/packages.sh" sources $suites >"$root.list"
			mmdebstrap --quiet --mode=root --variant=essential --aptopt="$root.apt.conf" \
				--aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
				--dpkgopt='path-exclude=/usr/share/locale/*' \
				--include="$packages" "$1" "$root.part" "$root.list" >&2
			rm -f "$root.apt.conf" "$root.list"
			touch "$root.part/.complete"
			mv "$root.part" "$root"
		fi
	fi
	echo "$root"
}

# The system as it is stays as it is: what happens goes to a layer of its own.
# shellcheck disable=SC2016
in_layer='
	root=$1 top=$2 cache=$3 layer=$4
	shift 4
	mount -t tmpfs layer "$layer"
	mkdir "$layer/upper" "$layer/work" "$layer/all"
	mount -t overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" overlay "$layer/all"
	mount -t proc proc "$layer/all/proc"
	mount -t tmpfs tmp "$layer/all/tmp"
	mkdir -p "$layer/all$top" "$layer/all$cache/kernel"
	mount --bind "$top" "$layer/all$top"
	mount --bind "$cache/kernel" "$layer/all$cache/kernel"
	exec chroot "$layer/all" env -u TMPDIR PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
'

[ $# -gt 0 ] || set -- 6.1 6.12 7.2
for kernel; do
	RELEASE='' KDIR='' MODULES=''
	assignments=$("$VM/kernel.sh" "$kernel")
	eval "$assignments"
	case $(cat "$CACHE/kernel/$RELEASE/compiler") in
	gcc-12) suite=bookworm ;;
	*) suite=trixie ;;
	esac
	root=$(suite_root "$suite")
	layer=$out/$kernel
	mkdir -p "$layer"
	if unshare -m sh -euc "$in_layer" dkms "$root" "$TOP" "$CACHE" "$layer" \
		sh "$here/dkms-inside.sh" "$TOP" "$RELEASE" "$KDIR" "$version" "$MODULES" >"$out/$kernel.log" 2>&1; then
		echo "$kernel ($RELEASE, $suite): $(tail -n 1 "$out/$kernel.log")"
	else
		tail -n 40 "$out/$kernel.log" >&2
		fail "$kernel ($RELEASE, $suite) failed"
	fi
done
