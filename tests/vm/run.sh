#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boots a fresh dom0 in QEMU, runs one command in it and returns that command's output and exit code.
#
#   run.sh [-k KERNEL] [-m pv|pvh] [-o OVERLAY] [-t SECONDS] [-s SECONDS] [-l LOGDIR] [-g STRATEGY] [-n] COMMAND
#
#   -k   kernel: 6.1, 6.12, 7.2, newest or a release (default 6.1)
#   -m   mode: pv or pvh (default pv)
#   -o   a folder laid over dom0's root
#   -t   how long the command may take, in seconds (default 300; booting has its own limit, BOOT_TIMEOUT)
#   -s   how long it may be silent (default: as long as it may take)
#   -l   where the logs go (default build/vm/KERNEL-MODE)
#   -g   the strategy whose node is /dev/xen/gntdev from the start, in the kernel's own driver's place
#   -n   without the granter
#
# Exit code: the command's own, or 96 when the emulator broke a CPU's state (the run says nothing), 97 when it was 0 but a log is dirty, 98 when it hung (or dom0 died under it), 99 when
# dom0 never got so far, 2 for a wrong call. README.md has the variables.
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"
# shellcheck source-path=SCRIPTDIR source=qemu.sh
. "$VM/qemu.sh"

usage() {
	sed -n '/^#   run.sh/,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

kernel=6.1 mode=pv overlay='' limit=300 silence='' logs='' granter=1 gntdev=''
while getopts k:m:o:t:s:l:g:n opt; do
	case $opt in
	k) kernel=$OPTARG ;;
	m) mode=$OPTARG ;;
	o) overlay=$OPTARG ;;
	t) limit=$OPTARG ;;
	s) silence=$OPTARG ;;
	l) logs=$OPTARG ;;
	g) gntdev=$OPTARG ;;
	n) granter= ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
case $mode in
pv | pvh) ;;
*) usage ;;
esac
[ -z "$overlay" ] || [ -d "$overlay" ] || die "no such folder: $overlay"
boot_limit=${BOOT_TIMEOUT:-300}
logs=${logs:-$TOP/build/vm/$kernel-$mode}

"$VM/host.sh"
root=$("$VM/root.sh")
assignments=$("$VM/kernel.sh" "$kernel")
RELEASE="" VMLINUZ=""
eval "$assignments"

mkdir -p "$logs"
lock "$logs/.lock"
rm -rf "$logs"/console.log "$logs"/registers.log "$logs"/dmesg.log "$logs"/xen.log "$logs"/output.log "$logs"/out "$logs"/logs "$logs"/verdict.log

# Big files (the initramfs) and state live beside the logs only while the run lasts.
run=$(mktemp -d "$logs/run.XXXXXX")
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || :; rm -rf "$run"' EXIT
trap 'exit 130' INT TERM HUP

mkdir "$run/settings"
printf '%s\n' "$*" >"$run/settings/command"
token=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
echo "$token" >"$run/settings/token"
[ -n "$granter" ] || : >"$run/settings/no-granter"
[ -z "$gntdev" ] || echo "$gntdev" >"$run/settings/gntdev-strategy"
"$VM/stage.sh" "$kernel" "$run/initrd" "$run/settings" "$overlay"
XEN=$run/xen
gunzip -c "$root/boot/xen-4.20-amd64.gz" >"$XEN"

: >"$run/results"
: >"$logs/console.log"
: >"$logs/output.log"
now() { date +%s; }
slot
began=$(now)
mkfifo "$run/console.in" "$run/console.out" "$run/monitor.in" "$run/monitor.out"
# shellcheck disable=SC2086
(
	cat "$run/console.out" >/dev/null &
	cat "$run/monitor.out" >"$run/monitor.log" &
	LIMIT=$((boot_limit + limit + 600)) qemu "$mode" "$VMLINUZ" "$run/initrd" \
		-chardev "pipe,id=console,path=$run/console,logfile=$logs/console.log" -serial chardev:console \
		-serial "file:$run/results" -chardev "pipe,id=monitor,path=$run/monitor" -mon chardev=monitor ${QEMU_ARGS:-}
) \
	9>&- 2>"$run/qemu.log" </dev/null &
pid=$!
exec 7<>"$run/monitor.in"

# The reader passes the command's output on as it comes and leaves a file for each message. It is in shell, because an awk may
# wait for a full buffer; the serial line is slower than both.
read_results() {
	started=
	while IFS= read -r line; do
		case $line in
		*"$token "*)
			before=${line%%"$token "*}
			[ -z "$started" ] || printf '%s' "$before"
			# shellcheck disable=SC2086
			set -- ${line#*"$token "}
			[ "$1" != start ] || started=1
			[ "$1" != exit ] || started=
			echo "${2:-}" >"$run/$1.part"
			mv "$run/$1.part" "$run/$1"
			[ "$1" != files ] || return 0
			;;
		*)
			[ -z "$started" ] || printf '%s\n' "$line"
			;;
		esac
	done
	# dom0 died in the middle of a line
	[ -z "$started" ] || printf '%s' "$line"
}
tail -c +1 -f --pid="$pid" "$run/results" 2>/dev/null 9>&- | read_results | tee "$logs/output.log" &
reader=$!

