#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Prints the path of a folder with Debian's QEMU for Xen and the libraries that dom0's base image lacks, making it first if
# need be. Only the runs with clients lay it over dom0: it is twice as big as all the rest, and every megabyte is unpacked by an emulated CPU.
set -eu
VM=$(cd "$(dirname "$0")/../vm" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=../vm/lib.sh
. "$VM/lib.sh"

PACKAGE=qemu-system-xen
# Where libxl looks for it.
PROGRAM=/usr/libexec/xen-qemu-system-i386
KEYMAPS=/usr/share/qemu/keymaps

base=$("$VM/image.sh")
layer=$CACHE/clients/$({ echo "${base##*/} $PACKAGE"; cat "$0"; } | short_hash)
if [ -e "$layer/.complete" ]; then
	echo "$layer"
	exit
fi
need_root "making the layer with $PACKAGE"
lock "$CACHE/clients.lock"
if [ ! -e "$layer/.complete" ]; then
	say "fetching $PACKAGE"
	work=$layer.root
	rm -rf "$work" "$layer"
	mkdir -p "$layer.part" "$work"
	"$VM/packages.sh" options >"$layer.apt.conf"
	"$VM/packages.sh" sources trixie trixie-security >"$layer.list"
	mmdebstrap --quiet --mode=root --variant=extract --aptopt="$layer.apt.conf" \
		--dpkgopt='path-exclude=/usr/share/*' --dpkgopt='path-include=/usr/share/qemu/keymaps/*' \
		--include="base-files,$PACKAGE" trixie "$work" "$layer.list" >&2
	mkdir -p "$layer.part/${PROGRAM%/*}"
	cp "$work$PROGRAM" "$layer.part$PROGRAM"
	# libxl says -vnc none, and QEMU wants a keymap even so.
	mkdir -p "$layer.part$KEYMAPS"
	cp -a "$work$KEYMAPS/." "$layer.part$KEYMAPS/"
	cpio --quiet -t <"$base" >"$layer.list"
	# Libraries that the image has stay its own: one C library for all.
	chroot "$work" /lib64/ld-linux-x86-64.so.2 --list "$PROGRAM" >"$layer.needs"
	sed -n 's|.*=> /\(usr/\)\{0,1\}\(lib/[^ ]*\).*|usr/\2|p' "$layer.needs" | sort -u |
		while read -r library; do
			grep -qx "$library" "$layer.list" || {
				mkdir -p "$layer.part/${library%/*}"
				cp -L "$work/$library" "$layer.part/$library"
			}
		done
	rm -rf "$work" "$layer.apt.conf" "$layer.list" "$layer.needs"
	touch "$layer.part/.complete"
	mv "$layer.part" "$layer"
fi
echo "$layer"
