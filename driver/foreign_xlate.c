// SPDX-License-Identifier: GPL-2.0
/*
 * Foreign frames in auto-translated domains: Xen lets one of our guest frames
 * be another domain's, and a page struct of ours is about that frame.
 *
 * Everything else is ordinary: the kernel's mapping, the user's PTEs, DMA
 * (where there is an IOMMU, Xen's tables for it have the frame too). Our
 * guest frame is always writable; that a read-only range is not written to is
 * the VMA's affair, which has no VM_MAYWRITE.
 */
#include <linux/bitops.h>
#include <linux/slab.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/page.h>

#include "gntmap.h"

#define REMOVE_BATCH 64

struct remove_batch {
	struct xen_remove_from_physmap ops[REMOVE_BATCH];
	struct multicall_entry calls[REMOVE_BATCH];
};

static_assert(sizeof(struct remove_batch) <= GNTMAP_BATCH_BYTES);

static xen_pfn_t gfn_of(struct gntmap_range *range, unsigned int i)
{
	return page_to_xen_pfn(range->pages[i]);
}

void gntmap_foreign_xlate_map(struct gntmap_range *range, unsigned int first, unsigned int nr,
			      struct gntmap_frames *frames)
{
	struct xen_add_to_physmap_range op = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_gmfn_foreign,
		.size = nr,
		.foreign_domid = range->foreign.domid,
	};
	xen_pfn_t *gfns = frames->scratch;
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		gfns[i] = gfn_of(range, first + i);
		/* If the hypercall as a whole fails, those that it did not come to. */
		frames->errs[i] = -EINTR;
	}
	set_xen_guest_handle(op.idxs, frames->gfns);
	set_xen_guest_handle(op.gpfns, gfns);
	set_xen_guest_handle(op.errs, frames->errs);
	err = HYPERVISOR_memory_op(XENMEM_add_to_physmap_range, &op);

	for (i = 0; i < nr; i++) {
		if (err && frames->errs[i] == -EINTR)
			frames->errs[i] = err;
		if (!frames->errs[i])
			__set_bit(first + i, range->present);
	}
}

static int xlate_map(struct gntmap_range *range, struct vm_area_struct *vma)
{
	return gntmap_foreign_check(range, vma);
}

/*
 * Xen has an operation for one frame only. Many of them in one hypercall are
 * quicker even so: our TLB is flushed once, on the way back.
 */
static void remove_some(struct gntmap_range *range, const unsigned int *which, unsigned int nr)
{
	struct remove_batch *batch = gntmap_batch_get();
	struct xen_remove_from_physmap *ops = batch->ops;
	struct multicall_entry *calls = batch->calls;
	bool one_by_one;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ops[i].domid = DOMID_SELF;
		ops[i].gpfn = gfn_of(range, which[i]);
		calls[i].op = __HYPERVISOR_memory_op;
		calls[i].args[0] = XENMEM_remove_from_physmap;
		calls[i].args[1] = (unsigned long)&ops[i];
	}
	one_by_one = nr == 1 || HYPERVISOR_multicall(calls, nr);
	for (i = 0; i < nr; i++) {
		if (one_by_one)
			calls[i].result = HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &ops[i]);
		if (calls[i].result)
			gntmap_foreign_lose(range, which[i], calls[i].result);
	}
	gntmap_batch_put();
	cond_resched();
}

static unsigned int xlate_unmap(struct gntmap_range *range)
{
	unsigned int which[REMOVE_BATCH], nr = 0, nr_pinned = 0, i;

	for_each_set_bit(i, range->present, range->nr_pages) {
		/* See grants_unmap() in grant.c. */
		if (page_count(range->pages[i]) > 1) {
			nr_pinned++;
			continue;
		}
		which[nr++] = i;
		__clear_bit(i, range->present);
		if (nr == REMOVE_BATCH) {
			remove_some(range, which, nr);
			nr = 0;
		}
	}
	if (nr)
		remove_some(range, which, nr);
	return nr_pinned;
}

const struct gntmap_source gntmap_foreign_xlate = {
	.lasting = true,
	.alloc = gntmap_foreign_alloc,
	.free = gntmap_foreign_free,
	.map = xlate_map,
	.unmap = xlate_unmap,
};
