#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes sure that a kernel's image, a few of its modules and its headers are in the cache, and prints shell assignments:
#
#   RELEASE   what uname -r will say
#   KDIR      the folder to build modules against
#   BUILD     the command that stands for make (for some kernels it runs in the build root)
#   VMLINUZ   the image
#   MODULES   a folder with lib/modules/RELEASE
#
#   kernel.sh 6.1|6.12|7.2|newest|6.12-debug|RELEASE
#
# Once chosen, the release of a series stays until its folder is removed from the cache or GNTMAP_UPDATE=1 asks anew.
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

# What dom0 gets of Debian's modules, dependencies come by themselves.
WANTED="xen-gntdev xen-gntalloc xen-evtchn xen-privcmd xenfs null_blk brd loop configfs ext4 udmabuf"
# None of them depends on these, which are most of the megabytes.
UNWANTED="sound net drivers/gpu drivers/net drivers/media drivers/infiniband drivers/usb drivers/iio drivers/staging
	drivers/hwmon drivers/input drivers/platform drivers/scsi drivers/ata drivers/mtd"

# regex SERIES: the names of its releases. 6.12 is bookworm's (gcc-12, on the host), 7.2 is that of trixie's backports (gcc-14, in the
# build root); only "newest" looks into sid, whose compiler needs a build root of its own.
regex() {
	case $1 in
	6.1) echo '6\.1\.0-[0-9]+-amd64' ;;
	6.12) echo '6\.12\.[0-9]+\+deb12-amd64' ;;
	newest) echo '[0-9]+\.[0-9]+(\.[0-9]+)?\+deb1[3-9]-amd64' ;;
	*-amd64) echo "$1" | sed 's/[.+]/\\&/g' ;;
	[0-9]*.[0-9]*) echo "$(echo "$1" | sed 's/\./\\./g')\\.[0-9]+\\+deb1[23]-amd64" ;;
	*) die "KERNEL=$1: not a series (6.1, 6.12, 7.2), a release, or newest" ;;
	esac
}

# image_packages RELEASE: the packages with its image and modules. From 7.2 on Debian splits them up, and a release that is
# not signed yet has only the unsigned image, which is as good here.
image_packages() {
	if "$VM/packages.sh" names "$(regex "linux-modules-$1")" | grep -q .; then
		for package in "linux-binary-$1" "linux-binary-unsigned-$1"; do
			if "$VM/packages.sh" names "$(regex "$package")" | grep -q .; then
				echo "linux-base-$1 linux-modules-$1 $package"
				return
			fi
		done
	elif "$VM/packages.sh" names "$(regex "linux-image-$1")" | grep -q .; then
		echo "linux-image-$1"
	fi
}

# choose SERIES: its newest release that has headers and image
choose() {
	for release in $("$VM/packages.sh" names "linux-headers-$(regex "$1")" | sed 's/^linux-headers-//' | sort -rV); do
		if [ -n "$(image_packages "$release")" ]; then
			echo "$release"
			return
		fi
	done
	have=$("$VM/packages.sh" names 'linux-headers-[0-9][^c]*-amd64' |
		sed -n 's/^linux-headers-\([0-9]*\.[0-9]*\).*/\1/p' | uniq | tr '\n' ' ')
	die "the archive has no kernel $1 with headers and image any more; there are headers for: $have"
}

