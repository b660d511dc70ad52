#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# test_races and test_keep where races are likely: the emulator runs CPUs at once, which it otherwise does one after the other
# for 100 ms each, and the kernel preempts itself (preempt=full), which is all there is in PVH with its one CPU. A lock that is
# forgotten is found here and not by make check. Memory that was freed is poisoned (slub_debug), so that who uses it reads
# nonsense.
#
#   races.sh       KERNEL, MODE: lists (6.12, both modes); STRATEGY: list (mixedmap); RACE_MS: a race's time (5000)
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

tests/vm/host.sh
failed=0
for kernel in ${KERNEL:-6.12}; do
	tests/vm/prepare.sh "$kernel"
	for mode in ${MODE:-pv pvh}; do
		TCG_THREAD=multi DOM0_ARGS="preempt=full slub_debug=FZP ${DOM0_ARGS:-}" tests/vm/run.sh -k "$kernel" -m "$mode" -t 900 \
			-l "$TOP/build/races/$kernel-$mode" \
			"RACE_MS=${RACE_MS:-5000} gntmap-test -p test_races -p test_keep ${STRATEGY:-mixedmap}" || failed=1
	done
done
exit $failed
