#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Random operations with a model that knows every answer (gntmap-fuzz), one machine at a time. The same SEED gives the same
# operations again; a sequence that fails is made shorter and shown.
#
#   fuzz.sh       SEED (default: a new one); OPS: operations for each strategy (20000; PVH a fifth); KERNEL, MODE, STRATEGY: lists
#                 (6.12, both modes, all four); EPISODE: only this one; GNTDEV: the strategy that is /dev/xen/gntdev from the start, and
#                 not in STRATEGY then: on a debug kernel, where lockdep falls silent after what xen-gntdev does (findings.md)
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
strategies=${STRATEGY:-mixedmap policy vmio none}
tests/vm/host.sh
failed=0
for kernel in ${KERNEL:-6.12}; do
	tests/vm/prepare.sh "$kernel"
	for mode in ${MODE:-pv pvh}; do
		logs=$TOP/build/fuzz/$kernel-$mode
		mkdir -p "$logs"
		ops=${OPS:-20000}
		processes=2
		if [ "$mode" = pvh ]; then
			ops=$((ops / 5 + 1))
			processes=1
		fi
		[ -z "${EPISODE:-}" ] || ops="1 -v -e $EPISODE"
		echo "$kernel $mode: SEED=$seed OPS=$ops"
		code=0
		BOOT_TIMEOUT=900 tests/vm/run.sh -k "$kernel" -m "$mode" ${GNTDEV:+-g "$GNTDEV"} -t "${TIMEOUT:-3600}" -l "$logs" "
			code=0
			modprobe gntmap
			for strategy in $strategies; do
				modprobe gntmap-\$strategy
				gntmap-fuzz -s $seed -n $ops -j $processes \$strategy || code=1
			done
			exit \$code" || code=$?
		[ "$code" = 0 ] || failed=1
	done
done
exit $failed
