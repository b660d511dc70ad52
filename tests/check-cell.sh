#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One cell of the matrix: boots it, runs its tests there, and prints one line
#
#   KERNEL MODE: N passed, N failed, N skipped (S s)
#
# with what failed and what was skipped below it; the same is left in build/check (debug cells: build/debug) as CELL/summary.
#
#   check-cell.sh KERNEL MODE                 all tests of all strategies. PROGRAMS, STRATEGY: only these (lists)
#   check-cell.sh KERNEL MODE clients         real clients instead (tests/clients), each once
#   check-cell.sh KERNEL-debug MODE debug STRATEGY    all tests of one strategy, then a search for lost memory. PROGRAMS: only these
#   check-cell.sh KERNEL-debug MODE debug mistakes    what that kernel must notice (test_debug)
#   check-cell.sh KERNEL-debug MODE debug beside      each strategy beside xen-gntdev (test_conform)
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)

kernel=$1 mode=$2 kind=${3:-} strategy=${4:-}
name="$kernel $mode${kind:+ $kind}${strategy:+ $strategy}"
programs=
for program in ${PROGRAMS:-}; do
	programs="$programs -p $program"
done
limit=1500 silence=500
case $kind in
clients)
	# The daemons of a dom0 can have one strategy only, so that each kernel and mode has another.
	case $kernel-$mode in
	6.1-pv | 6.12-pvh) gntdev=mixedmap ;;
	6.12-pv | 6.1-pvh) gntdev=policy ;;
	*) gntdev=vmio ;;
	esac
	logs=check/$kernel-$mode-clients
	set -- -g "$gntdev" -o "$("$TOP/tests/clients/layer.sh")" \
		"gntmap-clients -r 1 -v 1 $gntdev:library,daemons,qdisk-direct,vchan-guest vmio:mapped-direct mixedmap:mapped-direct"
	;;
debug)
	logs=debug/$kernel-$mode-$strategy
	# A case that stands still says so itself after 300 s, eight times as many here.
	limit=7200 silence=3000
	# lockdep falls silent after its first report, and xen-gntdev gives it one at once (tests/findings.md): another strategy
	# than this cell's is in its place. Whatever is wrong switches lockdep off.
	gntdev=vmio
	[ "$strategy" != vmio ] || gntdev=policy
	set -- -g "$gntdev"
	# kmemleak believes only what it has found twice; out/kmemleak has all of it. What others lose is not our trouble.
	allow='kmemleak: [0-9]+ new suspected memory leaks'
	lockdep="grep -q 'debug_locks: *1' /proc/lockdep_stats"
	if [ "$strategy" = beside ]; then
		set --
		programs=' -p test_conform' strategy='mixedmap policy vmio none'
		allow="$allow|possible circular locking dependency|UBSAN: invalid-load in drivers/xen/gntdev\.c|Call Trace:"
		lockdep="dmesg | grep -A 5 'possible circular locking' | grep -q 'gntdev_mmap.*xen_gntdev'"
	fi
	if [ "$mode" = pv ]; then
		MEMORY_MB=${MEMORY_MB:-1600} XEN_ARGS="dom0_mem=1200M,max:1200M ${XEN_ARGS:-}"
	else
		MEMORY_MB=${MEMORY_MB:-2048} XEN_ARGS="dom0_mem=1600M,max:1600M ${XEN_ARGS:-}"
	fi
	export MEMORY_MB XEN_ARGS BOOT_TIMEOUT="${BOOT_TIMEOUT:-1800}" DOM0_ARGS="page_poison=1 kasan_multi_shot ${DOM0_ARGS:-}"
	if [ "$strategy" = mistakes ]; then
		export ALLOW=.
		set -- "$@" "SUITE_PATIENCE=8 gntmap-test -p test_debug mixedmap"
	else
		export ALLOW="$allow"
		set -- "$@" "
			code=0
			SUITE_PATIENCE=8 gntmap-test$programs $strategy || code=\$?
			$lockdep || {
				echo 'not ok 0 - nothing of ours has silenced lockdep'
				code=1
			}
			for i in 1 2; do
				sleep 6
				echo scan >/sys/kernel/debug/kmemleak || {
					echo 'not ok 0 - lost memory can be looked for'
					code=1
				}
			done
			cp /sys/kernel/debug/kmemleak /run/out/
			if grep -B 12 gntmap /sys/kernel/debug/kmemleak; then
				echo 'not ok 0 - no memory is lost'
				code=1
			fi
			exit \$code"
	fi
	;;
*)
	logs=check/$kernel-$mode
	set -- "gntmap-test$programs ${STRATEGY:-}"
	;;
esac
logs=$TOP/build/$logs
mkdir -p "$logs"
began=$(date +%s)
# A run that the emulator broke says nothing: it is named and repeated.
for try in 1 2 3; do
	code=0
	"$TOP/tests/vm/run.sh" -k "$kernel" -m "$mode" -t "${TIMEOUT:-$limit}" -s "${SILENCE:-$silence}" -l "$logs" "$@" \
		>"$logs/tap" 2>"$logs/talk" || code=$?
	[ "$code" = 96 ] || break
	echo "$name: the emulator broke run $try, see $logs.broken-$try" >&2
	rm -rf "$logs.broken-$try"
	cp -r "$logs" "$logs.broken-$try"
done

# gntmap-test's last line counts; the runner's code says what the tests cannot: a dirty log, a hang, no boot.
awk -v cell="$name" -v code="$code" -v seconds=$(($(date +%s) - began)) -v talk="$logs/talk" '
	/^# [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { passed = $2; failed = $4; skipped = $6; counted = 1; next }
	# What was found after the tests.
	/^not ok 0 /		{ failed++ }
	/^not ok /		{ lines = lines "    " $0 "\n" said }
	/^ok .* # SKIP/		{ lines = lines "    " $0 "\n" }
	# What a test says comes before its verdict.
	/^(not )?ok |^# ended /	{ said = ""; nr_said = 0; next }
	/^# / && nr_said++ < 20	{ said = said "        " $0 "\n" }
	END {
		if (!counted || (code != 0 && !failed)) {
			failed++
			lines = lines "    not ok - the run ended with code " code "\n"
		}
		while (code != 0 && (getline line <talk) > 0)
			lines = lines "    | " line "\n"
		printf "%s: %d passed, %d failed, %d skipped (%d s)\n%s", cell, passed, failed, skipped, seconds, lines
	}' "$logs/tap" | tee "$logs/summary"
