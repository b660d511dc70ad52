// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's source makes us expect of each row, and where it says so.
 *
 * The first line that fits decides. Functions are named as in 7.2, with the older name where it differs; where no
 * file is named, the function is the driver's.
 */
#include "compare.h"

#include <fnmatch.h>
#include <string.h>

#include "gup_rows.h"

#define PV 1
#define XLATE 2
#define BOTH (PV | XLATE)
/* added to a mode: if not all pages are ZONE_DEVICE ones */
#define ORDINARY 4
#define ANY NULL
#define PROTECTED "vmio mixedmap policy"

struct expectation {
	const char *row;	/* without suffix; a pattern of fnmatch() */
	const char *strategies; /* NULL: any */
	unsigned int modes;
	unsigned int since;	/* kernel version, 0: any */
	const char *expected;
	const char *decided_by;
};

/* Newer kernels come before older ones. */
static const struct expectation expectations[] = {
	{ "VMA flags", "vmio", PV, 0, "io dc de wf dd",
	  "gntmap_mmap(); backend_pv.c adds VM_DONTCOPY and VM_WIPEONFORK" },
	{ "VMA flags", "mixedmap", PV, 0, "dc de wf dd mm",
	  "gntmap_mmap(); backend_pv.c adds VM_DONTCOPY and VM_WIPEONFORK" },
	{ "VMA flags", ANY, PV, 0, "dc de wf dd",
	  "gntmap_mmap(); backend_pv.c adds VM_DONTCOPY and VM_WIPEONFORK" },
	{ "VMA flags", "vmio", XLATE, 0, "io de dd",
	  "gntmap_insert_pages() clears the VM_MIXEDMAP of vm_insert_pages() (mm/memory.c)" },
	{ "VMA flags", "mixedmap", XLATE, 0, "de dd mm", "gntmap_mmap()" },
	{ "VMA flags", ANY, XLATE, 0, "de dd",
	  "gntmap_insert_pages() clears the VM_MIXEDMAP of vm_insert_pages() (mm/memory.c)" },

	{ "numa_maps policy", "policy", BOTH, 0, "local",
	  "show_numa_map() (fs/proc/task_mmu.c) asks ->get_policy(): MPOL_LOCAL" },
	{ "numa_maps policy", ANY, BOTH, 0, "default",
	  "show_numa_map() (fs/proc/task_mmu.c): no policy of its own, the task's is the default one" },

	{ "scan passes", ANY, BOTH, 0, ">= 3",
	  "premise: reset_ptenuma_scan() (kernel/sched/fair.c) counts them in mm->numa_scan_seq" },
	{ "change_prot_numa() on the control", ANY, BOTH, 0, ">= 3",
	  "premise: private anonymous memory passes every filter of task_numa_work() (kernel/sched/fair.c)" },
	{ "change_prot_numa() on it", "vmio", BOTH, 0, "= 0",
	  "vma_migratable() (mm/mempolicy.c) refuses VM_IO" },
	{ "change_prot_numa() on it", "mixedmap", BOTH, 0, "= 0",
	  "task_numa_work() (kernel/sched/fair.c) skips VM_MIXEDMAP" },
	{ "change_prot_numa() on it", "policy", BOTH, 0, "= 0",
	  "vma_policy_mof() (mm/mempolicy.c): no MPOL_F_MOF; 6.12 and 7.2 would take the task's policy for a NULL, 6.1 not" },
	{ "change_prot_numa() on it", ANY, BOTH, 0, "> 0",
	  "task_numa_work() (kernel/sched/fair.c): nothing keeps it off" },
	{ "skip reason", PROTECTED, BOTH, 0, "unsuitable",
	  "task_numa_work() (kernel/sched/fair.c), NUMAB_SKIP_UNSUITABLE; 6.1 has no such tracepoint" },
	{ "skip reason", ANY, BOTH, 0, "!= unsuitable",
	  "task_numa_work() (kernel/sched/fair.c): passes may be skipped for another reason; 6.1 has no such tracepoint" },
	{ "PTEs made PROT_NONE", PROTECTED, BOTH, 0, "= 0",
	  "change_prot_numa() is not called" },
	{ "PTEs made PROT_NONE", ANY, PV, 0, "= 0",
	  "change_protection() (mm/mprotect.c) notifies before it looks: pv_invalidate() has Xen clear the PTEs" },
	{ "PTEs made PROT_NONE", ANY, XLATE | ORDINARY, 0, "> 0",
	  "change_pte_range() (mm/mprotect.c): ordinary pages that are not dirty; in 6.12 arch_xen_unpopulated_init() (arch/x86/xen/enlighten.c) calls such pages unpopulated, in 6.1 not" },
	{ "PTEs made PROT_NONE", ANY, XLATE, 0, "= 0",
	  "change_pte_range() (mm/mprotect.c; in 7.2 folio_can_map_prot_numa()) skips ZONE_DEVICE pages" },
	{ "faults after the scan", PROTECTED, BOTH, 0, "= 0",
	  "no PTE was touched" },
	{ "faults after the scan", ANY, PV, 0, "> 0",
	  "pv_fault(): the PTEs are gone, VM_FAULT_SIGBUS" },
	{ "faults after the scan", ANY, XLATE | ORDINARY, 0, "> 0",
	  "do_numa_page() (mm/memory.c): hinting faults" },
	{ "faults after the scan", ANY, XLATE, 0, "= 0",
	  "change_pte_range() (mm/mprotect.c) left ZONE_DEVICE pages alone" },
	{ "data after the scans", "none", PV, 0, "SIGBUS",
	  "pv_invalidate() gave the grants back, pv_fault() cannot map them again" },
	{ "data after the scans", ANY, BOTH, 0, "intact",
	  "nothing was unmapped; hinting faults put PTEs back, do_numa_page() (mm/memory.c)" },

	{ "O_DIRECT write from it", "vmio", PV, 0, "EFAULT",
	  "gup_fast_pte_range() (6.1: gup_pte_range()) leaves special PTEs, check_vma_flags() (mm/gup.c) refuses VM_IO" },
	{ "O_DIRECT write from it", "vmio", XLATE, VERSION(6, 10), "EFAULT",
	  "gup_fast_folio_allowed() (mm/gup.c, since 6.10) refuses pages without ->mapping (CONFIG_SECRETMEM), check_vma_flags() VM_IO" },
	{ "O_DIRECT write from it", "vmio", XLATE, 0, "ok",
	  "gup_pte_range() (mm/gup.c, before 6.10) takes ordinary PTEs without a look at the VMA: VM_IO is not noticed" },
	{ "O_DIRECT write from it", ANY, PV, 0, "ok",
	  "follow_page_pte() (mm/gup.c): vm_normal_page() asks ->find_normal_page() (->find_special_page())" },
	{ "O_DIRECT write from it", ANY, XLATE, 0, "ok",
	  "follow_page_pte() (mm/gup.c): ordinary PTEs, vm_normal_page()" },

	{ "process_vm_readv()", "vmio", BOTH, 0, "EFAULT",
	  "process_vm_rw_single_vec() (mm/process_vm_access.c) pins remotely, never fast: check_vma_flags() (mm/gup.c)" },
	{ "process_vm_readv()", ANY, BOTH, 0, "ok",
	  "pin_user_pages_remote() (mm/gup.c): check_vma_flags() has nothing against it" },
	{ "/proc/PID/mem read", "vmio", BOTH, 0, "EIO",
	  "__access_remote_vm() (mm/memory.c): check_vma_flags() refuses, there is no vm_ops->access; mem_rw() (fs/proc/base.c)" },
	{ "/proc/PID/mem read", ANY, BOTH, 0, "ok",
	  "__access_remote_vm() (mm/memory.c): check_vma_flags() has nothing against it" },

	{ "io_uring registered buffer", "vmio", PV, 0, "EFAULT",
	  "io_pin_pages() (io_uring/memmap.c; 6.1: rsrc.c): check_vma_flags() (mm/gup.c) refuses VM_IO" },
	{ "io_uring registered buffer", "vmio", XLATE, 0, "EFAULT",
	  "io_pin_pages(): 6.1 pins slowly; later gup_fast_folio_allowed() (mm/gup.c) refuses pages without ->mapping; check_vma_flags() VM_IO" },
	{ "io_uring registered buffer", ANY, BOTH, VERSION(6, 5), "ok",
	  "io_pin_pages() leaves it to writable_file_mapping_allowed() (mm/gup.c, since 6.5): devtmpfs needs no dirty tracking" },
	{ "io_uring registered buffer", ANY, BOTH, 0, "EOPNOTSUPP",
	  "io_pin_pages() (io_uring/rsrc.c, before 6.5) takes no file mapping but shmem and hugetlbfs" },

	{ "ptrace(PTRACE_PEEKDATA)", "vmio", BOTH, 0, "EIO",
	  "__access_remote_vm() (mm/memory.c): check_vma_flags() refuses VM_IO, with FOLL_FORCE too; there is no vm_ops->access" },
	{ "ptrace(PTRACE_PEEKDATA)", ANY, BOTH, 0, "ok",
	  "__access_remote_vm() (mm/memory.c): check_vma_flags() has nothing against it" },
	{ "futex, shared", ANY, BOTH, 0, "EFAULT",
	  "get_futex_key() (kernel/futex/core.c): the page has no ->mapping, even where get_user_pages_fast() gets it" },
	{ "futex, private", ANY, BOTH, 0, "ok",
	  "get_futex_key() (kernel/futex/core.c): an address, no page" },
	{ "madvise(MADV_POPULATE_WRITE)", "vmio", BOTH, 0, "EINVAL",
	  "faultin_page_range() (mm/gup.c; 6.1: faultin_vma_page_range()): check_vma_flags() refuses VM_IO" },
	{ "madvise(MADV_POPULATE_WRITE)", ANY, BOTH, 0, "ok",
	  "faultin_page_range() (mm/gup.c; 6.1: faultin_vma_page_range())" },
	{ "madvise(MADV_DOFORK)", ANY, BOTH, VERSION(7, 2), "EINVAL",
	  "madvise_vma_behavior() (mm/madvise.c), by 7.2: not for VM_SPECIAL, to which VM_DONTEXPAND belongs" },
	{ "madvise(MADV_DOFORK)", "vmio", BOTH, 0, "EINVAL",
	  "madvise_vma_behavior() (mm/madvise.c): not for VM_IO" },
	{ "madvise(MADV_DOFORK)", ANY, BOTH, 0, "ok",
	  "madvise_vma_behavior() (mm/madvise.c) looks for VM_IO only; in PV backend_pv.c has VM_WIPEONFORK set for that" },
	{ "policy after mbind(MPOL_BIND)", "policy", BOTH, 0, "local",
	  "do_get_mempolicy() (mm/mempolicy.c): ->get_policy() is asked before the VMA's own policy" },
	{ "policy after mbind(MPOL_BIND)", ANY, BOTH, 0, "bind",
	  "vma_replace_policy() (mm/mempolicy.c): without ->set_policy() the VMA takes it" },
	{ "userfaultfd registration", ANY, BOTH, 0, "EINVAL",
	  "vma_can_userfault() (mm/userfaultfd.c; before: linux/userfaultfd_k.h): anonymous memory, shmem, hugetlbfs" },
	{ "read after clearing soft-dirty bits", ANY, PV, 0, "SIGBUS",
	  "clear_refs_write() (fs/proc/task_mmu.c) notifies before it looks: pv_invalidate() has Xen clear the PTEs" },
	{ "read after clearing soft-dirty bits", ANY, XLATE, 0, "ok",
	  "clear_soft_dirty() (fs/proc/task_mmu.c): the PTEs are Linux's own" },

	{ "mlock()", ANY, BOTH, 0, "ok, nothing is locked",
	  "mlock_fixup() (mm/mlock.c): not for VM_SPECIAL, to which VM_DONTEXPAND belongs, and nobody is told" },
	{ "madvise() refuses", ANY, BOTH, 0, "DODUMP, FREE, WIPEONFORK, REMOVE, COLLAPSE, GUARD_INSTALL",
	  "madvise_vma_behavior() (mm/madvise.c): VM_SPECIAL, no anonymous memory, no regular file" },
	{ "mremap(), growing", ANY, BOTH, 0, "EFAULT",
	  "vma_to_resize() (mm/mremap.c; 7.2: check_prep_vma()): VM_DONTEXPAND" },
	{ "mremap(), moving", ANY, PV, 0, "EINVAL",
	  "->get_unmapped_area() of the driver, the last that is asked before page tables are moved" },
	{ "mremap(), moving", ANY, XLATE, 0, "ok",
	  "move_page_tables() (mm/mremap.c): the PTEs are Linux's own" },
	{ "move_pages(), asking", ANY, BOTH, 0, "!= EFAULT",
	  "do_pages_stat_array() (mm/migrate.c): VM_IO or not; ENOENT for ZONE_DEVICE pages" },
	{ "move_pages(), moving", "vmio", BOTH, 0, "EFAULT",
	  "vma_migratable() (include/linux/mempolicy.h; 7.2: mm/mempolicy.c) refuses VM_IO" },
	{ "move_pages(), moving", ANY, BOTH, 0, "!= EFAULT",
	  "add_page_for_migration() (mm/migrate.c): ENOENT for ZONE_DEVICE pages, else the node where it is, on no LRU list" },
	{ "migrate_pages()", ANY, BOTH, 0, "ok",
	  "queue_folios_pte_range() (mm/mempolicy.c): pages on no LRU list stay" },
	{ "/proc/PID/mem read after mprotect(PROT_NONE)", "vmio", BOTH, 0, "EIO",
	  "check_vma_flags() (mm/gup.c) refuses VM_IO, forced or not" },
	{ "/proc/PID/mem read after mprotect(PROT_NONE)", ANY, BOTH, VERSION(7, 2), "EIO",
	  "proc_mem_foll_force() (fs/proc/base.c): Debian's 7.2 is configured to force for a tracer only" },
	{ "/proc/PID/mem read after mprotect(PROT_NONE)", ANY, BOTH, 0, "ok",
	  "mem_rw() (fs/proc/base.c): FOLL_FORCE; check_vma_flags() (mm/gup.c): VM_MAYREAD" },

	{ "*, a page *", "vmio", PV, 0, "EFAULT",
	  "gup_fast_pte_range() (6.1: gup_pte_range()) leaves special PTEs, check_vma_flags() (mm/gup.c) refuses VM_IO" },
	{ "*, a page *", "vmio", XLATE, VERSION(6, 10), "EFAULT",
	  "gup_fast_folio_allowed() (mm/gup.c, since 6.10) refuses pages without ->mapping (CONFIG_SECRETMEM), check_vma_flags() VM_IO" },
	{ "rmmod, a page *", ANY, BOTH, 0, "1 of 8 held, then 0",
	  "gntmap_range: what waits for a pin keeps the core module, the strategy's module may go" },
	{ "*, a page *", ANY, BOTH, 0, "1 of 8 held, then 0",
	  "range.c: the user's handles go at once, only a page that is held keeps its kernel handle" },

	{ "fork: child reads it", ANY, PV, 0, "SIGSEGV",
	  "dup_mmap() (kernel/fork.c; 7.2: mm/mmap.c) leaves out VM_DONTCOPY" },
	{ "fork: child reads it", "mixedmap", XLATE, 0, "ok, PTEs copied",
	  "vma_needs_copy() (mm/memory.c): VM_MIXEDMAP" },
	{ "fork: child reads it", ANY, XLATE, 0, "ok, faulted in",
	  "vma_needs_copy() (mm/memory.c): no; xlate_fault()" },
	{ "fork: parent reads it", ANY, PV, 0, "ok",
	  "dup_mmap() does not come by: VM_DONTCOPY" },
	{ "fork: parent reads it", ANY, XLATE, 0, "ok",
	  "copy_page_range() (mm/memory.c) write-protects only private mappings" },
	{ "mprotect(PROT_READ) and back", ANY, PV, 0, "EINVAL",
	  "gntmap_vma_mprotect(): Xen wrote the PTEs" },
	{ "mprotect(PROT_READ) and back", ANY, XLATE, 0, "ok",
	  "gntmap_vma_mprotect(): the PTEs are Linux's own" },
	{ "in a core dump", ANY, BOTH, 0, "no",
	  "vma_dump_size() (fs/coredump.c): VM_DONTDUMP" },
	{ "in a core dump after MADV_DODUMP", ANY, BOTH, 0, "EINVAL",
	  "madvise_vma_behavior() (mm/madvise.c): not for VM_SPECIAL, to which VM_DONTEXPAND belongs" },

	{ "its domain, destroyed while it is mapped", ANY, BOTH, 0, "gone once unmapped",
	  "Xen's domain_destroy() (common/domain.c) waits for the last reference to a page; gntmap_range_put()" },
	{ "references still busy", ANY, BOTH, 0, "= 0",
	  "gntmap_range_put_vma(): the last VMA gives back the grants" },
};

