// SPDX-License-Identifier: GPL-2.0
/*
 * The grants behind a range: mapping them and handing them back.
 *
 * In auto-translated domains a grant is mapped once, at the frame of its page.
 *
 * Where Xen writes the user's PTEs (PV), a grant is mapped there. The kernel has
 * another mapping of it, at its own address of the page, only if it asked for
 * the page: mostly get_user_pages() on its way to a special PTE (grants_reach()).
 * Nobody else finds the page: the PTE's frame number leads to none, as
 * mfn_to_pfn() knows our own frames only. Most mappings are never asked for, which
 * saves half of all operations.
 *
 * Who asks has looked at the PTE under its lock, so a PTE that can still be looked
 * at is taken away under that lock. And as long as the user has a grant mapped,
 * the kernel's mapping of it shows the same frame, and needs no waiting: Xen looks
 * a grant's frame up only for the first mapping.
 *
 * What stays per page is the reference and one handle for each mapping; the
 * operations of a hypercall live only as long as the hypercall.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/xen/hypercall.h>
#include <xen/grant_table.h>
#include <xen/gntdev.h>
#include <xen/xen.h>

#include "gntmap.h"

/*
 * How many operations go into one hypercall. It bounds the time for which a
 * CPU cannot be preempted and the lock that happens to be held stays taken.
 */
#define BATCH	128
/* So few live on the stack; and so many pages the kernel gets to reach under a PTE lock. */
#define FEW	16

static_assert(BATCH * sizeof(struct gnttab_unmap_grant_ref) <= GNTMAP_BATCH_BYTES);

static void forget(grant_handle_t *handles, size_t nr)
{
	while (nr--)
		handles[nr] = INVALID_GRANT_HANDLE;
}

static int grants_alloc(struct gntmap_range *range)
{
	struct gntmap_grants *grants = &range->grants;
	/* Not fixed: Xen does not write the user's PTEs. */
	unsigned int each = range->backend->fixed ? 2 : 1;

	grants->refs = gntmap_range_array(range, sizeof(*grants->refs));
	grants->handles = gntmap_range_array(range, each * sizeof(*grants->handles));
	if (!grants->refs || !grants->handles)
		return -ENOMEM;
	if (each > 1)
		grants->user_handles = grants->handles + range->nr_pages;
	forget(grants->handles, each * (size_t)range->nr_pages);
	return 0;
}

static void grants_free(struct gntmap_range *range)
{
	gntmap_range_free_array(range, range->grants.refs);
	gntmap_range_free_array(range, range->grants.handles);
	kvfree(range->grants.domids);
}

/* All pages had the same granter up to page @i, which has another one. */
static int split_domids(struct gntmap_grants *grants, unsigned int i, unsigned int nr)
{
	grants->domids = kvmalloc_array(nr, sizeof(*grants->domids), GFP_USER_SIZED);
	if (!grants->domids)
		return -ENOMEM;
	while (i--)
		grants->domids[i] = grants->domid;
	return 0;
}

/**
 * gntmap_grants_copy_refs - take a user's list of grants
 * @range: whose grants they become
 * @priv: the file that asks
 * @refs: range->nr_pages times struct ioctl_gntdev_grant_ref
 *
 * Nobody asks yet whether they exist: that is seen when they are mapped.
 *
 * Return: 0, -EFAULT, -EINVAL (a domain id beyond 16 bits), -EPERM (a domain
 * that the file may not name), or -ENOMEM.
 */
