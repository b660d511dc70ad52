#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Prints the path of dom0's base image, making it first if need be: an uncompressed cpio archive with busybox, Xen's
# toolstack and the libraries that the test programs use. The runner lays the kernel's modules and its own files over it.
# Uncompressed, because the emulated CPU unpacks more slowly than the host reads.
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

root=$("$VM/root.sh")

# The real ones where busybox has nothing or something weaker.
PROGRAMS="/usr/bin/busybox /usr/bin/kmod /usr/bin/strace /usr/bin/setpriv /usr/bin/prlimit /usr/bin/taskset
	/usr/bin/unshare /usr/bin/nsenter /usr/sbin/losetup /usr/sbin/mke2fs"
XEN=/usr/lib/xen-4.20/bin
XEN_PROGRAMS="xl xenstored xenconsoled xenconsole xen-init-dom0 libxl-save-helper xen-diag xen-mfndump xenperf xencov"
XENSTORE=$(cd "$root/usr/bin" && echo xenstore-*)
# What ldd does not see: pthread_cancel loads libgcc_s, and the test programs have libraries of their own.
LIBRARIES="libgcc_s.so.1 libxenctrl.so.4.20 libxengnttab.so.1 libxenforeignmemory.so.1 libxenevtchn.so.1 libxenstore.so.4
	libxentoollog.so.1 libxencall.so.1 libuuid.so.1 liburing.so.2 libjansson.so.4 libaio.so.1t64 libnuma.so.1 libcmocka.so.0
	libutil.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libm.so.6"

image=$CACHE/image/$({ echo "${root##*/} $PROGRAMS $XEN_PROGRAMS $LIBRARIES"; cat "$VM/image.sh"; } | short_hash).cpio
if [ -e "$image" ]; then
	echo "$image"
	exit
fi
lock "$CACHE/image.lock"
if [ -e "$image" ]; then
	echo "$image"
	exit
fi
say "making dom0's base image"
stage=$image.dir
rm -rf "$stage"
mkdir -p "$stage"
cd "$stage"
mkdir -p dev etc/gntmap etc/xen proc sys run tmp root usr/bin usr/sbin usr/lib usr/lib64 usr/local/bin usr/local/sbin \
	usr/lib/gntmap var/lib/xen var/lib/xenstored mnt
ln -s usr/bin bin
ln -s usr/sbin sbin
ln -s usr/lib lib
ln -s usr/lib64 lib64
ln -s ../run var/run
ln -s ../run/lock var/lock
ln -s ../run/logs var/log
cp -a "$root/etc/passwd" "$root/etc/group" etc/
echo 'autoballoon="off"' >etc/xen/xl.conf

# bring FILE: the file, links resolved, at its own path
bring() {
	mkdir -p ".${1%/*}"
	[ -e ".$1" ] || cp -L "$root$1" ".$1"
}
libdir=/usr/lib/x86_64-linux-gnu
files=
for name in $PROGRAMS; do
	files="$files $name"
done
for name in $XEN_PROGRAMS; do
	files="$files $XEN/$name"
	ln -s "$XEN/$name" "usr/sbin/$name"
done
for name in $XENSTORE; do
	files="$files /usr/bin/$name"
done
for name in $LIBRARIES; do
	[ ! -e "$root$libdir/$name" ] || files="$files $libdir/$name"
done
for file in $files; do
	bring "$file"
done
# The loader itself says what a file needs (ldd is a script for bash, which the root has not); Xen's own libraries are found
# by the programs' RUNPATH.
for file in $files; do
	chroot "$root" /lib64/ld-linux-x86-64.so.2 --list "$file" 2>/dev/null || :
done | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | sort -u |
	while read -r file; do
		case $file in
		/lib/* | /lib64/*) file=/usr$file ;;
		esac
		bring "$file"
	done
bring /usr/lib64/ld-linux-x86-64.so.2

for name in modprobe insmod rmmod lsmod modinfo depmod; do
	ln -s ../bin/kmod "usr/sbin/$name"
done
ln -s mke2fs usr/sbin/mkfs.ext4
chroot "$root" busybox --list | while read -r name; do
	[ -e "usr/bin/$name" ] || [ -e "usr/sbin/$name" ] || [ -L "usr/sbin/$name" ] || ln -s busybox "usr/bin/$name"
done

find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 >"$image.part"
rm -rf "$stage"
mv "$image.part" "$image"
echo "$image"
