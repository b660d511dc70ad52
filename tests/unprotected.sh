#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Shows that the NUMA tests can fail: builds each strategy with its protection taken out, everything else as it is, and wants each
# one's test_numa to notice. Ends with a line `N passed, N failed`, where a pass is a protection whose absence was seen.
#
#   unprotected.sh       KERNEL, MODE: cells, lists (default 6.12, both modes)
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

tests/vm/host.sh
passed=0 failed=0
for kernel in ${KERNEL:-6.12}; do
	tests/vm/prepare.sh "$kernel"
	RELEASE=''
	eval "$(tests/vm/kernel.sh "$kernel")"
	overlay=$TOP/build/unprotected/$kernel
	sources=$overlay.sources
	rm -rf "$overlay" "$sources"
	mkdir -p "$overlay/lib/modules/$RELEASE/extra" "$sources"
	cp -a Kbuild driver include "$sources"
	sed -i '/\.vm_flags = VM_IO,/d' "$sources/driver/strategy_vmio.c"
	sed -i '/\.vm_flags = VM_MIXEDMAP,/d; s/return vm_insert_pages(vma, addr, pages, &nr);/return gntmap_insert_pages(vma, addr, pages, nr);/' \
		"$sources/driver/strategy_mixedmap.c"
	grep -q gntmap_insert_pages "$sources/driver/strategy_mixedmap.c"
	sed -i 's/\.mode = MPOL_LOCAL,/& .flags = MPOL_F_MOF,/' "$sources/driver/strategy_policy.c"
	for strategy in vmio mixedmap policy; do
		! cmp -s "driver/strategy_$strategy.c" "$sources/driver/strategy_$strategy.c" || {
			echo "$strategy: nothing was taken out" >&2
			exit 1
		}
	done
	SOURCES=$sources tests/vm/modules.sh "$kernel" "$overlay.modules"
	cp "$overlay.modules"/*.ko "$overlay/lib/modules/$RELEASE/extra/"

	for mode in ${MODE:-pv pvh}; do
		logs=$TOP/build/unprotected/$kernel-$mode
		mkdir -p "$logs"
		tests/vm/run.sh -k "$kernel" -m "$mode" -o "$overlay" -t 600 -l "$logs" \
			'gntmap-test -p test_numa vmio mixedmap policy' >"$logs/tap" || :
		for strategy in vmio mixedmap policy; do
			if grep "^not ok .* $strategy: " "$logs/tap"; then
				passed=$((passed + 1))
			else
				echo "$kernel $mode: nobody noticed that $strategy is unprotected"
				failed=$((failed + 1))
			fi
		done
	done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
