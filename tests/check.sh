#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All tests: what needs no Xen on the host, then every kernel in every mode. Ends with a line `N passed, N failed, N skipped`
# and succeeds if nothing failed and something passed.
#
#   check.sh       KERNEL, MODE: cells, lists; JOBS: how many machines at once
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

kernels=${KERNEL:-6.1 6.12 7.2}
modes=${MODE:-pv pvh}
died=
mkdir -p build/check
rm -f build/check/*/summary build/check/*.summary

# count NAME COMMAND...: a step that passes or fails as a whole
count() {
	name=$1
	shift
	if "$@" >"build/check/$name.log" 2>&1; then
		echo "$name: 1 passed, 0 failed, 0 skipped"
	else
		echo "$name: 0 passed, 1 failed, 0 skipped"
		tail -n 30 "build/check/$name.log" | sed 's/^/    /'
	fi | tee "build/check/$name.summary"
}

tests/vm/host.sh
for kernel in $kernels; do
	# W=1 is on; a warning is a failure.
	count "compile-$kernel" tests/build/compile.sh "$kernel"
done
count install tests/build/install.sh
# shellcheck disable=SC2086
tests/vm/prepare.sh $kernels
tests/clients/layer.sh >/dev/null
count unit make -s -C tests/unit check
count model tests/model/check.sh

for kernel in $kernels; do
	for mode in $modes; do
		echo "$kernel $mode"
		echo "$kernel $mode clients"
	done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 tests/check-cell.sh || died=1

tests/sum.sh build/check/*.summary build/check/*/summary
[ -z "$died" ]
