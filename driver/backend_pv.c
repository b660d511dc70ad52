// SPDX-License-Identifier: GPL-2.0
/*
 * PV domains: Xen writes the user's PTEs.
 *
 * It is told their machine addresses when the frames are mapped, and the same
 * addresses when they are unmapped; in between Linux must not touch them. So
 * the VMA is fixed (mmap.c), and an MMU notifier takes the frames out of the
 * page tables before Linux changes something there: at munmap, at exit, and
 * also at a NUMA scan, which is how an unprotected VMA loses its content.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/xen/page.h>
#include <xen/xen.h>

#include "gntmap.h"

/* Page tables that a VMA of @nr pages at @start touches, and the one that page @i of it is in. */
static unsigned int table_of(unsigned long start, unsigned long i)
{
	return ((start >> PAGE_SHIFT) % PTRS_PER_PTE + i) / PTRS_PER_PTE;
}

/**
 * gntmap_user_pte - where the user's PTE of a page is
 * @range: that has range->user
 * @i: page
 *
 * Page tables do not move and are not freed while one of their PTEs maps
 * something, so what was true when the frames were mapped is so until the last
 * one is unmapped.
 *
 * Return: machine address.
 */
u64 gntmap_user_pte(const struct gntmap_range *range, unsigned int i)
{
	unsigned long start = range->user->vm_start;
	unsigned int table = table_of(start, i);
	unsigned long first = 0;	/* page whose PTE is the first one we use in that table */

	if (table)
		first = table * PTRS_PER_PTE - (start >> PAGE_SHIFT) % PTRS_PER_PTE;

	return range->user->tables[table] + (i - first) * sizeof(pte_t);
}

static int note_table(pte_t *pte, unsigned long addr, void *data)
{
	struct gntmap_user_ptes *user = data;
	unsigned int table = table_of(user->vm_start, (addr - user->vm_start) >> PAGE_SHIFT);

	user->tables[table] = arbitrary_virt_to_machine(pte).maddr;
	return 0;
}

/* Makes the page tables that are not there yet: it is enough to ask for the first PTE of each. */
static int note_tables(struct gntmap_user_ptes *user, struct vm_area_struct *vma)
{
	unsigned long addr;
	int err = 0;

	for (addr = vma->vm_start; addr < vma->vm_end && !err;
	     addr = ALIGN_DOWN(addr, PMD_SIZE) + PMD_SIZE)
		err = apply_to_page_range(vma->vm_mm, addr, PAGE_SIZE, note_table, user);
	return err;
}

/* Nobody can find the VMA any more. Otherwise get_user_pages() may be at its PTEs. */
static bool vma_goes(const struct mmu_notifier_range *what)
{
	return what->event == MMU_NOTIFY_UNMAP || what->event == MMU_NOTIFY_RELEASE;
}

static bool pv_invalidate(struct mmu_interval_notifier *notifier,
			  const struct mmu_notifier_range *what, unsigned long cur_seq)
{
	struct gntmap_user_ptes *user = container_of(notifier, struct gntmap_user_ptes, notifier);
	struct gntmap_range *range = user->range;
	unsigned long start = user->vm_start;
	unsigned long end = start + ((unsigned long)range->nr_pages << PAGE_SHIFT);
	unsigned int first_page = (max(what->start, start) - start) >> PAGE_SHIFT;
	unsigned int end_page = (min(what->end, end) - start + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (!mmu_notifier_range_blockable(what))
		return false;

	mutex_lock(&user->lock);
	mmu_interval_set_seq(notifier, cur_seq);
	if (range->source->zap_user && !vma_goes(what))
		range->source->zap_user(range, first_page, end_page);
	else
		range->source->unmap_user(range, first_page, end_page);
	mutex_unlock(&user->lock);
	return true;
}

static const struct mmu_interval_notifier_ops pv_notifier_ops = {
	.invalidate = pv_invalidate,
};

static struct gntmap_user_ptes *user_ptes_alloc(struct gntmap_range *range,
						struct vm_area_struct *vma)
{
	unsigned int nr_tables = table_of(vma->vm_start, range->nr_pages - 1) + 1;
	struct gntmap_user_ptes *user = gntmap_range_room(range);

	if (!user)
		user = kmalloc(struct_size(user, tables, nr_tables), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	mutex_init(&user->lock);
	user->range = range;
	user->vm_start = vma->vm_start;
	return user;
}

static void user_ptes_free(struct gntmap_user_ptes *user)
{
	if (user != gntmap_range_room(user->range))
		kfree(user);
}

static int pv_mmap(struct gntmap_range *range, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;
	struct gntmap_user_ptes *user;
	int err;

	user = user_ptes_alloc(range, vma);
	if (!user)
		return -ENOMEM;

	err = mmu_interval_notifier_insert_locked(&user->notifier, vma->vm_mm, vma->vm_start,
						  size, &pv_notifier_ops);
	if (err)
		goto err_free_user;
	/*
	 * While something else of this address space is being invalidated, which
	 * takes no mmap_lock (a file is truncated, a page is reclaimed), a notifier
	 * is only put on a list: nobody would tell it of a munmap() that comes first
	 * (__mmu_interval_notifier_insert()). Nobody changes page tables here before
	 * we return: mmap_lock is held for writing.
	 */
	mmu_interval_read_begin(&user->notifier);
	err = note_tables(user, vma);
	if (err)
		goto err_remove_notifier;

	range->user = user;
	err = range->source->map(range, vma);
	if (err)
		goto err_unmap_user;
	return 0;

err_unmap_user:
	range->source->unmap_user(range, 0, range->nr_pages);
	range->user = NULL;
err_remove_notifier:
	mmu_interval_notifier_remove(&user->notifier);
err_free_user:
	user_ptes_free(user);
	return err;
}

/* The notifier has heard of the PTEs' end before: munmap and exit both tell it first. */
static void pv_close(struct gntmap_range *range)
{
	if (!range->user)
		return;		/* mmap failed */
	mmu_interval_notifier_remove(&range->user->notifier);
	user_ptes_free(range->user);
	range->user = NULL;
}

/* The PTE was taken away from under the VMA; Xen does not fault it in again. */
static vm_fault_t pv_fault(struct gntmap_range *range, struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

/*
 * A child must not have the PTEs: Xen was told of the parent's only, and a page
 * table with copies of them is none to it. Until 7.x MADV_DOFORK takes
 * VM_DONTCOPY off whatever is not VM_IO. VM_WIPEONFORK, which users cannot set
 * for a file's mapping, makes the child's one empty then. MADV_KEEPONFORK takes
 * that off too, and gntmap_vma_open() gives it to the child's again.
 */
const struct gntmap_backend gntmap_backend_pv = {
	.name = "pv",
	.vm_flags = VM_DONTCOPY | VM_WIPEONFORK,
	.fixed = true,
	/* The pages of a small range are in two page tables at most. */
	.room = sizeof(struct gntmap_user_ptes) + 2 * sizeof(u64),
	.mmap = pv_mmap,
	.close = pv_close,
	.fault = pv_fault,
	.foreign = &gntmap_foreign_pv,
	.map_foreign = gntmap_foreign_pv_map,
};
