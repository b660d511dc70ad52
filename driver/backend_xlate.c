// SPDX-License-Identifier: GPL-2.0
/*
 * Auto-translated domains (PVH, HVM): Xen maps a frame at the guest frame of a
 * page, and the user's PTEs are ordinary ones that Linux writes.
 */
#include <linux/bitmap.h>

#include "gntmap.h"

static int populate(struct gntmap_range *range, struct vm_area_struct *vma, unsigned int first,
		    unsigned int end)
{
	return range->strategy->populate(vma, vma->vm_start + ((unsigned long)first << PAGE_SHIFT),
					 range->pages + first, end - first);
}

static int leave_pte(pte_t *pte, unsigned long addr, void *data)
{
	return 0;
}

static int xlate_mmap(struct gntmap_range *range, struct vm_area_struct *vma)
{
	unsigned int first, end;
	int err;

	/*
	 * Page tables first, so that populate() has nothing left to allocate: if
	 * it failed halfway, pages in PTEs would look pinned until mm takes them
	 * out, which it does only after we have returned.
	 */
	err = apply_to_page_range(vma->vm_mm, vma->vm_start, vma->vm_end - vma->vm_start,
				  leave_pte, NULL);
	if (err)
		return err;
	err = range->source->map(range, vma);
	if (err)
		return err;

	if (!range->present)
		return populate(range, vma, 0, range->nr_pages);
	for_each_set_bitrange(first, end, range->present, range->nr_pages) {
		err = populate(range, vma, first, end);
		if (err)
			return err;
	}
	return 0;
}

static void xlate_close(struct gntmap_range *range)
{
}

/*
 * A PTE that was never there (fork copies those of a shared file mapping only
 * for VM_MIXEDMAP, see vma_needs_copy()) or was dropped (MADV_DONTNEED).
 */
static vm_fault_t xlate_fault(struct gntmap_range *range, struct vm_fault *vmf)
{
	unsigned long i = vmf->pgoff - range->index;

	if (i >= range->nr_pages || (range->present && !test_bit(i, range->present)))
		return VM_FAULT_SIGBUS;
	get_page(range->pages[i]);
	vmf->page = range->pages[i];
	return 0;
}

const struct gntmap_backend gntmap_backend_xlate = {
	.name = "xlate",
	.mmap = xlate_mmap,
	.close = xlate_close,
	.fault = xlate_fault,
	.foreign = &gntmap_foreign_xlate,
	.map_foreign = gntmap_foreign_xlate_map,
};