/* Rows that what is said of another one holds for. */
static const char *const twins[][2] = {
	{ "O_DIRECT read into it", "O_DIRECT write from it" },
	{ "vmsplice() from it", "O_DIRECT write from it" },
	{ "libaio: O_DIRECT read into it", "O_DIRECT write from it" },
	{ "io_uring: O_DIRECT read into it", "O_DIRECT write from it" },
	{ "get_mempolicy(MPOL_F_NODE)", "O_DIRECT write from it" },
	{ "vmsplice(SPLICE_F_GIFT), then splice() to a block device", "O_DIRECT write from it" },
	{ "ptrace(PTRACE_POKEDATA)", "ptrace(PTRACE_PEEKDATA)" },
	{ "process_vm_writev()", "process_vm_readv()" },
	{ "/proc/PID/mem write", "/proc/PID/mem read" },
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += len) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

static const struct expectation *find(const char *row, const char *strategy,
				      bool ordinary_pages)
{
	for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
		if (!strcmp(row, twins[i][0]))
			row = twins[i][1];
	}
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		const struct expectation *e = &expectations[i];

		if (!fnmatch(e->row, row, 0) &&
		    (!e->strategies || has_word(e->strategies, strategy)) &&
		    (e->modes & (machine.xlate ? XLATE : PV)) && (!(e->modes & ORDINARY) || ordinary_pages) &&
		    machine.version >= e->since)
			return e;
	}
	return NULL;
}

