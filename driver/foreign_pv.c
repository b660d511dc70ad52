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
 * Xen flushes no TLB when a frame of another domain leaves a PTE: we do. And it
 * puts another domain's MMIO frames there as willingly as its memory, if both
 * domains may use them: we look (ram.c).
 */
#include <linux/bitops.h>

#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

#include "gntmap.h"

/* Updates on the stack: unmapping must not allocate. */
#define CLEAR_BATCH	32

/* The page table of the kernel that was looked at last. */
struct walk {
	unsigned long base;	/* the first address that it maps */
	pte_t *table;		/* or NULL */
};

/*
 * The kernel's PTE of a page, or NULL; PV knows no large pages. Its table stays
 * as long as the page struct. Pages come in runs, mostly.
 */
static pte_t *kernel_pte(struct walk *walk, struct page *page)
{
	unsigned long addr = (unsigned long)page_address(page);
	unsigned int level;
	pte_t *pte;

	if (walk->table && walk->base == (addr & PMD_MASK))
		return walk->table + pte_index(addr);

	pte = lookup_address(addr, &level);
	if (!pte || level != PG_LEVEL_4K)
		return NULL;
	walk->base = addr & PMD_MASK;
	walk->table = pte - pte_index(addr);
	return pte;
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
		return gntmap_ram_has(gfn) ? -EPERM : -EINVAL;
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

	if (!gntmap_ram_has(mfn)) {
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

void gntmap_foreign_pv_map(struct gntmap_range *range, unsigned int first, unsigned int nr,
			   struct gntmap_frames *frames)
{
	pgprot_t prot = range->foreign.writable ? PAGE_KERNEL : PAGE_KERNEL_RO;
	struct mmu_update *updates = frames->scratch;
	pte_t **ptes = (pte_t **)(updates + nr);
	s32 *errs = frames->errs;
	struct walk walk = {};
	bool stale = false;
	unsigned int i;

	/* A page struct must not be about a device's registers, and Xen tells nobody but dom0. */
	if (!gntmap_ram_known()) {
		while (nr--)
			errs[nr] = -EPERM;
		return;
	}

	for (i = 0; i < nr; i++) {
		ptes[i] = kernel_pte(&walk, range->pages[first + i]);
		if (WARN_ON_ONCE(!ptes[i])) {
			while (nr--)
				errs[nr] = -EOPNOTSUPP;
			return;
		}
		updates[i].ptr = pte_maddr(ptes[i]) | MMU_NORMAL_PT_UPDATE;
		updates[i].val = pte_val_ma(mfn_pte(frames->gfns[i], prot));
	}
	update(updates, nr, range->foreign.domid, errs);

	for (i = 0; i < nr; i++) {
		if (errs[i])
			errs[i] = to_errno(range, first + i, frames->gfns[i], ptes[i], errs[i]);
		else
			errs[i] = adopt(range, first + i, ptes[i]);
		stale |= errs[i] != 0;
	}
	/* What was there for a moment only. */
	if (stale)
		flush_tlbs();
}

/* The user's PTEs: of the frames that the kernel's have, which need no translation any more. */
static int pv_map(struct gntmap_range *range, struct vm_area_struct *vma)
{
	struct mmu_update updates[CLEAR_BATCH];
	unsigned int which[CLEAR_BATCH];
	s32 errs[CLEAR_BATCH];
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
		if (nr == CLEAR_BATCH || (nr && i + 1 == range->nr_pages)) {
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

/* PTEs on their way out. */
struct clearing {
	struct mmu_update updates[CLEAR_BATCH];
	unsigned int which[CLEAR_BATCH];	/* page of the range */
	unsigned int nr;
	bool stale;		/* TLBs may have some that are out already */
};

/* With or without what the TLBs have of them, which takes a hypercall less this way. */
static void clear_some(struct gntmap_range *range, struct clearing *c, struct mmuext_op *flush)
{
	s32 errs[CLEAR_BATCH];
	struct multicall_entry calls[2] = {
		{
			.op = __HYPERVISOR_mmu_update,
			.args = { (unsigned long)c->updates, c->nr, 0, DOMID_SELF },
		}, {
			.op = __HYPERVISOR_mmuext_op,
			.args = { (unsigned long)flush, 1, 0, DOMID_SELF },
		},
	};

	if (HYPERVISOR_multicall(calls, flush ? 2 : 1) || calls[0].result) {
		/* Which of them? Once more does no harm. */
		update(c->updates, c->nr, DOMID_SELF, errs);
		while (c->nr--)
			if (errs[c->nr])
				gntmap_foreign_lose(range, c->which[c->nr], errs[c->nr]);
		if (flush)
			flush_tlbs();
	} else if (flush && calls[1].result) {
		flush_tlbs();
	}
	c->nr = 0;
	c->stale = !flush;
	cond_resched();
}

static void clear_add(struct gntmap_range *range, struct clearing *c, unsigned int i, u64 maddr)
{
	if (c->nr == CLEAR_BATCH)
		clear_some(range, c, NULL);
	c->updates[c->nr].ptr = maddr | MMU_NORMAL_PT_UPDATE;
	c->updates[c->nr].val = 0;
	c->which[c->nr++] = i;
}

/*
 * @addr: of the page that was added last; @mm: whose tables these are, or NULL for
 * the kernel's. The TLBs have none of them when this returns.
 */
static void clear_end(struct gntmap_range *range, struct clearing *c, unsigned long addr,
		      struct mm_struct *mm)
{
	struct mmuext_op flush = { .cmd = mm ? MMUEXT_TLB_FLUSH_MULTI : MMUEXT_TLB_FLUSH_ALL };

	if (!c->nr)
		return;
	if (c->nr == 1 && !c->stale) {
		flush.cmd = mm ? MMUEXT_INVLPG_MULTI : MMUEXT_INVLPG_ALL;
		flush.arg1.linear_addr = addr;
	}
	/* Xen reads it when the PTEs are clear: whoever turns to @mm later finds them so. */
	if (mm)
		flush.arg2.vcpumask = mm_cpumask(mm);
	clear_some(range, c, &flush);
}

static void pv_unmap_user(struct gntmap_range *range, unsigned int first, unsigned int end)
{
	struct clearing c = { .nr = 0 };
	unsigned int i, last = 0;

	for (i = first; i < end; i++) {
		if (__test_and_clear_bit(i, range->foreign.shown)) {
			clear_add(range, &c, i, gntmap_user_pte(range, i));
			last = i;
		}
	}
	clear_end(range, &c, range->user->vm_start + ((unsigned long)last << PAGE_SHIFT),
		  range->user->notifier.mm);
}

/* The p2m entries go before the frames: nobody but a pin's holder looks at these pages. */
static unsigned int pv_unmap(struct gntmap_range *range)
{
	unsigned int i, last = 0, nr_pinned = 0;
	struct clearing c = { .nr = 0 };
	struct walk walk = {};

	for_each_set_bit(i, range->present, range->nr_pages) {
		struct page *page = range->pages[i];

		/* See grants_unmap() in grant.c. */
		if (page_count(page) > 1) {
			nr_pinned++;
			continue;
		}
		__clear_bit(i, range->present);
		set_p2m(page_to_pfn(page), INVALID_P2M_ENTRY);
		clear_add(range, &c, i, pte_maddr(kernel_pte(&walk, page)));
		last = i;
	}
	clear_end(range, &c, (unsigned long)page_address(range->pages[last]), NULL);
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
