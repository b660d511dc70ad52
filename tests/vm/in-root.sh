#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs a command in the build root, in the current folder. The checkout and the cache are seen there at their own paths,
# so that whatever is built has the same paths inside and outside. Nothing stays mounted: the mounts live in a
# namespace of their own, which ends with the command.
#
#   [SUITE=sid] in-root.sh COMMAND [ARGUMENT...]
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

need_root "running in the build root"
root=$("$VM/root.sh" "${SUITE:-trixie}")

# The script's own $ are for the inner shell.
# shellcheck disable=SC2016
exec unshare -m sh -euc '
	root=$1 top=$2 cache=$3 cwd=$4
	shift 4
	mount -t proc proc "$root/proc"
	# Before the others: the checkout may lie below /tmp.
	mount -t tmpfs tmp "$root/tmp"
	mkdir -p "$root$top" "$root$cache"
	mount --bind "$top" "$root$top"
	mount --bind "$cache" "$root$cache"
	exec chroot "$root" env -u TMPDIR PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C sh -euc "cd \"\$0\"; exec \"\$@\"" "$cwd" "$@"
' in-root "$root" "$TOP" "$CACHE" "$(pwd -P)" "$@"
