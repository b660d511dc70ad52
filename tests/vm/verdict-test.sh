#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Does the verdict catch what it should, and nothing else? TAP.
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

nr=0 failed=0
# check NAME TEXT: the verdict calls TEXT by NAME ("clean": says nothing)
check() {
	nr=$((nr + 1))
	printf '[    0.1] Linux version\n%s\r\n' "$2" >"$dir/console.log"
	said=clean
	"$VM/verdict.sh" "$dir" >/dev/null || said=$(sed 's/: .*//' "$dir/verdict.log" | head -n 1)
	if [ "$said" = "$1" ]; then
		echo "ok $nr - $1: $2"
	else
		echo "not ok $nr - $1: $2 # was called $said"
		failed=1
	fi
}

check emulator '[  396.016026] RSP: 0018:ffffc90000c1baa0 EFLAGS: 06433ee2'
check clean '[  396.016026] RSP: 0018:ffffc90000c1baa0 EFLAGS: 00010246'
check panic '[    7.91] Kernel panic - not syncing: No working init found.'
check Oops '[    7.91] BUG: unable to handle page fault for address: ffff8880'
check Oops '[    7.91] Oops: 0002 [#1] PREEMPT SMP NOPTI'
check Oops '[    7.91] general protection fault, probably for non-canonical address: 0000 [#1]'
check bug '[   16.60] BUG: sleeping function called from invalid context'
check warning '[   16.60] WARNING: CPU: 0 PID: 1 at mm/memory.c:1 zap_pte_range'
check warning '[   16.60] WARNING: mm/memory.c:1 at zap_pte_range, CPU#1: gntmap-test/88'
check page '[   16.60] BUG: Bad page map in process a  pte:8000 pmd:1'
check page '[   16.60] BUG: Bad rss-counter state mm:0000 type:MM_FILEPAGES val:1'
check stall '[   99.00] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:'
check stall '[   99.00] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [a:1]'
check stall '[  240.00] INFO: task a:1 blocked for more than 120 seconds.'
check 'grant leak' '[  240.00] xen:grant_table: g.e. 0x9 still pending'
check 'grant leak' '[  240.00] gntmap-init: zombie: domain 1 is still there'
check Xen '(XEN) Assertion '"'x'"' failed at common/domain.c:1'
check 'domain crash' '(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.'
check 'domain crash' '(XEN) Domain 1 (vcpu#0) crashed on cpu#1:'
check 'Xen grants' '(XEN) common/grant_table.c:1432:d0v1 Bad handle 0x5'
check 'Xen memory' '(XEN) arch/x86/mm.c:2216:d0v0 Error getting mfn 1f0 (pfn 1) from L1 entry'
check clean '[    2.35] hpet_acpi_add: no address or irqs in _CRS'
check clean '[    0.35] WARNING: workqueue cpumask: online intersect > possible intersect'
check clean '(XEN) d0v0: upcall vector f3'
check clean '[   12.00] a[88]: segfault at 0 ip 0 sp 0 error 4'
check clean '(XEN) HVMOP_pagetable_dying not supported'
export ALLOW='made on purpose'
check clean '[   12.00] WARNING: made on purpose'
echo "1..$nr"
exit $failed
