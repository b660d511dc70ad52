#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What make install puts where, and that make uninstall takes all of it away and nothing else. Everything happens below a
# DESTDIR, from a copy of the checkout.
#
#   install.sh [KERNEL]     one whose modules are built by this host: 6.1 unless told otherwise
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)

KDIR='' RELEASE=''
assignments=$("$TOP/tests/vm/kernel.sh" "${1:-6.1}")
eval "$assignments"
out=$TOP/build/install
rm -rf "$out"
mkdir -p "$out/src" "$out/dest"
cp -a "$TOP/Makefile" "$TOP/Kbuild" "$TOP/COPYING" "$TOP/driver" "$TOP/include" "$TOP/userspace" "$out/src/"
dest=$out/dest
version=$(sed -n 's/^VERSION := //p' "$TOP/userspace/version.mk")

fail() {
	echo "install: $*" >&2
	exit 1
}

run() {
	make -s -j"$(nproc)" -C "$out/src" KDIR="$KDIR" DESTDIR="$dest" "$@" >"$out/log" 2>&1 || {
		cat "$out/log"
		fail "make $* failed"
	}
}

# refused ARGUMENT...: and nothing is left behind
refused() {
	if make -s -C "$out/src" KDIR="$KDIR" DESTDIR="$dest" "$@" >"$out/log" 2>&1; then
		fail "make $* was not refused"
	fi
	list >"$out/now"
	cmp -s "$out/before" "$out/now" || fail "make $*, refused, left something: $(diff "$out/before" "$out/now")"
}

list() {
	(cd "$dest" && find . | LC_ALL=C sort)
}

# has FILE...
has() {
	for file; do
		[ -e "$dest$file" ] || fail "$file was not installed"
	done
}

# What is there already stays, also empty folders and other people's files in ours.
mkdir -p "$dest/usr/local/bin" "$dest/usr/local/include/xen" "$dest/lib/modules/$RELEASE/updates" "$dest/etc/modprobe.d"
echo 'somebody' >"$dest/usr/local/include/xen/other.h"
list >"$out/before"

refused install STRATEGY=none
refused install GNTDEV=none
refused install GNTDEV=unheard
refused install STRATEGY=policy GNTDEV=vmio

run all
[ -e "$out/src/gntmap-none.ko" ] || fail "make does not build the control"
run install GNTDEV=policy
modules=/lib/modules/$RELEASE/updates/gntmap
has $modules/gntmap.ko $modules/gntmap-vmio.ko $modules/gntmap-mixedmap.ko $modules/gntmap-policy.ko /usr/local/bin/gntmap \
	/usr/local/lib/libgntmap.so /usr/local/lib/libgntmap.so.0 /usr/local/lib/libgntmap.a /usr/local/lib/pkgconfig/libgntmap.pc \
	/usr/local/include/gntmap.h /usr/local/include/xen/gntmap.h /usr/local/share/man/man1/gntmap.1 \
	/usr/local/share/man/man3/gntmap_open.3 /usr/local/share/man/man4/gntmap.4 /etc/modprobe.d/gntmap.conf \
	/etc/udev/rules.d/60-gntmap.rules
if list | grep 'none.*\.ko'; then
	fail "the control was installed"
fi
grep -q '^options gntmap-policy node=xen/gntdev$' "$dest/etc/modprobe.d/gntmap.conf" || fail "modprobe.d does not name the strategy"

# A program builds by what pkg-config says, and runs by the library's SONAME.
cat >"$out/program.c" <<'END'
#include <gntmap.h>
int main(void) { struct gntmap *gntmap; return gntmap_open(&gntmap, "/dev/null/none") == -20 ? 0 : 1; }
END
flags=$(PKG_CONFIG_PATH=$dest/usr/local/lib/pkgconfig pkg-config --define-variable=prefix="$dest/usr/local" \
	--define-variable=libdir="$dest/usr/local/lib" --define-variable=includedir="$dest/usr/local/include" --cflags --libs libgntmap)
# shellcheck disable=SC2086
gcc -Wall -Wextra -Werror -o "$out/program" "$out/program.c" $flags
LD_LIBRARY_PATH=$dest/usr/local/lib "$out/program" || fail "a program with the library does not run"
readelf -d "$out/program" | grep -q 'NEEDED.*libgntmap\.so\.0\]' || fail "the library has no SONAME"
[ "$(LD_LIBRARY_PATH=$dest/usr/local/lib "$dest/usr/local/bin/gntmap" --version)" = "gntmap $version" ] ||
	fail "gntmap does not run"

# Again over itself, then away.
run install GNTDEV=policy
run uninstall
list >"$out/after"
diff "$out/before" "$out/after" || fail "make uninstall left or took something"

# The same for the sources that DKMS gets, and for other folders.
run install DKMS=1 PREFIX=/opt/gntmap
has /opt/gntmap/bin/gntmap "/usr/src/gntmap-$version/dkms.conf" "/usr/src/gntmap-$version/driver/main.c"
[ ! -e "$dest$modules" ] || fail "modules were installed beside DKMS"
[ ! -e "$dest/etc/modprobe.d/gntmap.conf" ] || fail "a strategy was chosen that nobody named"
run uninstall PREFIX=/opt/gntmap
list >"$out/after"
diff "$out/before" "$out/after" || fail "make uninstall left or took something of the DKMS install"
