// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's source makes us expect of each row of gup_rows.c, and where it says so.
 *
 * The first line that fits decides; rows are patterns of fnmatch(). Functions are named as in 7.2, in mm/gup.c where no file
 * is named.
 */
#include "gup_rows.h"

#include <fnmatch.h>
#include <string.h>

#define PV 1
#define XLATE 2
#define BOTH (PV | XLATE)
#define V(major, minor) ((major) * 1000 + (minor))
#define ANY 0

/* Kinds of memory, separated by spaces. */
#define GRANTS "vmio mixedmap policy none"
#define USABLE "mixedmap policy none"
#define ANON GUP_ANONYMOUS
#define ALLOC GUP_GNTALLOC
#define ALL GRANTS " " ANON " " ALLOC

/* What decides more than one row */
#define BY_VMIO "check_vma_flags(): VM_IO"
#define BY_SPECIAL "gup_fast_pte_range() (6.1: gup_pte_range()) leaves special PTEs alone"
#define BY_MAPPING "gup_fast_folio_allowed() (since 6.10) refuses pages without ->mapping, for they might be secretmem"
#define BY_NO_VMA "gup_pte_range() (before 6.10) takes ordinary PTEs without a look at the VMA: VM_IO is not noticed"
#define BY_HINT_61 "gup_can_follow_protnone() (include/linux/mm.h, before 6.6): whoever does not force honours the hint"
#define BY_HONOR "gup_can_follow_protnone() (include/linux/mm.h, since 6.6): FOLL_HONOR_NUMA_FAULT"
#define BY_NO_HONOR "gup_can_follow_protnone() (include/linux/mm.h, since 6.6): nobody asked to honour the hint"
#define BY_NOT_WRITABLE "can_follow_write_pte(): a PROT_NONE PTE is not writable, so writing honours the hint"
#define BY_SAVED_WRITE \
	"change_pte_range() (mm/mprotect.c, before 6.2): pte_mk_savedwrite() leaves the PTE writable on x86"
#define BY_FAST_NONE "gup_fast_pte_range() (6.1: gup_pte_range()) leaves PROT_NONE PTEs alone"

#define BY_UNCONDITIONAL \
	"change_protection() (mm/mprotect.c; change_pmd_range(), 7.2: change_pud_range()) tells before it looks at PTEs"

struct expectation {
	const char *row;
	const char *kinds;
	unsigned int modes;
	unsigned int since;	/* kernel version, ANY: any */
	const char *expected;
	const char *decided_by;
};

