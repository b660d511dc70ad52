// SPDX-License-Identifier: GPL-2.0
/*
 * The VMAs that show a range.
 *
 * A VMA shows a whole range when it is made. Where the backend is fixed (PV:
 * Xen was told the machine addresses of the PTEs), it stays whole, in its
 * place and with its protection until it goes: what would change it is refused
 * before anything has happened, never half done. Elsewhere the PTEs are
 * ordinary ones, and VMAs may be split, moved, reprotected and inherited.
 */
#include <linux/export.h>
#include <linux/mman.h>

#include "gntmap.h"

/*
 * A child's VMA; where the backend is not fixed also one that was split off or is
 * on its way to another place.
 */
void gntmap_vma_open(struct vm_area_struct *vma)
{
	struct gntmap_range *range = vma->vm_private_data;

	gntmap_range_get_vma(range);
	/* Whatever advice has taken off the parent's: page tables are copied later (dup_mmap()). */
	vm_flags_set(vma, range->backend->vm_flags);
}
EXPORT_SYMBOL_GPL(gntmap_vma_open);

/*
 * A VMA is gone. If it was the last one and the range was removed meanwhile, the
 * range's place in the file is free now.
 */
static void put_vma(struct gntmap_file *priv, struct gntmap_range *range)
{
	refcount_inc(&range->refs);
	gntmap_range_put_vma(range);
	gntmap_offsets_unmapped(&priv->offsets, range);
	gntmap_range_put(range);
}

void gntmap_vma_close(struct vm_area_struct *vma)
{
	put_vma(vma->vm_file->private_data, vma->vm_private_data);
}
EXPORT_SYMBOL_GPL(gntmap_vma_close);

/* Asked by munmap(), mprotect(), mremap() and madvise() before they cut a VMA in two. */
int gntmap_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	struct gntmap_range *range = vma->vm_private_data;

	return range->backend->fixed ? -EINVAL : 0;
}
EXPORT_SYMBOL_GPL(gntmap_vma_may_split);

/* Asked before the protection of a VMA changes; VM_MAYWRITE has been looked at. */
int gntmap_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, unsigned long newflags)
{
	struct gntmap_range *range = vma->vm_private_data;

	return range->backend->fixed && newflags != vma->vm_flags ? -EINVAL : 0;
}
EXPORT_SYMBOL_GPL(gntmap_vma_mprotect);

vm_fault_t gntmap_vma_fault(struct vm_fault *vmf)
{
	struct gntmap_range *range = vmf->vma->vm_private_data;

	return range->backend->fault(range, vmf);
}
EXPORT_SYMBOL_GPL(gntmap_vma_fault);

/*
 * The page behind a special PTE, for somebody who may use it: only PV has them.
 * A fixed VMA starts where it was made. NULL: Xen refuses to map it for the kernel
 * too. get_user_pages() then returns -EEXIST (follow_pfn_pte()), which most of its
 * callers make EFAULT of.
 */
struct page *gntmap_vma_normal_page(struct vm_area_struct *vma, unsigned long addr)
{
	struct gntmap_range *range = vma->vm_private_data;
	unsigned int i = (addr - vma->vm_start) >> PAGE_SHIFT;
	int err;

	spin_lock(&range->lock);
	err = gntmap_range_reach(range, i);
	spin_unlock(&range->lock);
	return err ? NULL : range->pages[i];
}
EXPORT_SYMBOL_GPL(gntmap_vma_normal_page);

/**
 * gntmap_insert_pages - insert pages without marking the VMA
 * @vma: under its ->mmap, nobody else sees it yet
 * @addr: where the first one goes
 * @pages: with ordinary PTEs
 * @nr: how many
 *
 * vm_insert_pages() sets VM_MIXEDMAP. Nothing it inserts needs the flag: the
 * pages are refcounted and their PTEs not special, so vm_normal_page() finds
 * them without looking at it. For a strategy whose mechanism is another one it
 * must go.
 *
 * Return: 0, -ENOMEM or -EFAULT; what was inserted goes with the VMA.
 */
int gntmap_insert_pages(struct vm_area_struct *vma, unsigned long addr, struct page **pages,
			unsigned long nr)
{
	int err = vm_insert_pages(vma, addr, pages, &nr);

	vm_flags_clear(vma, VM_MIXEDMAP);
	return err;
}
EXPORT_SYMBOL_GPL(gntmap_insert_pages);

/**
 * gntmap_mmap - show a range
 * @file: that has the range at vma->vm_pgoff
 * @vma: of the range's size
 *
 * Return: 0; -EINVAL where no range starts there, its size is another one, it
 * is mapped already, the VMA is private and writable, or a grant cannot be
 * mapped with that access; -EBUSY while pages of an earlier mapping are pinned;
 * -EIO if Xen refused to unmap all of that; -ENOSPC, -ENOMEM, -EINTR. After an
 * error nothing is mapped.
 */
int gntmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gntmap_file *priv = file->private_data;
	struct gntmap_range *range;
	int err;

	if ((vma->vm_flags & VM_WRITE) && !(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	range = gntmap_offsets_get(&priv->offsets, vma->vm_pgoff);
	if (!range)
		return -EINVAL;
	err = -EINVAL;
	if (range->nr_pages != vma_pages(vma))
		goto err_put_range;
	err = gntmap_range_begin(range);
	if (err)
		goto err_put_range;
	/* UNMAP_GRANT_REF may have come just before, and leaves the place of a mapped range alone. */
	if (!gntmap_offsets_has(&priv->offsets, range)) {
		put_vma(priv, range);
		return -EINVAL;
	}

	/* The range's size is what Xen was asked for, its content is another domain's. */
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP |
		     range->strategy->vm_flags | range->backend->vm_flags);
	/* The grant is mapped read-only: no mprotect() can make more of it. */
	if (!(vma->vm_flags & VM_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);

	err = range->backend->mmap(range, vma);
	if (err) {
		put_vma(priv, range);
		return err;
	}

	gntmap_notify_mapped(range, vma->vm_flags & VM_WRITE);
	/* From here on gntmap_vma_close() gives up the reference. */
	vma->vm_ops = range->strategy->vm_ops;
	vma->vm_private_data = range;
	return 0;

err_put_range:
	gntmap_range_put(range);
	return err;
}

/*
 * Find a place for a VMA.
 *
 * mremap() asks here too before it moves one, and this is the last place where
 * a fixed VMA can say no: vm_ops->mremap() comes after move_page_tables() and
 * its MMU notifications. A range that is mapped can have no second VMA, so
 * mmap() is told nothing that it would not hear later.
 */
unsigned long gntmap_get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				       unsigned long pgoff, unsigned long flags)
{
	struct gntmap_file *priv = file->private_data;

	if (gntmap_offsets_fixed(&priv->offsets, pgoff))
		return -EINVAL;
	return gntmap_find_unmapped_area(file, addr, len, pgoff, flags);
}