int gntmap_grants_copy_refs(struct gntmap_range *range, struct gntmap_file *priv,
			    const void __user *refs)
{
	struct gntmap_grants *grants = &range->grants;
	struct ioctl_gntdev_grant_ref chunk[32];
	unsigned int first, i, nr;
	u32 domid = 0;
	int err;

	for (first = 0; first < range->nr_pages; first += nr) {
		nr = min_t(unsigned int, range->nr_pages - first, ARRAY_SIZE(chunk));
		if (copy_from_user(chunk, refs + first * sizeof(*chunk), nr * sizeof(*chunk)))
			return -EFAULT;

		for (i = 0; i < nr; i++) {
			/* Mostly they all have one granter. */
			if (first + i == 0 || chunk[i].domid != domid) {
				domid = chunk[i].domid;
				err = gntmap_file_may_name(priv, domid);
				if (err)
					return err;
			}
			if (first + i == 0)
				grants->domid = chunk[i].domid;
			if (!grants->domids && chunk[i].domid != grants->domid) {
				err = split_domids(grants, first + i, range->nr_pages);
				if (err)
					return err;
			}
			if (grants->domids)
				grants->domids[first + i] = chunk[i].domid;
			grants->refs[first + i] = chunk[i].ref;
		}
		cond_resched();
	}
	return 0;
}

static int status_to_errno(s16 status)
{
	switch (status) {
	case GNTST_okay:
		return 0;
	case GNTST_no_space:		/* Xen's maptrack table is full */
	case GNTST_no_device_space:	/* what older ones say then */
		return -ENOSPC;
	default:
		return -EINVAL;
	}
}

static void set_map_op(struct gntmap_range *range, unsigned int i,
		       struct gnttab_map_grant_ref *op, phys_addr_t addr, u32 flags)
{
	const struct gntmap_grants *grants = &range->grants;

	gnttab_set_map_op(op, addr, flags, grants->refs[i],
			  grants->domids ? grants->domids[i] : grants->domid);
	/* If the hypercall as a whole fails, no slot was looked at. */
	op->status = GNTST_general_error;
	op->handle = INVALID_GRANT_HANDLE;
}

static void *kernel_addr(struct gntmap_range *range, unsigned int i)
{
	return page_address(range->pages[i]);
}

static u32 user_flags(u32 flags)
{
	/* avail0 is the PTE bit that Linux reads as "special". */
	return flags | GNTMAP_application_map | GNTMAP_contains_pte |
		(1 << _GNTMAP_guest_avail0);
}

/* The kernel's mappings of pages @first and on; @ops has room for @nr operations. */
static int map_kernel(struct gntmap_range *range, unsigned int first, unsigned int nr,
		      struct gnttab_map_grant_ref *ops)
{
	struct gntmap_grants *grants = &range->grants;
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++)
		set_map_op(range, first + i, &ops[i], (unsigned long)kernel_addr(range, first + i),
			   grants->map_flags);
	err = gnttab_map_refs(ops, NULL, range->pages + first, nr);
	for (i = 0; i < nr; i++) {
		if (ops[i].status == GNTST_okay) {
			grants->handles[first + i] = ops[i].handle;
			continue;
		}
		/* gnttab_map_refs() has set it for one that did not get into the p2m. */
		ClearPageForeign(range->pages[first + i]);
		if (!err)
			err = status_to_errno(ops[i].status);
	}
	return err;
}

static int map_user(struct gntmap_range *range, unsigned int first, unsigned int nr,
		    struct gnttab_map_grant_ref *ops)
{
	grant_handle_t *handles = range->grants.user_handles;
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++)
		set_map_op(range, first + i, &ops[i], gntmap_user_pte(range, first + i),
			   user_flags(range->grants.map_flags));
	/* What counts is each slot's status, also when it fails as a whole. */
	HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, ops, nr);
	for (i = 0; i < nr; i++) {
		/* Paged out: it is asked for again, for a while. */
		if (ops[i].status == GNTST_eagain)
			gnttab_batch_map(&ops[i], 1);
		if (!err)
			err = status_to_errno(ops[i].status);
	}

	spin_lock(&range->lock);
	for (i = 0; i < nr; i++)
		if (ops[i].status == GNTST_okay)
			handles[first + i] = ops[i].handle;
	spin_unlock(&range->lock);
	return err;
}

/*
 * Xen refuses to unmap only what was not mapped so, which would be our bug or
 * its own. The frame may still be in use: its page must never be used again.
 */
