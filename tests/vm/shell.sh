#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A fresh dom0 with a shell on this terminal. Leaving the shell powers dom0 off; Ctrl-A x ends QEMU at once.
#
#   shell.sh [-k KERNEL] [-m pv|pvh] [-o OVERLAY] [-n]       as run.sh
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"
# shellcheck source-path=SCRIPTDIR source=qemu.sh
. "$VM/qemu.sh"

kernel=6.1 mode=pv overlay='' granter=1
while getopts k:m:o:n opt; do
	case $opt in
	k) kernel=$OPTARG ;;
	m) mode=$OPTARG ;;
	o) overlay=$OPTARG ;;
	n) granter= ;;
	*) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
	esac
done

"$VM/host.sh"
root=$("$VM/root.sh")
assignments=$("$VM/kernel.sh" "$kernel")
RELEASE='' VMLINUZ=''
eval "$assignments"
logs=$TOP/build/vm/$kernel-$mode-shell
mkdir -p "$logs"
run=$(mktemp -d "$logs/run.XXXXXX")
trap 'rm -rf "$run"' EXIT

mkdir "$run/settings"
: >"$run/settings/interactive"
echo "--" >"$run/settings/token"
size=$(stty size 2>/dev/null || echo 24 80)
echo "${size% *}" >"$run/settings/rows"
echo "${size#* }" >"$run/settings/cols"
[ -n "$granter" ] || : >"$run/settings/no-granter"
"$VM/stage.sh" "$kernel" "$run/initrd" "$run/settings" "$overlay"
XEN=$run/xen
gunzip -c "$root/boot/xen-4.20-amd64.gz" >"$XEN"

say "Linux $RELEASE, $mode; the console of Xen and dom0 goes to $logs/console.log; exit or Ctrl-A x ends it"
# shellcheck disable=SC2086
(qemu "$mode" "$VMLINUZ" "$run/initrd" -serial "file:$logs/console.log" -serial mon:stdio ${QEMU_ARGS:-})
