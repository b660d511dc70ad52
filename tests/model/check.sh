#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Has spin try every order of events in the model of a range's life: none may fail, for grants (in PV and elsewhere) and for foreign frames, and
# the model must notice when a precaution is taken out.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cp range.pml "$out"
cd "$out"

# verify LASTING LAZY MUTANT: the number of errors that spin finds
verify() {
	spin -DLASTING="$1" -DLAZY="$2" -DMUTANT="$3" -a range.pml >spin.log
	${CC:-cc} -O2 -DSAFETY -w -o pan pan.c
	./pan -m1000000 >pan.log
	if grep -q 'max search depth too small' pan.log; then exit 1; fi
	sed -n 's/.*errors: \([0-9]*\)$/\1/p' pan.log
}

for run in "0 0 0" "1 0 0" "0 1 0" "0 0 1" "1 0 1" "0 1 1" "0 0 2" "0 1 2" "0 1 3" "0 1 4"; do
	# shellcheck disable=SC2086
	set -- $run
	lasting=$1 lazy=$2 mutant=$3
	errors=$(verify "$lasting" "$lazy" "$mutant")
	echo "lasting=$lasting lazy=$lazy mutant=$mutant: $errors errors, $(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' pan.log) states"
	case $mutant in
	0) [ "$errors" = 0 ] || { spin -DLASTING="$lasting" -DLAZY="$lazy" -t -p -g range.pml | tail -n 60; exit 1; } ;;
	*) [ "$errors" -gt 0 ] || exit 1 ;;
	esac
done
