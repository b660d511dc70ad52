#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One cell of the matrix: boots it, runs all tests of all strategies and the comparison there, and prints one line
#
#   KERNEL MODE: N passed, N failed, N skipped (S s)
#
# with what failed and what was skipped below it.
#
#   check-cell.sh KERNEL MODE               PROGRAMS, STRATEGY: only these (lists)
#   check-cell.sh KERNEL MODE clients       real clients instead (tests/clients), each once
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)

kernel=$1 mode=$2
logs=$TOP/build/check/$kernel-$mode${3:+-$3}
mkdir -p "$logs"
programs=
for program in ${PROGRAMS:-}; do
	programs="$programs -p $program"
done
set -- "${3:-}" -k "$kernel" -m "$mode" -t "${TIMEOUT:-1500}" -s "${SILENCE:-500}" -l "$logs"
case $1 in
clients)
	# The daemons of a dom0 can have one strategy only, so that each kernel and mode has another.
	case $kernel-$mode in
	6.1-pv | 6.12-pvh) strategy=mixedmap ;;
	6.12-pv | 6.1-pvh) strategy=policy ;;
	*) strategy=vmio ;;
	esac
	set -- "$@" -g "$strategy" -o "$("$TOP/tests/clients/layer.sh")" \
		"gntmap-clients -r 1 -v 1 $strategy:library,daemons,qdisk-direct,vchan-guest vmio:mapped-direct mixedmap:mapped-direct"
	;;
*) set -- "$@" "gntmap-test$programs ${STRATEGY:-}" ;;
esac
name="$kernel $mode${1:+ $1}"
shift
began=$(date +%s)
# A run that the emulator broke says nothing: it is named and repeated.
for try in 1 2 3; do
	code=0
	"$TOP/tests/vm/run.sh" "$@" >"$logs/tap" 2>"$logs/talk" || code=$?
	[ "$code" = 96 ] || break
	echo "$name: the emulator broke run $try, see $logs.broken-$try" >&2
	rm -rf "$logs.broken-$try"
	cp -r "$logs" "$logs.broken-$try"
done

# gntmap-test's last line counts; the runner's code says what the tests cannot: a dirty log, a hang, no boot.
awk -v cell="$name" -v code="$code" -v seconds=$(($(date +%s) - began)) -v talk="$logs/talk" '
	/^# [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { passed = $2; failed = $4; skipped = $6; counted = 1 }
	/^not ok /		{ lines = lines "    " $0 "\n" said }
	/^ok .* # SKIP/		{ lines = lines "    " $0 "\n" }
	# What a test says comes before its verdict.
	/^(not )?ok |^# ended /	{ said = ""; nr_said = 0; next }
	/^# / && nr_said++ < 20	{ said = said "        " $0 "\n" }
	END {
		if (!counted || (code != 0 && !failed)) {
			failed++
			lines = lines "    not ok - the run ended with code " code "\n"
			while ((getline line <talk) > 0)
				lines = lines "    | " line "\n"
		}
		printf "%s: %d passed, %d failed, %d skipped (%d s)\n%s", cell, passed, failed, skipped, seconds, lines
	}' "$logs/tap" | tee "$logs/summary"
