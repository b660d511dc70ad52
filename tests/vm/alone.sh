#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs a command that starts machines, one after the other, while nobody else on this host has one running: a measurement.
#
#   alone.sh COMMAND [ARGUMENT...]
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

mkdir -p "$CACHE"
# One flock for each slot around the command. In this order for everybody, so that two of us do not wait for each other.
i=$(nproc)
while [ "$i" -gt 0 ]; do
	i=$((i - 1))
	set -- flock "$CACHE/slot.$i" "$@"
done
say "waiting until no other machine is running"
SLOT_HELD=1 exec "$@"
