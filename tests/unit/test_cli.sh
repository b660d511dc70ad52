#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The tool gntmap without Xen: help, wrong calls, and what it tells of a /proc, /sys and /dev that are made up. TAP.
# GNTMAP: the tool, built to look for them below ./root.
# shellcheck disable=SC2317 # functions are called by check
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
: "${GNTMAP:=$here/../../build/unit/gntmap}"
GNTMAP=$(realpath "$GNTMAP")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
unset GNTMAP_NODE

nr=0 failed=0
verdict() {
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr - $2"
	else
		echo "not ok $nr - $2"
		sed 's/^/# /' out err
		failed=1
	fi
}

# run CODE ARGUMENT...: is that its exit code?
run() {
	want=$1 got=0
	shift
	"$GNTMAP" "$@" >out 2>err </dev/null || got=$?
	[ "$got" = "$want" ]
}

# says FILE REGEX
says() {
	grep -Eq -e "$2" "$1"
}

# check CLAIM COMMAND...
check() {
	claim=$1
	shift
	if "$@"; then verdict 0 "$claim"; else verdict 1 "$claim"; fi
}

every_help() {
	run 0 --help && says out '^Usage: gntmap' || return 1
	cp out commands
	for command in list info map foreign watch compare bench; do
		grep -q "^  $command " commands || return 1
		run 0 "$command" --help && says out "^Usage: gntmap $command" && [ ! -s err ] || return 1
		cp out help
		run 0 help "$command" && cmp -s out help || return 1
	done
}
check 'every command has help, in two ways' every_help

# wrong REGEX ARGUMENT...: code 2, nothing on stdout, a word about what, and where to look
wrong() {
	regex=$1
	shift
	run 2 "$@" && [ ! -s out ] && says err "$regex" && says err "^Try .gntmap.* --help" && return
	echo "# $*"
	return 1
}
wrong_calls() {
	wrong 'command is missing' || return 1
	wrong 'no command .nosuch' nosuch || return 1
	wrong "unrecognized option '--nosuch'" --nosuch || return 1
	wrong "gntmap map: unrecognized option '--nosuch'" map --nosuch || return 1
	wrong 'list takes no arguments' list x || return 1
	wrong 'one node at a time' info a b || return 1
	wrong 'domain id is missing' map || return 1
	wrong 'reference is missing' map 1 || return 1
	wrong 'frame is missing' foreign 1 || return 1
	wrong '.x1. is not the id of a domain' map x1 1 || return 1
	wrong '.32752. is not the id of a domain' foreign 32752 1 || return 1
	wrong 'reference .4294967296.: not a number, or too large' map 1 4294967296 || return 1
	wrong 'frame .9-8.: the last is before the first' foreign 1 9-8 || return 1
	wrong 'one at a time' map --to a --from b 1 1 || return 1
	wrong 'direct needs --to or --from' map --direct 1 1 || return 1
	wrong 'direct needs a file' foreign --direct --to - 1 1 || return 1
	wrong 'both want stdout' map --json --to - 1 1 || return 1
	wrong 'cannot go into holes' foreign --partial --from f 1 1 || return 1
	wrong 'hold=abc: not a number' map --hold=abc 1 1 || return 1
	wrong 'interval 0' watch --interval 0 || return 1
	wrong 'count x' watch --count x || return 1
	wrong '.0. is not the id of a process' watch 0 || return 1
	wrong 'no command .nosuch' help nosuch || return 1
}
check 'a wrong call is code 2 and says what is wrong' wrong_calls

no_node() {
	# On a machine with Xen there may be some.
	if [ ! -e /dev/xen ]; then
		run 1 info && says err 'modprobe gntmap-mixedmap' || return 1
		run 1 --node policy info && says err 'gntmap-policy is not there: load its module \(modprobe gntmap-policy\)' || return 1
	fi
	run 1 --node ./nosuch map 1 1 && says err '^gntmap map: ./nosuch: No such file' || return 1
	: >file
	run 1 --node ./file info && says err './file is not a node of gntmap' || return 1
	run 1 --node ./file map 1 1 && says err '^gntmap map: domain 1, 1 grants: Inappropriate ioctl' || return 1
	run 1 --node ./file foreign 1 0x10 && says err './file maps no foreign frames' || return 1
}
check 'a node that is not there, or is none, is named, with what to do' no_node

full() {
	"$GNTMAP" list >/dev/full 2>err && return 1
	says err 'writing to stdout: No space left'
}
check 'output that cannot be written is a failure' full

no_program() {
	for program in compare bench; do
		got=0
		PATH=/nowhere "$GNTMAP" "$program" >out 2>err || got=$?
		[ "$got" = 1 ] && says err "gntmap-$program is not installed" || return 1
	done
	mkdir -p bin
	printf '#!/bin/sh\necho "bench $*"\nexit 7\n' >bin/gntmap-bench
	chmod +x bin/gntmap-bench
	got=0
	PATH=$dir/bin:$PATH "$GNTMAP" bench --json -x y >out 2>err || got=$?
	[ "$got" = 7 ] && says out '^bench --json -x y$'
}
check 'compare and bench are passed on, or said to be missing' no_program

empty_list() {
	run 0 list && says out '^core +absent' && says out "^/dev/xen/gntdev +nobody's" && says out '^mixedmap +absent +-$' || return 1
	run 0 --json list && [ "$(jq -c '[.core, .gntdev, (.strategies | length)]' out)" = '["absent",null,4]' ]
}
check 'list of a machine without anything' empty_list

