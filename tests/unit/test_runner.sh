#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Does gntmap-test count what its programs say, and notice what they do not say? TAP.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# program NAME TEXT: a made-up one
program() {
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/$1"
	chmod +x "$dir/$1"
}

# A modprobe that knows two strategies, and test programs. Their $ are their own.
# shellcheck disable=SC2016
programs() {
	program modprobe 'case $* in *policy* | *none*) exit 1 ;; esac'
	program test_good 'printf "TAP version 13\nok 1 - $1: a\n# why\nok 2 - $1: b # SKIP c\n1..2\n"'
	program test_bad 'printf "TAP version 13\nok 1 - $1: a\nnot ok 2 - $1: b\n1..2\n"; exit 1'
	program test_dead 'printf "TAP version 13\nok 1 - $1: a\n"; kill -9 $$'
	program test_short 'printf "TAP version 13\nok 1 - $1: a\n"'
	program test_mute 'exit 3'
	program test_two_words 'printf "TAP version 13\nok 1 - $1: a\n1..1\n"; exit 1'
}
programs

nr=0 failed=0
# check CLAIM CODE SUMMARY ARGUMENT...
check() {
	claim=$1 code=$2 summary=$3
	shift 3
	nr=$((nr + 1)) got=0
	PATH=$dir:$PATH "$here/../dom0/gntmap-test" "$@" >"$dir/out" 2>&1 || got=$?
	said=$(tail -n 1 "$dir/out")
	if [ "$got" = "$code" ] && [ "$said" = "# $summary" ]; then
		echo "ok $nr - $claim"
	else
		echo "not ok $nr - $claim"
		echo "# code $got, $said"
		failed=1
	fi
}

check 'passes and skips are counted' 0 '1 passed, 0 failed, 1 skipped' -p test_good mixedmap
check 'every strategy that was built is run' 0 '2 passed, 0 failed, 2 skipped' -p test_good
check 'a failure is counted once' 1 '1 passed, 1 failed, 0 skipped' -p test_bad vmio
check 'programs are run one after the other' 1 '2 passed, 1 failed, 1 skipped' -p test_good -p test_bad vmio
check 'a program that is killed has failed' 1 '1 passed, 1 failed, 0 skipped' -p test_dead vmio
check 'a program that ends without its plan has failed' 1 '1 passed, 1 failed, 0 skipped' -p test_short vmio
check 'a program that says nothing has failed' 1 '0 passed, 1 failed, 0 skipped' -p test_mute vmio
check 'a program that is not there has failed' 1 '0 passed, 1 failed, 0 skipped' -p test_nobody vmio
check 'a program that fails without saying so has failed' 1 '1 passed, 1 failed, 0 skipped' -p test_two_words vmio
check 'a strategy that was not built has failed' 1 '1 passed, 1 failed, 1 skipped' -p test_good policy vmio
# shellcheck disable=SC2016
program modprobe 'case $* in *gntmap-*) exit 1 ;; esac'
check 'no strategy at all is a failure' 1 '0 passed, 1 failed, 0 skipped' -p test_good
program modprobe 'exit 1'
check 'a core that cannot be loaded is a failure' 1 '0 passed, 1 failed, 0 skipped' -p test_good
echo "1..$nr"
exit $failed
