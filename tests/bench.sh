#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The measurement: each kernel and mode that was asked for is booted, one after the other and nothing beside it, and
# gntmap-bench measures there; its figures become build/report/bench.json, bench.md, bench-summary.md and plots.
#
#   bench.sh [WORKLOAD...]       KERNEL, MODE: cells, lists (default 6.1 and 6.12, both modes); PACE: times the usual seconds
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

kernels=${KERNEL:-6.1 6.12}
modes=${MODE:-pv pvh}
tests/vm/host.sh gnuplot:gnuplot-nox
# shellcheck disable=SC2086
tests/vm/prepare.sh $kernels
rm -rf build/bench
mkdir -p build/bench

status=0
for kernel in $kernels; do
	for mode in $modes; do
		logs=build/bench/$kernel-$mode
		mkdir -p "$logs"
		# A run that the emulator broke says nothing, and is repeated.
		for try in 1 2 3; do
			code=0
			echo "bench: $kernel $mode" >&2
			tests/vm/alone.sh tests/vm/run.sh -k "$kernel" -m "$mode" -t 1800 -l "$logs" \
				"gntmap-bench -p ${PACE:-1} -o /run/out/bench.json $*" 2>"$logs/talk" || code=$?
			[ "$code" = 96 ] || break
			echo "bench: $kernel $mode: the emulator broke run $try" >&2
		done
		[ "$code" = 0 ] || {
			status=1
			echo "bench: $kernel $mode: failed with code $code" >&2
			sed 's/^/    /' "$logs/talk" >&2
		}
	done
done
tests/bench/report.sh build/bench/*/out/bench.json
exit $status