# A machine with the core, mixedmap at gntdev's place, policy at its own, vmio installed, the control absent. The devices are those
# of /dev/null and /dev/zero.
machine() {
	release=$(uname -r)
	mkdir -p "root/lib/modules/$release" root/sys/module/gntmap/parameters root/sys/module/gntmap_mixedmap/parameters \
		root/sys/module/gntmap_policy/parameters root/sys/class/misc/xen!gntdev root/sys/class/misc/xen!gntmap-policy \
		root/dev/xen root/proc/10/fd root/proc/10/fdinfo root/proc/20/fd root/proc/20/fdinfo root/proc/30/fd root/proc/self
	echo 'updates/gntmap/gntmap-vmio.ko.xz: updates/gntmap/gntmap.ko.xz' >"root/lib/modules/$release/modules.dep"
	echo 'kernel/none/gntmap-none.kofoo: x/gntmap-none.ko' >>"root/lib/modules/$release/modules.dep"
	echo 65536 >root/sys/module/gntmap/parameters/limit
	echo unpopulated >root/sys/module/gntmap/parameters/provider
	echo xen/gntdev >root/sys/module/gntmap_mixedmap/parameters/node
	echo xen/gntmap-policy >root/sys/module/gntmap_policy/parameters/node
	echo 1:3 >root/sys/class/misc/xen!gntdev/dev
	echo 1:5 >root/sys/class/misc/xen!gntmap-policy/dev
	: >root/dev/xen/gntdev
	# One process with two files, one with a mapping whose file is closed, one with a name that would upset a terminal.
	echo first >root/proc/10/comm
	ln -s /dev/null root/proc/10/fd/3
	ln -s /dev/zero root/proc/10/fd/4
	ln -s /dev/full root/proc/10/fd/5
	printf 'pos:\t0\ngntmap-ranges:\t2\ngntmap-pages:\t12\ngntmap-mapped:\t8\ngntmap-draining:\t4\ngntmap-max-pages:\tnone\ngntmap-domid:\tany\n' \
		>root/proc/10/fdinfo/3
	printf 'gntmap-ranges:\t1\ngntmap-pages:\t1\ngntmap-mapped:\t0\ngntmap-draining:\t0\ngntmap-max-pages:\t64\ngntmap-domid:\t5\n' \
		>root/proc/10/fdinfo/4
	echo second >root/proc/20/comm
	printf '%s\n' '7f0000000000-7f0000003000 rw-s 00000000 00:05 99    /dev/xen/gntdev' \
		'7f0000004000-7f0000005000 rw-s 00000000 00:05 99    /dev/xen/gntdev2' >root/proc/20/maps
	printf 'a\033[31mb\377\n' >root/proc/30/comm
	ln -s /dev/null root/proc/30/fd/7
}
machine

list_text() {
	run 0 list && says out '^vmio +available +-$' && says out '^mixedmap +loaded +/dev/xen/gntdev$' &&
		says out '^policy +loaded +/dev/xen/gntmap-policy \(not for this user\)$' && says out '^none +absent +-$' &&
		says out '^core +loaded: limit=65536 provider=unpopulated$' && says out '^/dev/xen/gntdev +mixedmap$'
}
check 'list names modules, nodes and parameters' list_text

list_json() {
	run 0 list --json && [ "$(jq -c '[.core, .parameters.limit, .gntdev, (.strategies[] | .module, .node, .accessible)]' out)" = \
		'["loaded","65536","mixedmap","available",null,false,"loaded","/dev/xen/gntdev",true,"loaded","/dev/xen/gntmap-policy",false,"absent",null,false]' ]
}
check 'and so in JSON' list_json

intree() {
	mkdir -p root/sys/module/xen_gntdev
	rm root/sys/module/gntmap_mixedmap/parameters/node
	result=0
	run 0 --json list && [ "$(jq -r .gntdev out)" = xen-gntdev ] || result=1
	echo xen/gntdev >root/sys/module/gntmap_mixedmap/parameters/node
	rmdir root/sys/module/xen_gntdev
	return "$result"
}
check 'in-tree xen-gntdev is told from ours' intree

watch_text() {
	run 0 watch --once && [ "$(wc -l <out)" = 5 ] &&
		says out '^ +10 first +3 xen/gntdev +2 +12 +8 +4 +any$' && says out '^ +10 first +4 xen/gntmap-policy +1 +1 +0 +0 +5$' &&
		says out '^ +20 second +- xen/gntdev +\? +\? +3 +\? +\?$' && says out '^ +30 a\?\[31mb\? +7 xen/gntdev +\? +\? +\? +\? +\?$'
}
check 'watch shows files, and mappings without one' watch_text

watch_json() {
	run 0 watch --json --count 2 --interval 0.01 && [ "$(wc -l <out)" = 2 ] && [ "$(head -n 1 out | jq -c \
		'[.files[] | .pid, .fd, .node, .strategy, .pages, .mapped_pages, .max_pages, .domid]')" = \
		'[10,3,"/dev/xen/gntdev","mixedmap",12,8,null,null,10,4,"/dev/xen/gntmap-policy","policy",1,0,64,5,20,null,"/dev/xen/gntdev","mixedmap",null,3,null,null,30,7,"/dev/xen/gntdev","mixedmap",null,null,null,null]' ]
}
check 'and so in JSON, one object a line' watch_json

watch_one() {
	run 0 watch --once --json 20 && [ "$(jq -c '[.files[].pid]' out)" = '[20]' ] &&
		run 0 watch --once --json 40 && [ "$(jq -c '.files' out)" = '[]' ]
}
check 'watch of one process' watch_one

echo "1..$nr"
exit $failed
