#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds whatever a dom0 with this kernel gets from the checkout: the granter, our modules, the programs that run in dom0.
#
#   prepare.sh KERNEL...
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

"$VM/host.sh"
# The slow first times of the root and of the kernels, side by side.
"$VM/root.sh" >/dev/null &
for kernel; do
	"$VM/kernel.sh" "$kernel" >/dev/null
done
wait $! || exit 1
mkdir -p "$TOP/build"
lock "$TOP/build/.prepare.lock"
for kernel; do
	"$VM/modules.sh" "$kernel" 9>&-
done
[ ! -e "$TOP/tests/guest/Makefile" ] || make -s -C "$TOP/tests/guest" O="$TOP/build/guest" >&2
for dir in tests/dom0:. tests/bench:bench tests/clients:clients userspace:userspace; do
	[ ! -e "$TOP/${dir%:*}/Makefile" ] ||
		"$VM/in-root.sh" make -s -j"$(nproc)" -C "$TOP/${dir%:*}" O="$TOP/build/dom0/${dir#*:}" >&2
done