static bool holds(const char *expected, const struct cell *cell)
{
	char word[sizeof(cell->observed)];
	long number;

	if (sscanf(expected, "!= %95s", word) == 1)
		return strcmp(cell->observed, word) != 0;
	if (sscanf(expected, "= %ld", &number) == 1)
		return cell->has_value && cell->value == number;
	if (sscanf(expected, "> %ld", &number) == 1)
		return cell->has_value && cell->value > number;
	if (sscanf(expected, ">= %ld", &number) == 1)
		return cell->has_value && cell->value >= number;
	return !strcmp(cell->observed, expected);
}

/* The rows of gup_rows.h have their own list. */
static bool expect_gup(struct cell *cell, const char *row, const char *strategy)
{
	const char *decided_by, *expected = gup_expect(row, strategy, machine.version, machine.xlate, &decided_by);

	if (!expected)
		return false;
	snprintf(cell->expected, sizeof(cell->expected), "%s", expected);
	snprintf(cell->decided_by, sizeof(cell->decided_by), "%s", decided_by);
	cell->verdict = strcmp(cell->observed, expected) ? VERDICT_FAIL : VERDICT_PASS;
	return true;
}

void expect(struct cell *cell, const char *row, const char *strategy)
{
	const struct expectation *e = find(row, strategy, cell->ordinary_pages);

	if (!e && expect_gup(cell, row, strategy))
		return;
	/* A row without an expectation is a figure. */
	if (!e) {
		cell->verdict = VERDICT_INFO;
		return;
	}
	snprintf(cell->expected, sizeof(cell->expected), "%s", e->expected);
	snprintf(cell->decided_by, sizeof(cell->decided_by), "%s", e->decided_by);
	cell->verdict = holds(e->expected, cell) ? VERDICT_PASS : VERDICT_FAIL;
}
