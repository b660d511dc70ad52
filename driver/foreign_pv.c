// SPDX-License-Identifier: GPL-2.0
/*
 * Foreign frames in PV domains: page tables have machine frames in them, and
 * Xen puts another domain's frame there for whoever may map that domain.
 *
 * A page of ours gets its frame at three places. The kernel's PTE of it comes
 * first: Xen translates the frame's number there, checks that the domain has it,
 * and holds it as long as it is in a PTE. Then the p2m entry, marked as
 * foreign, which is what makes the page struct real to whoever finds it: IO,
 * DMA, a pin. Both stay until the range goes. The user's PTE comes with mmap()
 * and goes when Linux is about to touch it (backend_pv.c). To Linux it is a
 * special one, as a grant's is, since a machine frame that is not ours has no
 * way back to a page struct but the VMA.
 *
 * Xen flushes no TLB when a frame of another domain leaves a PTE: we do.
 */
#include <linux/bitops.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <asm/e820/types.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include <xen/interface/memory.h>

#include "gntmap.h"

#define MAX_E820 512

/* The machine's RAM, in frames. */
static struct ram {
	unsigned int nr;
	struct {
		unsigned long first, end;
	} areas[];
} *ram;
static DEFINE_MUTEX(ram_lock);

static struct ram *learn_ram(void)
{
	struct boot_e820_entry *map;
	struct xen_memory_map op = { .nr_entries = MAX_E820 };
	struct ram *new = NULL;
	unsigned int i;

	map = kmalloc_array(MAX_E820, sizeof(*map), GFP_KERNEL);
	if (!map)
		return NULL;
	set_xen_guest_handle(op.buffer, map);
	if (!HYPERVISOR_memory_op(XENMEM_machine_memory_map, &op))
		new = kzalloc(struct_size(new, areas, op.nr_entries), GFP_KERNEL);
	for (i = 0; new && i < op.nr_entries; i++) {
		if (map[i].type != E820_TYPE_RAM)
			continue;
		new->areas[new->nr].first = PFN_UP(map[i].addr);
		new->areas[new->nr++].end = PFN_DOWN(map[i].addr + map[i].size);
	}
	kfree(map);
	return new;
}

/*
 * Xen maps another domain's MMIO frames as willingly, if both may use them. It
 * says so nowhere, and a page struct must not be about a device's registers.
 */
static bool know_ram(void)
{
	mutex_lock(&ram_lock);
	if (!ram)
		ram = learn_ram();
	mutex_unlock(&ram_lock);
	return ram;
}

void gntmap_foreign_pv_exit(void)
{
	kfree(ram);
}

static bool is_ram(unsigned long mfn)
{
	unsigned int i;

	for (i = 0; i < ram->nr; i++)
		if (mfn >= ram->areas[i].first && mfn < ram->areas[i].end)
			return true;
	return false;
}

/* The kernel's PTE of a page, or NULL. Its table stays as long as the page struct. */
static pte_t *kernel_pte(struct page *page)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)page_address(page), &level);

	return pte && level == PG_LEVEL_4K ? pte : NULL;
}

static u64 pte_maddr(pte_t *pte)
{
	return arbitrary_virt_to_machine(pte).maddr;
}

static bool set_p2m(unsigned long pfn, unsigned long entry)
{
	if (pfn >= xen_p2m_size)
		return false;
	if (likely(!xen_safe_write_ulong(xen_p2m_addr + pfn, entry)))
		return true;
	/* There is no leaf yet. The providers of pages see to it that there is one. */
	return !xen_alloc_p2m_entry(pfn) && !xen_safe_write_ulong(xen_p2m_addr + pfn, entry);
}

/* Of this domain, on all CPUs, whatever is in the tables of this kernel and of any process. */
static void flush_tlbs(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_ALL };

	if (HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF))
		pr_err_ratelimited("flushing the TLBs failed\n");
}

/* A bad frame ends the hypercall; the rest goes into the next one. */
static void update(struct mmu_update *updates, unsigned int nr, domid_t domid, s32 *errs)
{
	unsigned int i = 0;
	int err, done;

	while (i < nr) {
		done = 0;
		err = HYPERVISOR_mmu_update(updates + i, nr - i, &done, domid);
		for (; done > 0 && i < nr; done--)
			errs[i++] = 0;
		if (!err)
			continue;
		errs[i++] = err;
		/* Without a domain no frame was looked at. */
		while (err == -ESRCH && i < nr)
			errs[i++] = err;
	}
}

