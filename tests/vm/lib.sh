# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
# What every script of the test bed shares: where things are, how to speak, how to lock.
# A script sets VM (its own folder) and sources this.

TOP=$(cd "$VM/../.." && pwd -P)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/gntmap

# stdout belongs to results (paths, the output of commands in dom0), talk goes to stderr
say() {
	echo "vm: $*" >&2
}

die() {
	echo "vm: $*" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || die "$1 needs root (chroot and mount); run it as root or with sudo"
}

# lock FILE: wait for and hold FILE until this process ends. Descriptor 9 is the lock's; children that outlive us
# must close it (9>&-).
lock() {
	mkdir -p "${1%/*}"
	exec 9>"$1"
	flock -n 9 && return
	say "waiting for another run that holds $1"
	flock 9
}

# slot: wait for and hold one of the machine's slots for a QEMU until this process and its QEMU end. More of them than CPUs
# only make each other time out. SLOT_HELD: the caller (alone.sh) has them all.
slot() {
	[ -z "${SLOT_HELD:-}" ] || return 0
	nr=$(nproc)
	mkdir -p "$CACHE"
	waiting=
	while :; do
		i=0
		while [ $i -lt "$nr" ]; do
			exec 8>"$CACHE/slot.$i"
			flock -n 8 && return
			i=$((i + 1))
		done
		[ -n "$waiting" ] || say "waiting: $nr machines are running"
		waiting=1
		sleep 1
	done
}

# hash of stdin, short enough for a file name
short_hash() {
	sha256sum | cut -c1-12
}
