#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Writes one run's initramfs: the base image, then (later archives win) the kernel's modules, ours, the programs, the granter,
# the caller's overlay and what init reads.
#
#   stage.sh KERNEL FILE SETTINGS [OVERLAY]     SETTINGS is a folder that becomes /etc/gntmap
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

kernel=$1 file=$2 settings=$3 overlay=${4:-}
base=$("$VM/image.sh")
root=$("$VM/root.sh")
assignments=$("$VM/kernel.sh" "$kernel")
eval "$assignments"

stage=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/usr/local/bin" "$stage/usr/lib/gntmap" "$stage/etc/gntmap"
cp -a "$MODULES/." "$stage/usr/"

# Ours lie beside Debian's and nothing loads them by itself.
extra=$stage/usr/lib/modules/$RELEASE/extra
mkdir -p "$extra"
find "$TOP/build/$RELEASE/modules" -name '*.ko' -exec cp -t "$extra" {} + 2>/dev/null || :
# Debugging information is most of them, and takes its time to unpack there.
find "$extra" -name '*.ko' -exec strip -g {} +

# Programs built for dom0, their libraries and those of the build root that the base image lacks.
programs=$(find "$TOP/build/dom0" -maxdepth 2 -type f -perm /111 ! -name '*.so*' ! -path '*/obj/*' 2>/dev/null || :)
if [ -n "$programs" ]; then
	libdir=usr/lib/x86_64-linux-gnu
	mkdir -p "$stage/$libdir"
	# shellcheck disable=SC2086
	cp -t "$stage/usr/local/bin" $programs
	find "$TOP/build/dom0" -name '*.so*' -exec cp -P -t "$stage/$libdir" {} +
	cpio --quiet -t <"$base" >"$stage/base.list"
	# shellcheck disable=SC2016,SC2086
	"$VM/in-root.sh" sh -c 'for program; do /lib64/ld-linux-x86-64.so.2 --list "$program" || :; done' list \
		$programs 2>/dev/null | sed -n 's|.*=> /\(usr/\)\{0,1\}\(lib/[^ ]*\).*|usr/\2|p' | sort -u |
		while read -r library; do
			grep -qx "$library" "$stage/base.list" || cp -L "$root/$library" "$stage/$libdir/"
		done
	rm "$stage/base.list"
fi
[ ! -e "$TOP/build/guest/granter" ] || cp "$TOP/build/guest/granter" "$stage/usr/lib/gntmap/"

if [ -n "$overlay" ]; then
	# A folder named like one of the base image's links (/bin, /lib) means what the link means.
	mkdir -p "$stage/overlay"
	cp -a "$overlay/." "$stage/overlay/"
	for name in bin sbin lib lib64; do
		if [ -d "$stage/overlay/$name" ] && [ ! -L "$stage/overlay/$name" ]; then
			mkdir -p "$stage/overlay/usr/$name"
			cp -a "$stage/overlay/$name/." "$stage/overlay/usr/$name/"
			rm -rf "$stage/overlay/$name"
		fi
	done
	cp -a "$stage/overlay/." "$stage/"
	rm -rf "$stage/overlay"
fi
cp -a "$settings/." "$stage/etc/gntmap/"
cp "$VM/dom0/granter.cfg" "$stage/etc/gntmap/"
cp "$VM/dom0/init" "$stage/init"

# depmod wants the folder to be called lib.
ln -s usr/lib "$stage/lib"
depmod -b "$stage" "$RELEASE"
rm "$stage/lib"

cp "$base" "$file"
(cd "$stage" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >>"$file"
