#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What dkms.sh does inside of a system: runs in its chroot, with the checkout and the kernels at their own paths.
#
#   dkms-inside.sh CHECKOUT RELEASE KDIR VERSION MODULES     MODULES: a folder with some of the kernel's own, below lib/modules
set -eu
top=$1 release=$2 kdir=$3 version=$4 modules=$5

fail() {
	echo "FAILED: $*"
	[ ! -e "/var/lib/dkms/gntmap/$version/build/make.log" ] || cat "/var/lib/dkms/gntmap/$version/build/make.log"
	exit 1
}

# As the headers' package does it. The kernel itself is not here, but some of its modules have to be: DKMS 3.2 takes the folder of a
# kernel away that has none left.
mkdir -p "/lib/modules/$release/kernel/drivers"
cp -a "$modules/lib/modules/$release/kernel/drivers/xen" "/lib/modules/$release/kernel/drivers/"
ln -s "$kdir" "/lib/modules/$release/build"
: >"/lib/modules/$release/modules.order"
: >"/lib/modules/$release/modules.builtin"
depmod "$release"

# The checkout is somebody's folder: what is built goes to a copy.
mkdir /tmp/src
cp -a "$top/Makefile" "$top/Kbuild" "$top/COPYING" "$top/driver" "$top/include" "$top/userspace" /tmp/src/

# DKMS makes itself a key for signing, once, which is not ours to take away.
list() {
	find / -xdev \( -path /tmp -o -path /proc -o -path /var/log -o -path "$top" -o -path '/var/lib/dkms/mok.*' \) -prune -o -print |
		LC_ALL=C sort
}
ldconfig
list >/tmp/before

dkms --version
echo "== install"
make -C /tmp/src install DKMS=1 DKMS_KERNEL="$release" GNTDEV=mixedmap || fail "make install"
echo "== status"
dkms status
dkms status | grep -q "gntmap.*$version.*$release.*installed" || fail "dkms does not say that it is installed"

echo "== modules"
for module in gntmap gntmap-vmio gntmap-mixedmap gntmap-policy; do
	file=$(modinfo -k "$release" -n $module) || fail "modprobe would not find $module"
	case $file in
	*/updates/dkms/*) ;;
	*) fail "$module is $file" ;;
	esac
	vermagic=$(modinfo -k "$release" -F vermagic $module)
	[ "${vermagic%% *}" = "$release" ] || fail "$module is for $vermagic"
	modinfo -k "$release" -F signer $module | grep -q 'DKMS' || fail "$module is not signed"
done
! find /lib/modules -name '*none*.ko*' | grep . || fail "the control was installed"
[ "$(modprobe -S "$release" --show-depends gntmap-mixedmap | sed -n 's|^insmod .*/\([a-z-]*\)\.ko.*|\1|p' | tr '\n' ' ')" = "gntmap gntmap-mixedmap " ] ||
	fail "gntmap-mixedmap does not bring the core along"
modprobe -S "$release" --show-depends gntmap-mixedmap | grep -q 'node=xen/gntdev' || fail "the node's name is not given to it"
modprobe -S "$release" --show-depends xen-gntdev | grep -q '^install .*modprobe gntmap-mixedmap' || fail "modprobe xen-gntdev is not for us"
[ "$(gntmap --version)" = "gntmap $version" ] || fail "gntmap does not run"

echo "== removed and built again, as for a new kernel"
dkms remove "gntmap/$version" -k "$release"
! modinfo -k "$release" -n gntmap 2>/dev/null || fail "dkms remove left the module"
dkms add "gntmap/$version" 2>/dev/null || :
dkms build "gntmap/$version" -k "$release" || fail "dkms build"
dkms install "gntmap/$version" -k "$release" || fail "dkms install"
modinfo -k "$release" -n gntmap || fail "dkms install did not"

echo "== uninstall"
make -C /tmp/src uninstall || fail "make uninstall"
list >/tmp/after
diff /tmp/before /tmp/after || fail "make uninstall left or took something"
dkms --version | sed 's/^dkms-\{0,1\} */DKMS /; s/$/: added, built, installed, removed, nothing left/'