static void lose(struct gntmap_range *range, unsigned int i, s16 status)
{
	pr_err_ratelimited("grant %u of domain %u: unmap failed (%d), its page is lost\n",
			   range->grants.refs[i],
			   range->grants.domids ? range->grants.domids[i] : range->grants.domid,
			   status);
	range->lost = true;
}

static void check_unmapped(struct gntmap_range *range, unsigned int first,
			   const struct gnttab_unmap_grant_ref *ops, unsigned int nr)
{
	while (nr--)
		if (ops[nr].status != GNTST_okay)
			lose(range, first + nr, ops[nr].status);
}

static void set_unmap_op(struct gnttab_unmap_grant_ref *op, phys_addr_t addr, u32 flags,
			 grant_handle_t *handle)
{
	gnttab_set_unmap_op(op, addr, flags, *handle);
	op->status = GNTST_general_error;
	*handle = INVALID_GRANT_HANDLE;
}

/* The kernel's mappings of pages @first and on, as many as go into one hypercall. */
static void unmap_kernel(struct gntmap_range *range, unsigned int first, unsigned int nr)
{
	struct gnttab_unmap_grant_ref *ops = gntmap_batch_get();
	unsigned int i;

	for (i = 0; i < nr; i++)
		set_unmap_op(&ops[i], (unsigned long)kernel_addr(range, first + i),
			     GNTMAP_host_map, &range->grants.handles[first + i]);
	/* -EINVAL for a page that had not got into the p2m; what counts is each slot's status. */
	gnttab_unmap_refs(ops, NULL, range->pages + first, nr);
	check_unmapped(range, first, ops, nr);
	gntmap_batch_put();
}

/* The user has it, and the kernel has not. */
static bool can_reach(const struct gntmap_grants *grants, unsigned int i)
{
	return grants->handles[i] == INVALID_GRANT_HANDLE && grants->user_handles &&
		grants->user_handles[i] != INVALID_GRANT_HANDLE;
}

/* All of them or none. */
static int reach_some(struct gntmap_range *range, unsigned int first, unsigned int nr)
{
	struct gnttab_map_grant_ref ops[FEW];
	unsigned int i;

	if (!map_kernel(range, first, nr, ops))
		return 0;
	for (i = first; i < first + nr; i++)
		if (range->grants.handles[i] != INVALID_GRANT_HANDLE)
			unmap_kernel(range, i, 1);
	return -ENOSPC;
}

static int grants_reach(struct gntmap_range *range, unsigned int i)
{
	struct gntmap_grants *grants = &range->grants;
	unsigned int nr = 1, max = 1;

	lockdep_assert_held(&range->lock);

	if (grants->handles[i] != INVALID_GRANT_HANDLE)
		return 0;
	if (!can_reach(grants, i))
		return -ENOENT;

	/* Whoever asked for one before may want the next ones too. */
	if (i && grants->handles[i - 1] != INVALID_GRANT_HANDLE)
		max = min_t(unsigned int, range->nr_pages - i, FEW);
	while (nr < max && can_reach(grants, i + nr))
		nr++;
	if (nr > 1 && !reach_some(range, i, nr))
		return 0;
	return reach_some(range, i, 1);
}

/**
 * gntmap_grants_map - map all grants of a range
 * @range: mapped nowhere
 * @writable: ask for write access
 *
 * Return: 0; -EINVAL for a grant that cannot be mapped so, -ENOSPC if Xen has
 * no room for more mappings, -ENOMEM, -EINTR.
 */
