// SPDX-License-Identifier: GPL-2.0
/*
 * Memory as a PV guest sees it: pages are numbered from 0 without gaps (pfn), each
 * lies on some machine frame (mfn), and page tables hold machine frames.
 *
 * The domain builder maps the image and a little behind it, not all of memory. This
 * guest never extends the page tables: it looks at the rest through pages of its
 * image whose mappings it replaces.
 */
#include "guest.h"

#define PTE_PRESENT 0x001
#define PTE_RW 0x002
#define PTE_ACCESSED 0x020
#define PTE_DIRTY 0x040

uint64_t free_pfn, end_pfn;
static const uint64_t *mfn_list;

static uint64_t image_to_pfn(const void *page)
{
	return ((uintptr_t)page - VIRT_BASE) / PAGE_SIZE;
}

void memory_init(const struct start_info *si)
{
	mfn_list = (const uint64_t *)si->mfn_list;
	end_pfn = si->nr_pages;
	/* The page tables and, in one page behind them, the first stack are the last things built (xen.h). */
	free_pfn = image_to_pfn((const void *)si->pt_base) + si->nr_pt_frames + 1;
}

uint64_t pfn_to_mfn(uint64_t pfn)
{
	if (pfn >= end_pfn)
		die("pfn_to_mfn", pfn);
	return mfn_list[pfn];
}

uint64_t image_to_mfn(const void *page)
{
	return pfn_to_mfn(image_to_pfn(page));
}

void map_frame(void *page, uint64_t mfn)
{
	uint64_t pte = mfn * PAGE_SIZE | PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY;
	long ret = hypercall(__HYPERVISOR_update_va_mapping, page, pte, UVMF_INVLPG | UVMF_LOCAL);

	if (ret)
		die("update_va_mapping", ret);
}
