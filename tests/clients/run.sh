#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One dom0 with the layer of clients, whose daemons run on a strategy's node; runs gntmap-clients there.
#
#   run.sh KERNEL MODE STRATEGY       OPTIONS: for gntmap-clients; LOGS: where tap, talk, code and the logs go
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)

kernel=$1 mode=$2 strategy=$3
logs=${LOGS:-$TOP/build/clients/$kernel-$mode-$strategy}
mkdir -p "$logs"
node=$strategy
[ "$strategy" != none ] || node=gntdev
for try in 1 2 3; do
	code=0
	# A client without protection dies of it, and says so to nobody but us.
	"$TOP/tests/vm/run.sh" -k "$kernel" -m "$mode" -g "$node" -t "${TIMEOUT:-1200}" -l "$logs" \
		-o "$("$TOP/tests/clients/layer.sh")" "gntmap-clients ${OPTIONS:-} ${STRATEGIES:-$strategy}" \
		>"$logs/tap" 2>"$logs/talk" || code=$?
	[ "$code" = 96 ] || break
	echo "$kernel $mode $strategy: the emulator broke run $try" >&2
done
echo "$code" >"$logs/code"
echo "clients: $kernel $mode $strategy: $(tail -n 1 "$logs/tap")" >&2