static int update_one(u64 maddr, pte_t pte, domid_t domid)
{
	struct mmu_update op = {
		.ptr = maddr | MMU_NORMAL_PT_UPDATE,
		.val = pte_val_ma(pte),
	};
	s32 err;

	update(&op, 1, domid, &err);
	return err;
}

static void clear_kernel_pte(struct gntmap_range *range, unsigned int i, pte_t *pte)
{
	int err = update_one(pte_maddr(pte), __pte_ma(0), DOMID_SELF);

	if (err)
		gntmap_foreign_lose(range, i, err);
}

/* What Xen's answer means for a frame that it did not map. */
static int to_errno(struct gntmap_range *range, unsigned int i, unsigned long gfn, pte_t *pte,
		    int err)
{
	switch (err) {
	case -EPERM:
		/* Also for MMIO that the domain may not use. */
		return is_ram(gfn) ? -EPERM : -EINVAL;
	case -EBUSY:
		/*
		 * Not that domain's; or one of its page tables and the like,
		 * which may only be read.
		 */
		if (!range->foreign.writable ||
		    update_one(pte_maddr(pte), mfn_pte(gfn, PAGE_KERNEL_RO), range->foreign.domid))
			return -EINVAL;
		clear_kernel_pte(range, i, pte);
		return -EPERM;
	case -ESRCH:
	case -ENOENT:
	case -ENOMEM:
		return err;
	default:
		return -EINVAL;
	}
}

/* Xen put a frame into the kernel's PTE: make the page a page of it. */
static int adopt(struct gntmap_range *range, unsigned int i, pte_t *pte)
{
	unsigned long mfn = pte_mfn(READ_ONCE(*pte));

	if (!is_ram(mfn)) {
		clear_kernel_pte(range, i, pte);
		return -EINVAL;
	}
	if (!set_p2m(page_to_pfn(range->pages[i]), FOREIGN_FRAME(mfn))) {
		clear_kernel_pte(range, i, pte);
		return -ENOMEM;
	}
	__set_bit(i, range->present);
	return 0;
}

static void map_some(struct gntmap_range *range, unsigned int first, unsigned int nr,
		     struct gntmap_frames *frames, xen_ulong_t *gfns, s32 *errs)
{
	pgprot_t prot = range->foreign.writable ? PAGE_KERNEL : PAGE_KERNEL_RO;
	bool flush = false;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		frames->ptes[i] = kernel_pte(range->pages[first + i]);
		if (WARN_ON_ONCE(!frames->ptes[i])) {
			while (nr--)
				errs[nr] = -ENOMEM;
			return;
		}
		frames->updates[i].ptr = pte_maddr(frames->ptes[i]) | MMU_NORMAL_PT_UPDATE;
		frames->updates[i].val = pte_val_ma(mfn_pte(gfns[i], prot));
	}
	update(frames->updates, nr, range->foreign.domid, errs);

	for (i = 0; i < nr; i++) {
		if (errs[i])
			errs[i] = to_errno(range, first + i, gfns[i], frames->ptes[i], errs[i]);
		else
			errs[i] = adopt(range, first + i, frames->ptes[i]);
		flush |= errs[i] != 0;
	}
	/* What was there for a moment only. */
	if (flush)
		flush_tlbs();
}

void gntmap_foreign_pv_map(struct gntmap_range *range, unsigned int first, unsigned int nr,
			   struct gntmap_frames *frames)
{
	unsigned int i, some;

	for (i = 0; i < nr; i += some) {
		some = min_t(unsigned int, nr - i, GNTMAP_MAP_BATCH);
		if (know_ram()) {
			map_some(range, first + i, some, frames, frames->gfns + i,
				 frames->errs + i);
			continue;
		}
		/* Only dom0 may ask Xen for the machine's memory map. */
		for (; i < nr; i++)
			frames->errs[i] = -EPERM;
		return;
	}
}

