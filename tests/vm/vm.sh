#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What `make vm-run` and `make vm-shell` call: builds what dom0 needs, then boots the cells that were asked for.
#
#   vm.sh run|shell       KERNEL, MODE (one or a list), CMD, OVERLAY, TIMEOUT come as variables
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

what=${1:-}
kernels=${KERNEL:-6.1}
modes=${MODE:-pv}
case $what in
run) [ -n "${CMD:-}" ] || die "what is to be run? make vm-run CMD='...'" ;;
shell) ;;
*) die "vm.sh run or vm.sh shell" ;;
esac

# shellcheck disable=SC2086
"$VM/prepare.sh" $kernels
if [ "$what" = shell ]; then
	exec "$VM/shell.sh" -k "${kernels%% *}" -m "${modes%% *}" ${OVERLAY:+-o "$OVERLAY"}
fi
status=0
for kernel in $kernels; do
	for mode in $modes; do
		"$VM/run.sh" -k "$kernel" -m "$mode" ${OVERLAY:+-o "$OVERLAY"} ${TIMEOUT:+-t "$TIMEOUT"} "$CMD" || {
			code=$?
			# The first failure is the one reported.
			[ $status != 0 ] || status=$code
		}
	done
done
exit $status
