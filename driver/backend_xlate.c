// SPDX-License-Identifier: GPL-2.0
/*
 * Auto-translated domains (PVH, HVM): Xen maps a frame at the guest frame of a
 * page, and the user's PTEs are ordinary ones that Linux writes.
 */
#include "gntmap.h"

static int xlate_mmap(struct gntmap_range *range, struct vm_area_struct *vma)
{
	int err;

	err = range->source->map(range, vma);
	if (err)
		return err;
	return range->strategy->populate(vma, vma->vm_start, range->pages, range->nr_pages);
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

	if (i >= range->nr_pages)
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
};