unpack() {
	release=$1
	images=$(image_packages "$release")
	depends=$("$VM/packages.sh" field "linux-headers-$release" Depends)
	# linux-kbuild-6.1 has no release in its name, later ones have.
	kbuild=$(echo "$depends" | grep -o 'linux-kbuild-[^ ,]*')
	common=$(echo "$depends" | grep -o 'linux-headers-[^ ,]*-common')
	compiler=$(echo "$depends" | grep -o 'gcc-[0-9]*' | head -n 1)

	debs=$CACHE/debs/$release
	# shellcheck disable=SC2086
	"$VM/packages.sh" fetch "$debs" $images "linux-headers-$release" "$common" "$kbuild"
	say "unpacking Linux $release"
	part=$CACHE/kernel/$release.part
	rm -rf "$part"
	mkdir -p "$part/all"
	for deb in "$debs"/linux-headers-*.deb "$debs"/linux-kbuild-*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$part" --keep-directory-symlink --exclude=./usr/share
	done
	# shellcheck disable=SC2086
	printf './*/kernel/%s\n' $UNWANTED >"$part/unwanted"
	for deb in "$debs"/linux-image-*.deb "$debs"/linux-base-*.deb "$debs"/linux-modules-*.deb "$debs"/linux-binary-*.deb; do
		[ ! -e "$deb" ] || dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$part/all" --exclude=./usr/share --wildcards -X "$part/unwanted"
	done
	# The headers' Makefile names absolute paths; they are to be used from here.
	sed -i "s,/usr/src/,$CACHE/kernel/$release/usr/src/,g" "$part/usr/src/linux-headers-$release/Makefile"

	# Only what is wanted of some hundred megabytes of modules, unpacked: the test bed's CPU is slow.
	[ -d "$part/all/lib" ] || ln -s usr/lib "$part/all/lib"
	for image in "$part/all/boot/vmlinuz-$release" "$part/all/lib/modules/$release/vmlinuz"*; do
		[ ! -e "$image" ] || mv "$image" "$part/vmlinuz"
	done
	depmod -b "$part/all" "$release"
	to=$part/modules/lib/modules/$release
	mkdir -p "$to"
	cp "$part/all/lib/modules/$release"/modules.order "$part/all/lib/modules/$release"/modules.builtin* "$to"
	for module in $WANTED; do
		# Not every kernel has all of them, and some have them built in.
		modprobe -S "$release" -d "$part/all" --show-depends "$module" 2>/dev/null || :
	done | sed -n "s,^insmod .*/lib/modules/$release/\([^ ]*\).*,\1,p" | sort -u |
		while read -r file; do
			mkdir -p "$to/${file%/*}"
			cp "$part/all/lib/modules/$release/$file" "$to/$file"
			case $file in
			*.xz) xz -d "$to/$file" ;;
			esac
		done
	depmod -b "$part/modules" "$release"
	rm -rf "$part/all"

	echo "$compiler" >"$part/compiler"
	rm -rf "$CACHE/kernel/$release"
	mv "$part" "$CACHE/kernel/$release"
	rm -rf "$debs"
}

series=$1
mkdir -p "$CACHE/series" "$CACHE/kernel"
release=
if [ -z "${GNTMAP_UPDATE:-}" ] && [ -e "$CACHE/series/$series" ]; then
	release=$(cat "$CACHE/series/$series")
fi
case $series in
*-debug)
	lock "$CACHE/kernel.lock"
	release=$("$VM/debug-kernel.sh" "${series%-debug}" 9>&-)
	;;
esac
if [ -z "$release" ] || [ ! -e "$CACHE/kernel/$release/compiler" ]; then
	lock "$CACHE/kernel.lock"
	release=$(choose "$series")
	[ -e "$CACHE/kernel/$release/compiler" ] || unpack "$release"
	echo "$release" >"$CACHE/series/$series.part"
	mv "$CACHE/series/$series.part" "$CACHE/series/$series"
fi
dir=$CACHE/kernel/$release

case $(cat "$dir/compiler") in
gcc-12) build='make CC=gcc-12' ;;
gcc-14) build="$VM/in-root.sh make" ;;
*) build="env SUITE=sid $VM/in-root.sh make" ;;
esac
cat <<END
RELEASE='$release'
KDIR='$dir/usr/src/linux-headers-$release'
BUILD='$build'
VMLINUZ='$dir/vmlinuz'
MODULES='$dir/modules'
END
