# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The machine: what QEMU, Xen and dom0's kernel have to be told so that a dom0 comes up by emulation. Each odd word here was
# paid for by a hang; see the reasons before removing one. Sourced.

# qemu MODE VMLINUZ INITRD [QEMU ARGUMENT...]: run it in the foreground; XEN_ARGS and DOM0_ARGS are appended to the defaults.
# LIMIT, in seconds, is a last resort for when the caller is killed.
qemu() {
	mode=$1 vmlinuz=$2 initrd=$3
	shift 3

	# com1 is Xen's (dom0's console goes through it), com2 is dom0's own.
	# spec-ctrl and xpti: mitigations cost time here and protect nothing.
	xen="console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all xpti=no noreboot=no"
	# console_suspend etc. do not matter; loglevel 5 shows warnings and worse, the rest is in dmesg.log.
	dom0="console=hvc0 loglevel=5 log_buf_len=4M mitigations=off panic=-1 numa_balancing=enable numa=fake=2"
	dom0="$dom0 rdinit=/init random.trust_cpu=on transparent_hugepage=madvise"

	case $mode in
	pv)
		xen="$xen dom0_mem=384M,max:384M"
		memory=${MEMORY_MB:-768}
		set -- -smp 2 "$@"
		;;

	pvh)
		# Without an IOMMU a PVH dom0 hangs while it checksums an ACPI table. With two CPUs it dies at random, an event
		# being delivered twice; with lazy FPU switching its processes' vector registers get mixed up.
		# numa=fake=2 splits the machine's memory, so that dom0 needs nearly all of it to have some on both nodes.
		xen="$xen dom0=pvh dom0_mem=1200M,max:1200M spec-ctrl=eager-fpu"
		memory=${MEMORY_MB:-1536}
		set -- -smp 1 -device amd-iommu "$@"
		;;
	esac
	xen="$xen ${XEN_ARGS:-}"
	dom0="$dom0 ${DOM0_ARGS:-}"

	# A comma separates -initrd's modules; one that belongs to an argument is doubled.
	dom0=$(echo "$dom0" | sed 's/,/,,/g')

	# One thread for all CPUs: with one each, a PV dom0 that patches its own code (static keys, kprobes, tracepoints) dies now
	# and then, the other CPU taking the breakpoint after the patch is complete: seen twice, within 150 rounds of arming and disarming three events.
	# It is no slower, as a second machine has the other core. But then a CPU runs for 100 ms while the others stand still: who is
	# after races takes TCG_THREAD=multi, and the risk.
	# No SMAP: QEMU faults on a PV kernel's iret. No RDTSCP: a PVH dom0 loops in an emulation failure. No XSAVE: PVH 7.2
	# panics when it sets up the FPU.
	exec ${LIMIT:+timeout "$LIMIT"} qemu-system-x86_64 -machine q35 -accel tcg,thread="${TCG_THREAD:-single}" -cpu max,-smap,-rdtscp,-xsave -m "$memory" \
		-nodefaults -nic none -display none -no-reboot "$@" \
		-kernel "$XEN" -append "$xen" -initrd "$vmlinuz $dom0,$initrd"
}
