#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All dom0 tests on a kernel with everything on that looks for mistakes (tests/vm/debug.config: KASAN, lockdep, kmemleak, DEBUG_VM,
# UBSAN and more), and afterwards a search for memory that nobody frees. The kernel is built once, which takes an hour or more;
# on it the tests take several times as long. Ends with a line `N passed, N failed, N skipped`.
#
# In PV, KASAN checks nothing (debug-kernel.patch); all else does. gntmap is at /dev/xen/gntdev from the start: lockdep falls silent
# after its first report, and xen-gntdev gives it one at once (tests/findings.md). That takes vmio, whose tests are left out.
#
#   debug.sh       KERNEL: a series (default 6.12); MODE: list (pvh); PROGRAMS, STRATEGY: only these (lists; mixedmap policy none)
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

tests/vm/host.sh
programs=
for program in ${PROGRAMS:-}; do
	programs="$programs -p $program"
done
passed=0 failed=0 skipped=0
for series in ${KERNEL:-6.12}; do
	kernel=${series%-debug}-debug
	tests/vm/prepare.sh "$kernel"
	for mode in ${MODE:-pvh}; do
		logs=$TOP/build/debug/$kernel-$mode
		mkdir -p "$logs"
		case $mode in
		pv) memory=1600 args=dom0_mem=1200M,max:1200M ;;
		*) memory=2048 args=dom0_mem=1600M,max:1600M ;;
		esac
		code=0
		# kmemleak believes only what it has found twice; out/kmemleak has all of it. What others lose is not our trouble.
		ALLOW='kmemleak: [0-9]+ new suspected memory leaks' BOOT_TIMEOUT=${BOOT_TIMEOUT:-1800} MEMORY_MB=${MEMORY_MB:-$memory} XEN_ARGS="$args ${XEN_ARGS:-}" \
			tests/vm/run.sh -k "$kernel" -m "$mode" -g vmio -t "${TIMEOUT:-5400}" -l "$logs" "
				export SUITE_PATIENCE=8
				gntmap-test$programs ${STRATEGY:-mixedmap policy none}
				code=\$?
				for i in 1 2; do echo scan >/sys/kernel/debug/kmemleak; sleep 6; done
				cp /sys/kernel/debug/kmemleak /run/out/
				if grep -B 12 gntmap /sys/kernel/debug/kmemleak; then
					echo 'not ok 0 - no memory is lost'
					exit 1
				fi
				exit \$code" >"$logs/tap" 2>"$logs/talk" || code=$?
		line=$(grep -E '^# [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$logs/tap" || echo '# 0 passed, 1 failed, 0 skipped')
		echo "$kernel $mode: ${line#\# } (the run ended with code $code)"
		grep '^not ok' "$logs/tap" || :
		[ "$code" = 0 ] || sed 's/^/    | /' "$logs/talk"
		# shellcheck disable=SC2086
		set -- $line
		passed=$((passed + $2)) failed=$((failed + $4)) skipped=$((skipped + $6))
		[ "$code" = 0 ] || [ "$4" != 0 ] || failed=$((failed + 1))
	done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
