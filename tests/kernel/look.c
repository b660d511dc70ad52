// SPDX-License-Identifier: GPL-2.0
/*
 * PTEs and the pages that they lead to, without a call.
 *
 * mm's own page table walkers are not exported. This one does as GUP-fast does: with interrupts off
 * no page table that it can see is freed. It reads, and locks nothing: an entry may change as soon
 * as it was seen.
 */
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "probe.h"

/* 0, GUP_PTE_PRESENT for an entry of a page table (*pte), or GUP_PTE_HUGE and its state. */
static u32 walk(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	pgd_t *pgdp = pgd_offset(mm, addr);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;

	if (pgd_none(READ_ONCE(*pgdp)))
		return 0;
	p4dp = p4d_offset(pgdp, addr);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d) || !p4d_present(p4d))
		return 0;
	pudp = pud_offset(&p4d, addr);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud) || !pud_present(pud))
		return 0;
	if (pud_leaf(pud))
		return GUP_PTE_HUGE | GUP_PTE_PRESENT;
	pmdp = pmd_offset(&pud, addr);
	pmd = READ_ONCE(*pmdp);
	if (pmd_none(pmd) || !pmd_present(pmd))
		return 0;
	if (pmd_leaf(pmd))
		return GUP_PTE_HUGE | (pmd_protnone(pmd) ? GUP_PTE_PROTNONE : GUP_PTE_PRESENT);
	*pte = ptep_get(pte_offset_kernel(&pmd, addr));
	return GUP_PTE_PRESENT;
}

static u32 state_of(pte_t pte)
{
	u32 state = 0;

	if (pte_none(pte))
		return 0;
	if (!pte_present(pte))
		return GUP_PTE_OTHER;
	state |= pte_protnone(pte) ? GUP_PTE_PROTNONE : GUP_PTE_PRESENT;
	state |= pte_special(pte) ? GUP_PTE_SPECIAL : 0;
	state |= pte_write(pte) ? GUP_PTE_WRITE : 0;
	state |= pte_dirty(pte) ? GUP_PTE_DIRTY : 0;
	state |= pte_young(pte) ? GUP_PTE_YOUNG : 0;
	return state;
}

/* As vm_normal_page() does, which is not exported. */
static struct page *page_of(struct mm_struct *mm, unsigned long addr, pte_t pte)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	if (pte_special(pte)) {
		vma = find_vma(mm, addr);
		if (!vma || addr < vma->vm_start || !vma->vm_ops ||
		    !vma->vm_ops->GNTMAP_NORMAL_PAGE_OP)
			return NULL;
		return vma->vm_ops->GNTMAP_NORMAL_PAGE_OP(vma, addr);
	}
	return pfn_valid(pte_pfn(pte)) ? pfn_to_page(pte_pfn(pte)) : NULL;
}

void probe_count(struct page *page, struct gup_counts *counts)
{
	struct folio *folio = page_folio(page);
	int refs = folio_ref_count(folio);

	if (folio_test_large(folio)) {
		counts->pins = probe_large_pins(folio);
		counts->refs = refs - counts->pins;
	} else {
		counts->pins = refs / GUP_PIN_COUNTING_BIAS;
		counts->refs = refs % GUP_PIN_COUNTING_BIAS;
	}
}

static u32 look(struct mm_struct *mm, unsigned long addr, struct page **page)
{
	unsigned long flags;
	u32 state;
	pte_t pte;

	*page = NULL;
	local_irq_save(flags);
	state = walk(mm, addr, &pte);
	local_irq_restore(flags);
	if (state != GUP_PTE_PRESENT)
		return state;
	state = state_of(pte);
	if (state & (GUP_PTE_PRESENT | GUP_PTE_PROTNONE))
		*page = page_of(mm, addr, pte);
	return state;
}

void probe_look_at(struct mm_struct *mm, unsigned long addr, unsigned int nr_pages,
		   struct gup_page *infos, bool before)
{
	struct page *page;
	unsigned int i;

	mmap_read_lock(mm);
	for (i = 0; i < nr_pages; i++, addr += PAGE_SIZE) {
		u32 state = look(mm, addr, &page);

		if (!before) {
			infos[i].pte_after = state;
			continue;
		}
		infos[i].pte_before = state;
		infos[i].pfn_before = page ? page_to_pfn(page) : GUP_NO_PFN;
		infos[i].before = (struct gup_counts){ -1, -1 };
		if (page)
			probe_count(page, &infos[i].before);
	}
	mmap_read_unlock(mm);
}

int probe_look(struct gup_look __user *arg)
{
	struct gup_page *infos;
	struct mm_struct *mm;
	struct gup_look look;
	int err = 0;

	if (copy_from_user(&look, arg, sizeof(look)))
		return -EFAULT;
	if (!probe_range_valid(look.addr, look.nr_pages))
		return -EINVAL;
	infos = kvcalloc(look.nr_pages, sizeof(*infos), GFP_KERNEL);
	if (!infos)
		return -ENOMEM;
	mm = probe_mm(look.pid);
	if (mm) {
		probe_look_at(mm, look.addr, look.nr_pages, infos, true);
		mmput(mm);
		if (copy_to_user((void __user *)(unsigned long)look.pages, infos,
				 look.nr_pages * sizeof(*infos)))
			err = -EFAULT;
	} else {
		err = -ESRCH;
	}
	kvfree(infos);
	return err;
}
