#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Compiles all modules for a kernel, from scratch and with W=1, all together and each strategy alone, and fails on any word that
# the compiler or modpost says.
#
#   compile.sh KERNEL
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)

kernel=$1
out=$TOP/build/compile/$kernel
rm -rf "$out"
mkdir -p "$out"

quiet() {
	"$TOP/tests/vm/modules.sh" "$@" 2>&1 | tee "$out/log"
	! grep -q . "$out/log"
}

quiet "$kernel" "$out/all"
for strategy in vmio mixedmap policy none; do
	[ -e "$out/all/gntmap-$strategy.ko" ] || { echo "no gntmap-$strategy.ko"; exit 1; }
done
quiet "$kernel" "$out/one" STRATEGY=mixedmap
[ -e "$out/one/gntmap-mixedmap.ko" ] && [ ! -e "$out/one/gntmap-vmio.ko" ]
