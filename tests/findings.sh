#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The teardown tests against the kernel's own driver, xen-gntdev, each in a boot of its own, because some of them end the
# kernel's life. tests/findings.md says what came of it. Prints, for each test,
#
#   KERNEL MODE: PROGRAM, CLAIM: ok | failed | dirty log | dead
#
# with what the test and the logs said below it, and succeeds if every boot got as far as a verdict.
#
#   findings.sh       KERNEL, MODE: cells, lists (default 6.12, both modes); ONLY: a part of the claims to be run;
#                     DRIVER: another column, e.g. policy (default gntdev); JOBS: how many machines at once
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

if [ "${1:-}" = one ]; then
	kernel=$2 mode=$3 program=$4 claim=$5
	logs=build/findings/$kernel-$mode/$(echo "$program $claim" | tr -c 'a-zA-Z0-9\n' _)
	mkdir -p "$logs"
	driver=${DRIVER:-gntdev}
	code=96
	nr_tries=0
	while [ "$code" = 96 ] && [ $nr_tries -lt 3 ]; do
		nr_tries=$((nr_tries + 1))
		code=0
		tests/vm/run.sh -k "$kernel" -m "$mode" -t 420 -l "$logs" \
			"[ $driver = gntdev ] || modprobe gntmap-$driver; FINDINGS=1 $program $driver '$claim'" \
			>"$logs/tap" 2>"$logs/talk" || code=$?
	done
	case $code in
	0) verdict=ok ;;
	97) verdict='dirty log' ;;
	98) verdict=dead ;;
	96 | 99) verdict='no run' ;;
	*) verdict=failed ;;
	esac
	# A Call Trace is part of what went before it.
	{
		echo "$kernel $mode: $program, $claim: $verdict"
		sed -n '/^# /s/^/    /p' "$logs/tap"
		[ ! -s "$logs/verdict.log" ] || grep -v 'Call Trace' "$logs/verdict.log" | head -n 3 | sed 's/^/    /'
	} >"$logs/summary"
	cat "$logs/summary"
	[ "$verdict" != 'no run' ]
	exit
fi

kernels=${KERNEL:-6.12}
# shellcheck disable=SC2086
tests/vm/prepare.sh $kernels
rm -rf build/findings
for kernel in $kernels; do
	for mode in ${MODE:-pv pvh}; do
		while read -r program claim; do
			case $claim in
			*"${ONLY:-}"*) printf '%s %s %s "%s"\n' "$kernel" "$mode" "$program" "$claim" ;;
			esac
		done <<-END
			test_pin a pinned page delays its own grant
			test_pin a pinned page stays
			test_pin mmap gives EBUSY
			test_pin several pins
			test_pin a range can be removed
			test_pin a descriptor can be closed
			test_pin a process can be killed
			test_flight munmap: at once
			test_flight munmap: the granter can revoke
			test_flight UNMAP_GRANT_REF
			test_flight close
			test_flight MADV_DONTNEED
			test_flight fork
			test_flight exit
			test_flight kill -9
			test_io direct IO of a whole range
			test_mm MADV_DOFORK
			test_mm clearing soft-dirty
			test_mm clearing referenced
		END
	done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 tests/findings.sh one
