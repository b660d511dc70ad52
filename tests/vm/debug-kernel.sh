#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds a kernel with everything on that looks for mistakes (debug.config), from Debian's linux-source package, once, into the
# cache, laid out as kernel.sh lays out Debian's own, and prints its release. It takes a quarter of an hour or more.
#
#   debug-kernel.sh SERIES       6.12, 7.2: one that has a debug-kernel-SERIES.patch
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

series=$1
patch=$VM/debug-kernel-$series.patch
[ -e "$patch" ] || die "there is no debug kernel for Linux $series ($patch is missing)"
# Another configuration is another kernel.
id=$(cat "$VM/debug.config" "$patch" | short_hash)
mark=$CACHE/series/$series-debug.$id
if [ -e "$mark" ] && [ -e "$CACHE/kernel/$(cat "$mark")/compiler" ]; then
	cat "$mark"
	exit
fi

missing=
for tool in flex:flex bison:bison bc:bc patch:patch /usr/include/libelf.h:libelf-dev /usr/include/openssl/ssl.h:libssl-dev; do
	case $tool in
	/*) [ -e "${tool%%:*}" ] ;;
	*) command -v "${tool%%:*}" >/dev/null ;;
	esac || missing="$missing ${tool##*:}"
done
if [ -n "$missing" ]; then
	say "installing on the host:$missing"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing >/dev/null
fi

"$VM/packages.sh" fetch "$CACHE/debs/source-$series" "linux-source-$series"
work=$CACHE/kernel/$series-debug.part
tree=$work/linux-source-$series
if [ ! -e "$tree/.unpacked" ]; then
	say "unpacking the source of Linux $series"
	rm -rf "$work"
	mkdir -p "$work"
	dpkg-deb --fsys-tarfile "$CACHE/debs/source-$series"/linux-source-*.deb |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | tar -xJ -C "$work"
	patch -s -d "$tree" -p1 <"$patch"
	touch "$tree/.unpacked"
fi

cd "$tree"
make -s CC=gcc-12 x86_64_defconfig >&2
CC=gcc-12 scripts/kconfig/merge_config.sh -m .config "$VM/debug.config" >"$work/merge.log"
make -s CC=gcc-12 olddefconfig >&2
# What a kernel has not it ignores without a word; what makes it the kernel we want must be there.
for option in XEN_PV XEN_PVH XEN_DOM0 NUMA_BALANCING KASAN PROVE_LOCKING DEBUG_VM DEBUG_KMEMLEAK FAILSLAB; do
	grep -q "^CONFIG_$option=y" .config || die "the configuration for $series lost CONFIG_$option"
done
say "building Linux $series with debug checks (once; log in $work/build.log)"
# KASAN's instrumented code is slow. What else touches a module's memory is instrumented too, the rest of the kernel is not; its
# allocators know what is freed all the same.
# shellcheck disable=SC2016
make -s CC=gcc-12 -j"$(nproc)" 'KASAN_SANITIZE=$(if $(filter mm fs io_uring kernel block drivers/xen drivers/dma-buf,$(obj)),,n)' \
	bzImage modules >"$work/build.log" 2>&1 || {
	tail -n 20 "$work/build.log" >&2
	die "the debug kernel does not build"
}
release=$(cat include/config/kernel.release)
make -s CC=gcc-12 INSTALL_MOD_PATH="$work/modules" modules_install >"$work/install.log" 2>&1
find "$work/modules" -type l -delete
cp arch/x86/boot/bzImage "$work/vmlinuz"
# For building modules only.
find . -name '*.o' ! -path './scripts/*' ! -path './tools/*' -delete
rm -f vmlinux vmlinux.unstripped arch/x86/boot/bzImage arch/x86/boot/compressed/vmlinux*
mkdir -p "$work/usr/src"
mv "$tree" "$work/usr/src/linux-headers-$release"
echo gcc-12 >"$work/compiler"
rm -rf "$CACHE/kernel/$release"
mv "$work" "$CACHE/kernel/$release"
mkdir -p "$CACHE/series"
echo "$release" >"$mark"
cat "$mark"