int gntmap_grants_map(struct gntmap_range *range, bool writable)
{
	struct gnttab_map_grant_ref few[FEW], *ops = few;
	unsigned int first, nr, batch;
	int err = 0;

	batch = min_t(unsigned int, range->nr_pages, BATCH);
	if (batch > ARRAY_SIZE(few))
		ops = kmalloc_array(batch, sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;

	range->grants.map_flags = GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly);
	for (first = 0; first < range->nr_pages && !err; first += nr) {
		nr = min_t(unsigned int, range->nr_pages - first, batch);
		if (range->user)
			err = map_user(range, first, nr, ops);
		else
			err = map_kernel(range, first, nr, ops);
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}

	if (ops != few)
		kfree(ops);
	return err;
}

static int grants_map(struct gntmap_range *range, struct vm_area_struct *vma)
{
	bool writable = vma->vm_flags & VM_WRITE;

	/* When the user's PTEs are gone it is too late to reach a byte that is to be cleared. */
	return gntmap_grants_map(range, writable) ?: gntmap_notify_reach(range, writable);
}

/* As many as one hypercall takes. Does not sleep. Return: how many pages it saw to. */
static unsigned int unmap_user(struct gntmap_range *range, unsigned int first, unsigned int end)
{
	struct gnttab_unmap_grant_ref *ops = gntmap_batch_get();
	grant_handle_t *handles = range->grants.user_handles;
	unsigned int nr;

	spin_lock(&range->lock);
	for (nr = 0; nr < BATCH && first + nr < end &&
	     handles[first + nr] != INVALID_GRANT_HANDLE; nr++)
		set_unmap_op(&ops[nr], gntmap_user_pte(range, first + nr),
			     user_flags(GNTMAP_host_map), &handles[first + nr]);
	spin_unlock(&range->lock);

	if (nr && HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, ops, nr))
		pr_err_ratelimited("unmapping of %u user PTEs failed\n", nr);
	check_unmapped(range, first, ops, nr);
	gntmap_batch_put();
	return max(nr, 1u);
}

/* What the kernel has mapped stays. */
static void grants_unmap_user(struct gntmap_range *range, unsigned int first, unsigned int end)
{
	while (first < end) {
		first += unmap_user(range, first, end);
		cond_resched();
	}
}

static int unmap_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct gntmap_range *range = data;
	unsigned int i = (addr - range->user->vm_start) >> PAGE_SHIFT;

	unmap_user(range, i, i + 1);
	return 0;
}

/* The VMA stays, and somebody may be looking at a PTE of it: he has its lock. */
static void grants_zap_user(struct gntmap_range *range, unsigned int first, unsigned int end)
{
	struct gntmap_user_ptes *user = range->user;

	for (; first < end; first++) {
		/* A page table may be gone when all of its PTEs were taken away before. */
		if (range->grants.user_handles[first] == INVALID_GRANT_HANDLE)
			continue;
		if (apply_to_page_range(user->notifier.mm,
					user->vm_start + ((unsigned long)first << PAGE_SHIFT),
					PAGE_SIZE, unmap_pte, range))
			unmap_user(range, first, first + 1);
		cond_resched();
	}
}

/*
 * A page whose reference count is not ours alone is pinned: a device may be
 * writing to it. New pins cannot come, only those who have one can pass it on.
 */
static unsigned int grants_unmap(struct gntmap_range *range)
{
	grant_handle_t *handles = range->grants.handles;
	unsigned int first, nr, end = range->nr_pages, nr_pinned = 0;

	for (first = 0; first < end; first += max(nr, 1u)) {
		for (nr = 0; nr < BATCH && first + nr < end &&
		     handles[first + nr] != INVALID_GRANT_HANDLE &&
		     page_count(range->pages[first + nr]) == 1; nr++)
			;
		if (!nr) {
			nr_pinned += handles[first] != INVALID_GRANT_HANDLE;
			continue;
		}
		unmap_kernel(range, first, nr);
		cond_resched();
	}
	return nr_pinned;
}

const struct gntmap_source gntmap_grants = {
	.alloc = grants_alloc,
	.free = grants_free,
	.map = grants_map,
	.reach = grants_reach,
	.unmap_user = grants_unmap_user,
	.zap_user = grants_zap_user,
	.unmap = grants_unmap,
};