/* The user's PTEs: of the frames that the kernel's have, which need no translation any more. */
static int pv_map(struct gntmap_range *range, struct vm_area_struct *vma)
{
	struct mmu_update updates[GNTMAP_UNMAP_BATCH];
	unsigned int which[GNTMAP_UNMAP_BATCH];
	s32 errs[GNTMAP_UNMAP_BATCH];
	unsigned int i, nr = 0;
	int err;

	err = gntmap_foreign_check(range, vma);
	/* A PTE of PROT_NONE must not have a machine frame in it: Xen would have to hide it. */
	if (err || !vma_is_accessible(vma))
		return err;

	for (i = 0; i < range->nr_pages && !err; i++) {
		if (test_bit(i, range->present)) {
			unsigned long mfn = pfn_to_mfn(page_to_pfn(range->pages[i]));
			pte_t pte = pte_mkspecial(mfn_pte(mfn, vma->vm_page_prot));

			updates[nr].ptr = gntmap_user_pte(range, i) | MMU_PT_UPDATE_NO_TRANSLATE;
			updates[nr].val = pte_val_ma(pte);
			which[nr++] = i;
		}
		if (nr == GNTMAP_UNMAP_BATCH || (nr && i + 1 == range->nr_pages)) {
			update(updates, nr, range->foreign.domid, errs);
			while (nr--) {
				/* We hold the frame: this is not a thing to be told apart. */
				if (errs[nr])
					err = -EINVAL;
				else
					__set_bit(which[nr], range->foreign.shown);
			}
			nr = 0;
			cond_resched();
		}
	}
	return err;
}

static void pv_unmap_user(struct gntmap_range *range, unsigned int first, unsigned int end)
{
	struct mmu_update updates[GNTMAP_UNMAP_BATCH];
	unsigned int which[GNTMAP_UNMAP_BATCH];
	s32 errs[GNTMAP_UNMAP_BATCH];
	bool flush = false;
	unsigned int i, nr = 0;

	for (i = first; i < end; i++) {
		if (__test_and_clear_bit(i, range->foreign.shown)) {
			updates[nr].ptr = gntmap_user_pte(range, i) | MMU_NORMAL_PT_UPDATE;
			updates[nr].val = 0;
			which[nr++] = i;
			flush = true;
		}
		if (nr == GNTMAP_UNMAP_BATCH || (nr && i + 1 == end)) {
			update(updates, nr, DOMID_SELF, errs);
			while (nr--)
				if (errs[nr])
					gntmap_foreign_lose(range, which[nr], errs[nr]);
			nr = 0;
			cond_resched();
		}
	}
	if (flush)
		flush_tlbs();
}

/* The p2m entries go before the frames: nobody but a pin's holder looks at these pages. */
static unsigned int pv_unmap(struct gntmap_range *range)
{
	struct mmu_update updates[GNTMAP_UNMAP_BATCH];
	unsigned int which[GNTMAP_UNMAP_BATCH];
	s32 errs[GNTMAP_UNMAP_BATCH];
	unsigned int i, nr = 0, nr_pinned = 0;
	bool flush = false;

	for (i = 0; i < range->nr_pages; i++) {
		if (!test_bit(i, range->present)) {
			;
		} else if (page_count(range->pages[i]) > 1) {
			/* See grants_unmap() in grant.c. */
			nr_pinned++;
		} else {
			struct page *page = range->pages[i];

			set_p2m(page_to_pfn(page), INVALID_P2M_ENTRY);
			updates[nr].ptr = pte_maddr(kernel_pte(page)) | MMU_NORMAL_PT_UPDATE;
			updates[nr].val = 0;
			which[nr++] = i;
			__clear_bit(i, range->present);
			flush = true;
		}
		if (nr == GNTMAP_UNMAP_BATCH || (nr && i + 1 == range->nr_pages)) {
			update(updates, nr, DOMID_SELF, errs);
			while (nr--)
				if (errs[nr])
					gntmap_foreign_lose(range, which[nr], errs[nr]);
			nr = 0;
			cond_resched();
		}
	}
	/* Before the pages get other frames. */
	if (flush)
		flush_tlbs();
	return nr_pinned;
}

const struct gntmap_source gntmap_foreign_pv = {
	.lasting = true,
	.alloc = gntmap_foreign_alloc,
	.free = gntmap_foreign_free,
	.map = pv_map,
	.unmap_user = pv_unmap_user,
	.unmap = pv_unmap,
};
