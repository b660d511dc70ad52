#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The comparison: each kernel and mode that was asked for is booted, gntmap-compare runs in it, and what it saw becomes
# build/report/compare.json and compare.md.
#
#   compare.sh       KERNEL, MODE: cells, lists (default 6.12, both modes); JOBS: how many machines at once
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

kernels=${KERNEL:-6.12}
modes=${MODE:-pv pvh}
# shellcheck disable=SC2086
tests/vm/prepare.sh $kernels
rm -rf build/compare
mkdir -p build/compare build/report

# The inner shell has the $.
# shellcheck disable=SC2016
for kernel in $kernels; do
	for mode in $modes; do
		echo "$kernel $mode"
	done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 sh -c '
	logs=build/compare/$1-$2
	mkdir -p "$logs"
	for try in 1 2 3; do
		code=0
		echo "compare: $1 $2: booting, then all probes for each strategy" >&2
		tests/vm/run.sh -k "$1" -m "$2" -t 900 -l "$logs" "gntmap-compare -o /run/out/compare.json" \
			>"$logs/table" 2>"$logs/talk" || code=$?
		# The emulator broke this run: it says nothing.
		[ "$code" = 96 ] || break
		echo "compare: $1 $2: the emulator broke run $try" >&2
	done
	echo "$code" >"$logs/code"
	tail -n 1 "$logs/talk" >&2
' cell

status=0
for kernel in $kernels; do
	for mode in $modes; do
		logs=build/compare/$kernel-$mode
		cat "$logs/table"
		echo
		code=$(cat "$logs/code")
		[ "$code" = 0 ] || {
			status=1
			echo "$kernel $mode: failed with code $code" >&2
			sed "s/^/    /" "$logs/talk" >&2
		}
	done
done
tests/dom0/report.sh build/compare/*/out/compare.json
exit $status
