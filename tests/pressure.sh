#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What happens when memory or Xen's tables run out (test_pressure; in a boot of its own test_balloon). A process that is killed for
# want of memory makes the kernel print a call trace, which is no trouble here. Xen's maptrack table is made small: room for one
# mapping of 64 K pages in PV.
#
#   pressure.sh       KERNEL, MODE: lists (6.12, both modes); STRATEGY: list (mixedmap)
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

tests/vm/host.sh
failed=0
for kernel in ${KERNEL:-6.12}; do
	tests/vm/prepare.sh "$kernel"
	for mode in ${MODE:-pv pvh}; do
		for program in test_pressure test_balloon; do
			ALLOW='Call Trace:|Command line:' XEN_ARGS='gnttab_max_maptrack_frames=600' \
				tests/vm/run.sh -k "$kernel" -m "$mode" -t 1800 -l "$TOP/build/pressure/$kernel-$mode-$program" \
				"gntmap-test -p $program ${STRATEGY:-mixedmap}" || failed=1
		done
	done
done
exit $failed