# The emulator loses an interrupt now and then: VMRUN and #VMEXIT change a word of pending interrupts without a lock (helper_vmrun(),
# do_vmexit() in QEMU's svm_helper.c), in which its other thread may set a bit at that moment. What was seen is that the APIC has the
# timer's interrupt (IRR), nobody looks for it, and no time passes until some other one comes: a dom0 in PVH stood still for 12 minutes.
# So there is one each second, from the PIT, with which Xen does nothing once it is up (timer_interrupt()). Its console's would
# not do: that UART is polled, with a timer, after Xen has once found its interrupt slow.
poke() {
	[ -n "$up" ] || ! grep -q 'Serial input to DOM0' "$logs/console.log" || up=1
	# Channel 0: one shot (mode 0), of one tick.
	[ -z "$up" ] || printf 'o /b %s\n' '0x43 0x30' '0x40 1' '0x40 0' >&7
}

# wait_for FILE SECONDS [SILENCE]: 0 when the message has come, 1 when QEMU has ended, 2 when the time is over, 3 when nothing was
# heard for too long
wait_for() {
	end=$(($(now) + $2))
	heard=0 quiet_until=$end round=0
	while [ ! -e "$run/$1" ]; do
		if ! kill -0 "$pid" 2>/dev/null; then
			sleep 0.3
			[ ! -e "$run/$1" ] || return 0
			return 1
		fi
		[ "$(now)" -lt "$end" ] || return 2
		if [ -n "${3:-}" ]; then
			size=$(stat -c %s "$run/results")
			[ "$size" = "$heard" ] || heard=$size quiet_until=$(($(now) + $3))
			[ "$(now)" -lt "$quiet_until" ] || return 3
		fi
		[ $((round % 10)) != 0 ] || poke
		round=$((round + 1))
		sleep 0.1
	done
}

# What stands still, and where: the CPUs as QEMU has them, then what Xen says of dom0, its queues, timers and events.
ask_why() {
	kill -0 "$pid" 2>/dev/null || return 0
	for _ in 1 2 3; do
		echo "info registers -a" >"$run/monitor.in"
		sleep 1
	done
	echo "info lapic" >"$run/monitor.in"
	printf '\001\001\001' >"$run/console.in"
	for key in 0 r a e; do
		printf '%s' "$key" >"$run/console.in"
		sleep 3
	done
	tr -d '\r' <"$run/monitor.log" |
		grep -E '^(CPU#|RAX|RSI|R8|R12|RIP|CR0|EFER|LVT|Timer|IRR|ISR|APR)' >"$logs/registers.log" || :
}

code='' trouble='' up=''
stop=0
wait_for start "$boot_limit" || stop=$?
booted=$(($(now) - began))
if [ $stop = 0 ]; then
	wait_for exit "$limit" "$silence" || stop=$?
	ran=$(($(now) - began - booted))
	case $stop in
	0)
		code=$(cat "$run/exit")
		wait_for files 120 || trouble="dom0 ended the command but never sent its logs"
		# What follows the last message is the archive; it ends when QEMU does.
		if [ -z "$trouble" ]; then
			wait_for never 120 || [ $? = 1 ] || trouble="hang: dom0 did not power off"
		fi
		;;
	1) code=98 trouble="dom0 died after ${ran} s of the command" ;;
	3) code=98 trouble="hang: nothing was heard of the command for $silence s" ;;
	*) code=98 trouble="hang: the command did not end within $limit s" ;;
	esac
else
	code=99
	case $stop in
	1) trouble="dom0 died after $booted s, before the command" ;;
	*) trouble="hang: dom0 did not reach the command within $boot_limit s" ;;
	esac
fi
case $trouble in
hang:*) ask_why ;;
esac
kill "$pid" 2>/dev/null || :
wait "$pid" 2>/dev/null || :
pid=
wait "$reader" 2>/dev/null || :

if [ -e "$run/files" ]; then
	offset=$(grep -abo "$token files" "$run/results" | tail -n 1 | cut -d: -f1)
	tail -c "+$((offset + ${#token} + 8))" "$run/results" | tar -xz -C "$run" 2>/dev/null ||
		trouble="the logs that dom0 sent are damaged"
	for log in dmesg.log xen.log; do
		[ ! -e "$run/logs/$log" ] || mv "$run/logs/$log" "$logs/$log"
	done
	[ ! -d "$run/out" ] || mv "$run/out" "$logs/out"
	[ ! -d "$run/logs" ] || mv "$run/logs" "$logs/logs"
fi
[ ! -s "$run/qemu.log" ] || cp "$run/qemu.log" "$logs/qemu.log"

# A last line without its end belongs to stdout, ours start afresh.
[ -z "$(tail -c 1 "$logs/output.log" | tr -d '\000')" ] || echo >&2
say "$RELEASE $mode: up after $booted s, the command took ${ran:-0} s; logs in $logs"
if [ -n "$trouble" ]; then
	say "$trouble"
	[ "$code" -ge 97 ] || code=98
fi
[ ! -e "$run/granter" ] || say "the granter is not there (see $logs/logs/xl-create.log)"
"$VM/verdict.sh" "$logs" >&2 || [ "$code" != 0 ] || code=97
# Seen once, in a PVH dom0: a double fault 396 s after boot, in the middle of the tests.
if grep -q '^emulator: ' "$logs/verdict.log"; then
	say "the emulator broke a CPU's state (EFLAGS has bits that no CPU sets): this run says nothing about us"
	code=96
fi
if [ -n "$trouble" ]; then
	say "the last lines of the console:"
	# Those before we asked Xen.
	tr -d '\r' <"$logs/console.log" | sed '/Serial input to Xen/,$d' | tail -n 15 | sed 's/^/    /' >&2
	grep -v 'terminating on signal' "$run/qemu.log" >&2 || :
fi
exit "$code"