/* Newer kernels come before older ones. */
static const struct expectation expectations[] = {
	/* what cannot be called */
	{ "pin_user_pages_unlocked(*LONGTERM*)*", "vmio", BOTH, V(6, 2), "EFAULT", BY_VMIO },
	{ "pin_user_pages_unlocked(*LONGTERM*)*", ALL, BOTH, V(6, 2), "ok",
	  "pin_user_pages_unlocked() (since 6.2): __gup_longterm_locked()" },
	{ "pin_user_pages_unlocked(*LONGTERM*)*", ALL, BOTH, ANY, "not called: it would warn",
	  "get_user_pages_unlocked() (before 6.2): WARN_ON_ONCE(FOLL_LONGTERM)" },

	/* ordinary mappings, one page or many */
	{ "*fast_only(*), present", GRANTS, PV, ANY, "no page", BY_SPECIAL ", and there is no slow path" },
	{ "*fast_only(*), present", GRANTS " " ALLOC, BOTH, V(6, 10), "no page", BY_MAPPING "; there is no slow path" },
	{ "*_fast*(*), present", "vmio", PV, ANY, "EFAULT", BY_SPECIAL "; then " BY_VMIO },
	{ "*_fast*(*), present", "vmio", XLATE, V(6, 10), "EFAULT", BY_MAPPING "; then " BY_VMIO },
	{ "*_fast*(*), present", "vmio", XLATE, ANY, "ok", BY_NO_VMA },
	{ "*, present", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*LONGTERM*, present", USABLE " " ALLOC, BOTH, V(6, 5), "ok",
	  "writable_file_mapping_allowed() (since 6.5): devtmpfs needs no dirty tracking; folio_is_longterm_pinnable()" },
	{ "*LONGTERM*, present", USABLE " " ALLOC, BOTH, ANY, "ok",
	  "check_and_migrate_movable_pages(): they are neither movable nor in CMA, and stay" },
	{ "*, present", USABLE, PV, ANY, "ok", "follow_page_pte(): vm_normal_page() asks ->find_normal_page() (->find_special_page())" },
	{ "*, present", ALL, BOTH, ANY, "ok", "follow_page_pte(), gup_fast_pte_range(): ordinary PTEs" },

	{ "*_fast(WRITE*), 16 pages", "vmio", XLATE, V(6, 10), "EFAULT", BY_MAPPING "; then " BY_VMIO },
	{ "*_fast(WRITE*), 16 pages", "vmio", XLATE, ANY, "ok", BY_NO_VMA },
	{ "*, 16 pages", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*, 16 pages", ALL, BOTH, ANY, "ok", "__get_user_pages() takes page after page" },

	{ "*_fast(*), 8 pages, ending in another VMA", "vmio", XLATE, V(6, 10), "EFAULT", BY_MAPPING "; then " BY_VMIO },
	{ "*_fast(*), 8 pages, ending in another VMA", "vmio", XLATE, ANY, "ok", BY_NO_VMA },
	{ "*, 8 pages, ending in another VMA", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*_fast(*), 8 pages, starting in another VMA", "vmio", XLATE, V(6, 10), "4 of 8",
	  BY_MAPPING "; then " BY_VMIO ", which what was got before hides" },
	{ "*_fast(*), 8 pages, starting in another VMA", "vmio", XLATE, ANY, "ok", BY_NO_VMA },
	{ "*, 8 pages, starting in another VMA", "vmio", BOTH, ANY, "4 of 8", BY_VMIO ", which what was got before hides" },
	{ "*_fast(*), 8 pages, ending in no VMA", "vmio", XLATE, V(6, 10), "EFAULT", BY_MAPPING "; then " BY_VMIO },
	{ "*_fast(*), 8 pages, ending in no VMA", "vmio", XLATE, ANY, "4 of 8", BY_NO_VMA },
	{ "*, 8 pages, ending in no VMA", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*, 8 pages, ending in no VMA", ALL, BOTH, ANY, "4 of 8", "__get_user_pages(): no VMA, and what was got before counts" },
	{ "*, 8 pages, *", ALL, BOTH, ANY, "ok", "__get_user_pages() looks at each VMA" },

	{ "*, another process's", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*, another process's", ALL, BOTH, ANY, "ok", "check_vma_flags() has nothing against FOLL_REMOTE" },

	/* read-only */
	{ "*fast_only(*WRITE*), read-only", ALL, BOTH, ANY, "no page", "pte_access_permitted() (arch/x86/include/asm/pgtable.h)" },
	{ "*_fast(*WRITE*), read-only", ALL, BOTH, ANY, "EFAULT", "pte_access_permitted(); check_vma_flags(): no VM_WRITE" },
	{ "*_fast(0), read-only", "vmio", PV, ANY, "EFAULT", BY_SPECIAL "; then " BY_VMIO },
	{ "*_fast(0), read-only", "vmio", XLATE, V(6, 10), "EFAULT", BY_MAPPING "; then " BY_VMIO },
	{ "*_fast(0), read-only", "vmio", XLATE, ANY, "ok", BY_NO_VMA },
	{ "*, read-only", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*(WRITE|FORCE), read-only", ANON, BOTH, ANY, "ok",
	  "can_follow_write_pte(): forced, a private mapping's own page needs no fault to break COW" },
	{ "*(WRITE|FORCE), read-only", ALL, BOTH, ANY, "EFAULT", "check_vma_flags(): a shared mapping cannot be forced" },
	{ "*(WRITE), read-only", ALL, BOTH, ANY, "EFAULT", "check_vma_flags(): no VM_WRITE" },
	{ "*, read-only", ALL, BOTH, ANY, "ok", "check_vma_flags(): VM_READ" },

	/* nothing there */
	{ "*fast_only(*), not faulted", ALL, BOTH, ANY, "no page", "gup_fast_pte_range() (6.1: gup_pte_range()): nothing is present" },
	{ "*NOFAULT), not faulted", ALL, BOTH, ANY, "EFAULT", "faultin_page(): FOLL_NOFAULT" },
	{ "*, not faulted", "vmio", BOTH, ANY, "EFAULT", BY_VMIO },
	{ "*, not faulted", USABLE, PV, ANY, "EFAULT", "pv_fault(): VM_FAULT_SIGBUS, MADV_DONTNEED has given the grants back" },
	{ "*, not faulted", ALLOC, BOTH, ANY, "EFAULT", "do_fault() (mm/memory.c): gntalloc has no ->fault(), VM_FAULT_SIGBUS" },
	{ "*, not faulted", USABLE, XLATE, ANY, "ok, faulted", "faultin_page(): xlate_fault() of the driver" },
	{ "*, not faulted", ANON, BOTH, ANY, "ok, faulted", "faultin_page(): do_anonymous_page() (mm/memory.c)" },

	{ "*fast_only(*), after munmap", ALL, BOTH, ANY, "no page", "gup_fast(): no page table, or nothing in it" },
	{ "*, after munmap", ALL, BOTH, ANY, "EFAULT", "__get_user_pages(): no VMA" },

	/* PROT_NONE by the user */
	{ "*fast_only(*), mprotect(PROT_NONE)", ALL, BOTH, ANY, "no page", BY_FAST_NONE },
	{ "*, mprotect(PROT_NONE)", "vmio", XLATE, ANY, "EFAULT", BY_VMIO },
	{ "*(FORCE|HONOR*), mprotect(PROT_NONE)", ALL, BOTH, V(6, 6), "ok",
	  "gup_can_follow_protnone() (include/linux/mm.h): hints have no meaning in an inaccessible VMA" },
	{ "*(FORCE), mprotect(PROT_NONE)", ALL, BOTH, ANY, "ok",
	  "check_vma_flags(): VM_MAYREAD; gup_can_follow_protnone() (include/linux/mm.h)" },
	{ "*(WRITE|FORCE), mprotect(PROT_NONE)", ANON, BOTH, ANY, "ok",
	  "can_follow_write_pte(): forced, a private mapping's own page needs no fault to break COW" },
	{ "*(WRITE|FORCE), mprotect(PROT_NONE)", ALL, BOTH, ANY, "EFAULT", "check_vma_flags(): a shared mapping cannot be forced" },
	{ "*, mprotect(PROT_NONE)", ALL, BOTH, ANY, "EFAULT", "check_vma_flags(): neither VM_READ nor VM_WRITE" },

	/* PROT_NONE by a scan */
	{ "KVM's write fault: *", ALL, BOTH, V(6, 6), "no page; ok, faulted", BY_FAST_NONE "; " BY_HONOR },
	{ "KVM's write fault without HONOR: *", ALL, BOTH, V(6, 6), "no page; ok, faulted", BY_FAST_NONE "; " BY_NOT_WRITABLE },
	{ "KVM's write fault*", ALL, BOTH, ANY, "no page; ok, faulted", BY_FAST_NONE "; " BY_HINT_61 },
	{ "KVM's read fault: *", ANON, BOTH, V(6, 6), "no page; ok, faulted; ok",
	  BY_FAST_NONE "; " BY_HONOR "; do_numa_page() (mm/memory.c) made the PTE writable again" },
	{ "KVM's read fault: *", ALL, BOTH, V(6, 6), "no page; ok, faulted; no page", BY_FAST_NONE "; " BY_HONOR "; " BY_MAPPING },
	{ "KVM's read fault without HONOR: *", ALL, BOTH, V(6, 6), "no page; ok; no page", BY_FAST_NONE "; " BY_NO_HONOR },
	{ "KVM's read fault*", ALL, BOTH, ANY, "no page; ok, faulted; ok",
	  BY_FAST_NONE "; " BY_HINT_61 "; do_numa_page() (mm/memory.c) made the PTE writable again" },

	{ "get_user_pages_fast_only(*), hinting PTE", ALL, BOTH, ANY, "no page", BY_FAST_NONE ", whatever the flags" },
	{ "*(*NOFAULT|HONOR*), hinting PTE", ALL, BOTH, ANY, "EFAULT", BY_HONOR "; faultin_page(): FOLL_NOFAULT" },
	{ "*(FORCE|HONOR*), hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted", BY_HONOR ", even where access is forced" },
	{ "*(FORCE), hinting PTE", ALL, BOTH, V(6, 6), "ok", BY_NO_HONOR },
	{ "*(FORCE), hinting PTE", ALL, BOTH, ANY, "ok", "gup_can_follow_protnone() (include/linux/mm.h, before 6.6): FOLL_FORCE" },
	{ "*(WRITE|FORCE), hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted",
	  BY_NOT_WRITABLE ", and in a writable VMA forcing does not make up for it" },
	{ "*(WRITE|FORCE), hinting PTE", ALL, BOTH, ANY, "ok", BY_SAVED_WRITE "; FOLL_FORCE follows it" },
	{ "*HONOR*, hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted", BY_HONOR },
	{ "*(*NOFAULT), hinting PTE", ALL, BOTH, V(6, 6), "ok", BY_NO_HONOR },
	{ "*(*NOFAULT), hinting PTE", ALL, BOTH, ANY, "EFAULT", BY_HINT_61 "; faultin_page(): FOLL_NOFAULT" },
	{ "*(*WRITE*), hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted", BY_NOT_WRITABLE },
	{ "*user_pages_fast(*), hinting PTE", ALL, BOTH, V(6, 6), "ok", BY_FAST_NONE "; " BY_NO_HONOR },
	{ "*user_pages*(*), hinting PTE", ALL, BOTH, V(6, 6), "ok", BY_NO_HONOR },
	{ "*user_pages*(*), hinting PTE", ALL, BOTH, ANY, "ok, faulted", BY_HINT_61 },

	{ "O_DIRECT write from it, hinting PTE", ALL, BOTH, V(6, 6), "ok",
	  "iov_iter_extract_pages() (lib/iov_iter.c), pin_user_pages_fast(0): " BY_NO_HONOR },
	{ "O_DIRECT read into it, hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted",
	  "iov_iter_extract_pages() (lib/iov_iter.c), pin_user_pages_fast(WRITE): " BY_NOT_WRITABLE },
	{ "O_DIRECT *, hinting PTE", ALL, BOTH, ANY, "ok, faulted", "iov_iter_get_pages() (lib/iov_iter.c): " BY_HINT_61 },
	{ "process_vm_readv(), hinting PTE", ALL, BOTH, V(6, 6), "ok", "pin_user_pages_remote(0): " BY_NO_HONOR },
	{ "process_vm_writev(), hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted", "pin_user_pages_remote(WRITE): " BY_NOT_WRITABLE },
	{ "process_vm_*, hinting PTE", ALL, BOTH, ANY, "ok, faulted", "pin_user_pages_remote(): " BY_HINT_61 },
	{ "/proc/PID/mem read, hinting PTE", ALL, BOTH, V(6, 6), "ok", "__access_remote_vm() (mm/memory.c): " BY_NO_HONOR },
	{ "/proc/PID/mem read, hinting PTE", ALL, BOTH, ANY, "ok", "__access_remote_vm() (mm/memory.c) forces" },
	{ "/proc/PID/mem write, hinting PTE", ALL, BOTH, V(6, 6), "ok, faulted",
	  "__access_remote_vm() (mm/memory.c) forces: " BY_NOT_WRITABLE ", and in a writable VMA nothing makes up for it" },
	{ "/proc/PID/mem write, hinting PTE", ALL, BOTH, ANY, "ok", "__access_remote_vm() (mm/memory.c) forces: " BY_SAVED_WRITE },
	{ "smaps and pagemap, hinting PTE", ALL, BOTH, ANY, "ok",
	  "smaps_pte_entry() (fs/proc/task_mmu.c): pte_present() is true of PROT_NONE, vm_normal_page()" },
	{ "mprotect(PROT_NONE), hinting PTE", ALL, BOTH, ANY, "told: PROTECTION_VMA", BY_UNCONDITIONAL ", so for a PTE that stays as it is" },
	{ "DAMON, *, hinting PTE", ANON, BOTH, ANY, "asked, answers young",
	  "damon_young_pmd_entry() (mm/damon/vaddr.c): pte_present() is true of PROT_NONE" },

	/* what a secondary MMU is told */
	{ "munmap(), told *", ALL, BOTH, ANY, "told: UNMAP", "unmap_vmas() (mm/memory.c)" },
	{ "madvise(MADV_DONTNEED), told *", ALL, BOTH, ANY, "told: CLEAR", "zap_page_range_single() (mm/memory.c; 7.2: zap_vma_range_batched())" },
	{ "mprotect(PROT_NONE), told *", GRANTS, PV, ANY, "EINVAL, not told",
	  "mprotect_fixup() (mm/mprotect.c) asks vm_ops->mprotect first: gntmap_vma_mprotect()" },
	{ "mprotect(PROT_NONE), told *", ALL, BOTH, ANY, "told: PROTECTION_VMA", BY_UNCONDITIONAL },
	{ "mremap(), moving, told *", GRANTS, PV, ANY, "EINVAL, not told",
	  "->get_unmapped_area() of the driver: the last that is asked before move_page_tables() (mm/mremap.c)" },
	{ "mremap(), moving, told *", ALL, BOTH, ANY, "told: UNMAP", "move_page_tables() (mm/mremap.c)" },
	{ "/proc/PID/clear_refs 4, told *", ALL, BOTH, ANY, "told: SOFT_DIRTY",
	  "clear_refs_write() (fs/proc/task_mmu.c): once for the whole address space" },
	{ "exit, told *", ALL, BOTH, ANY, "told: release", "exit_mmap() (mm/mmap.c): mmu_notifier_release(), and nothing afterwards" },
	{ "DAMON, *, told *", ANON, BOTH, ANY, "asked, answers young", "damon_young_pmd_entry() (mm/damon/vaddr.c)" },
	{ "DAMON, *", ALL, BOTH, ANY, "not asked", "damon_get_folio() (mm/damon/ops-common.c): on no LRU list" },
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

const char *gup_expect(const char *row, const char *kind, unsigned int version, bool xlate, const char **decided_by)
{
	/* To mm they are the same. */
	if (!strcmp(kind, GUP_FOREIGN))
		kind = "mixedmap";
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		const struct expectation *e = &expectations[i];

		if (version < e->since || !(e->modes & (xlate ? XLATE : PV)) || !has_word(e->kinds, kind) ||
		    fnmatch(e->row, row, 0))
			continue;
		*decided_by = e->decided_by;
		return e->expected;
	}
	*decided_by = "";
	return NULL;
}
