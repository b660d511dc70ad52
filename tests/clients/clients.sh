#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Real clients on every strategy, in every cell that was asked for. Each strategy has a dom0 of its own, whose xenstored and
# xenconsoled run on its node from the start; `none` shares one with the kernel's own driver, since it would take their rings away.
# Prints a table for each cell, and leaves build/report/clients.json and clients.md.
#
#   clients.sh       KERNEL, MODE: cells, lists (default: all six); STRATEGY: a list (all); CLIENTS: a list (all);
#                    ROUNDS: how often a disk is written and read; MEGABYTES: through a vchan; JOBS: machines at once
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
cd "$TOP"

kernels=${KERNEL:-6.1 6.12 7.2}
modes=${MODE:-pv pvh}
strategies=${STRATEGY:-vmio mixedmap policy gntdev none}
# shellcheck disable=SC2086
tests/vm/prepare.sh $kernels
tests/clients/layer.sh >/dev/null
rm -rf build/clients
mkdir -p build/clients build/report

# What is asked of gntmap-clients
options="-r ${ROUNDS:-4} -v ${MEGABYTES:-4}"
for client in ${CLIENTS:-}; do
	options="$options -c $client"
done
export OPTIONS="$options"

for kernel in $kernels; do
	for mode in $modes; do
		for strategy in $strategies; do
			echo "$kernel $mode $strategy"
		done
	done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 tests/clients/run.sh

status=0
for code in build/clients/*/code; do
	[ "$(cat "$code")" = 0 ] || {
		status=1
		logs=${code%/code}
		echo "${logs##*/}: failed with code $(cat "$code")" >&2
		grep '^not ok' "$logs/tap" >&2 || sed 's/^/    /' "$logs/talk" >&2
	}
done
tests/clients/report.sh build/clients/*/tap
cat build/report/clients.md
exit $status
