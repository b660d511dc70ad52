#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The comparison or the tests on this machine, which is a Xen dom0 itself: builds for the running kernel, loads our modules, starts
# the granter, runs, and takes away what it brought.
#
#   host.sh compare|check
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

die() {
	echo "host: $*" >&2
	exit 1
}

case ${1:-} in
compare) command="gntmap-compare -o $TOP/build/host/compare.json" ;;
check) command=gntmap-test ;;
*) die "host.sh compare or host.sh check" ;;
esac
[ "$(id -u)" = 0 ] || die "needs root"
PATH=$PATH:/usr/sbin:/sbin
grep -q control_d /proc/xen/capabilities 2>/dev/null || die "this machine is not a Xen dom0 (/proc/xen/capabilities)"
command -v xl >/dev/null || die "xl is missing: apt-get install xen-utils"

modules=$TOP/build/host/modules
mkdir -p "$modules"
cp -a Kbuild driver include "$modules/"
echo "host: building for Linux $(uname -r)"
make -s -C "${KDIR:-/lib/modules/$(uname -r)/build}" M="$modules" modules
make -s -C tests/guest O="$TOP/build/guest"
make -s -C tests/dom0 O="$TOP/build/host/dom0" ||
	die "the programs are built with: $(tr '\n' ' ' <tests/dom0/packages.txt)"
PATH=$TOP/build/host/dom0:$TOP/build/host/dom0/userspace:$PATH
# The library that they are built with, not one that is installed.
export LD_LIBRARY_PATH="$TOP/build/host/dom0/userspace"

for module in gntmap_vmio gntmap_mixedmap gntmap_policy gntmap_none gntmap; do
	[ ! -d "/sys/module/$module" ] || die "$module is loaded already: of which build?"
done
# modprobe is shown the machine's modules with ours beside them; nothing is installed.
release=$(uname -r)
root=$TOP/build/host/root
rm -rf "$root"
mkdir -p "$root/lib/modules/$release"
for file in /lib/modules/"$release"/kernel /lib/modules/"$release"/modules.builtin* /lib/modules/"$release"/modules.order; do
	[ ! -e "$file" ] || ln -s "$file" "$root/lib/modules/$release/"
done
mkdir "$root/lib/modules/$release/extra"
ln -s "$modules"/*.ko "$root/lib/modules/$release/extra/"
depmod -b "$root" "$release"
export MODPROBE_OPTIONS="-d $root"

granter=''
# shellcheck disable=SC2317
clean() {
	[ -z "$granter" ] || xl destroy granter || :
	for module in gntmap_vmio gntmap_mixedmap gntmap_policy gntmap_none gntmap; do
		[ ! -d "/sys/module/$module" ] || rmmod "$module" || :
	done
}
trap clean EXIT
trap 'exit 130' INT TERM HUP
granter=1
export GRANTER_START="granter-up $TOP/tests/vm/dom0/granter.cfg 'kernel=\"$TOP/build/guest/granter\"'"
granter-up tests/vm/dom0/granter.cfg "kernel=\"$TOP/build/guest/granter\""

code=0
$command || code=$?
[ "$1" != compare ] || tests/dom0/report.sh "$TOP/build/host/compare.json"
exit $code
