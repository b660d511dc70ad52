// SPDX-License-Identifier: GPL-2.0
/*
 * The grants behind a range: mapping them and handing them back.
 *
 * Every page has a kernel mapping of its grant (the frame behind the struct
 * page) and, where Xen writes the user's PTEs, a second one at the user's PTE.
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

static void forget(grant_handle_t *handles, unsigned int nr)
{
	while (nr--)
		handles[nr] = INVALID_GRANT_HANDLE;
}

static int grants_alloc(struct gntmap_range *range)
{
	struct gntmap_grants *grants = &range->grants;
	unsigned int nr = range->nr_pages;

	grants->refs = kvmalloc_array(nr, sizeof(*grants->refs), GFP_USER_SIZED);
	grants->handles = kvmalloc_array(nr, sizeof(*grants->handles), GFP_USER_SIZED);
	if (!grants->refs || !grants->handles)
		return -ENOMEM;
	forget(grants->handles, nr);

	/* Not fixed: Xen does not write the user's PTEs. */
	if (!range->backend->fixed)
		return 0;
	grants->user_handles = kvmalloc_array(nr, sizeof(*grants->user_handles),
					      GFP_USER_SIZED);
	if (!grants->user_handles)
		return -ENOMEM;
	forget(grants->user_handles, nr);
	return 0;
}

static void grants_free(struct gntmap_range *range)
{
	kvfree(range->grants.user_handles);
	kvfree(range->grants.handles);
	kvfree(range->grants.refs);
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
	int err;

	for (first = 0; first < range->nr_pages; first += nr) {
		nr = min_t(unsigned int, range->nr_pages - first, ARRAY_SIZE(chunk));
		if (copy_from_user(chunk, refs + first * sizeof(*chunk), nr * sizeof(*chunk)))
			return -EFAULT;

		for (i = 0; i < nr; i++) {
			err = gntmap_file_may_name(priv, chunk[i].domid);
			if (err)
				return err;
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

struct map_batch {
	struct gnttab_map_grant_ref user[GNTMAP_MAP_BATCH];
	struct gnttab_map_grant_ref kernel[GNTMAP_MAP_BATCH];
};

static int map_some(struct gntmap_range *range, unsigned int first, unsigned int nr,
		    u32 flags, struct map_batch *batch)
{
	struct gntmap_grants *grants = &range->grants;
	struct gnttab_map_grant_ref *user = range->user ? batch->user : NULL;
	struct gnttab_map_grant_ref *kernel = batch->kernel;
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		set_map_op(range, first + i, &kernel[i],
			   (unsigned long)kernel_addr(range, first + i), flags);
		if (user)
			set_map_op(range, first + i, &user[i],
				   gntmap_user_pte(range, first + i), user_flags(flags));
	}

	/* With user PTEs, gnttab_map_refs() reads the frames for the p2m from them. */
	if (user)
		err = gnttab_map_refs(user, kernel, range->pages + first, nr);
	else
		err = gnttab_map_refs(kernel, NULL, range->pages + first, nr);

	for (i = 0; i < nr; i++) {
		if (kernel[i].status == GNTST_okay)
			grants->handles[first + i] = kernel[i].handle;
		else if (!err)
			err = status_to_errno(kernel[i].status);
		if (!user)
			continue;
		/* gnttab_map_refs() set it for the user's half; nobody else will clear it. */
		if (kernel[i].status != GNTST_okay)
			ClearPageForeign(range->pages[first + i]);
		if (user[i].status == GNTST_okay)
			grants->user_handles[first + i] = user[i].handle;
		else if (!err)
			err = status_to_errno(user[i].status);
	}
	return err;
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
	u32 flags = GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly);
	unsigned int first, nr;
	struct map_batch *batch;
	int err = 0;

	batch = kmalloc_obj(*batch, GFP_KERNEL);
	if (!batch)
		return -ENOMEM;

	for (first = 0; first < range->nr_pages && !err; first += nr) {
		nr = min_t(unsigned int, range->nr_pages - first, GNTMAP_MAP_BATCH);
		err = map_some(range, first, nr, flags, batch);
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}

	kfree(batch);
	return err;
}

static int grants_map(struct gntmap_range *range, struct vm_area_struct *vma)
{
	return gntmap_grants_map(range, vma->vm_flags & VM_WRITE);
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

/* The PTEs are none afterwards; the kernel's mapping, and with it the grant, stays. */
static void grants_unmap_user(struct gntmap_range *range, unsigned int first, unsigned int end)
{
	struct gnttab_unmap_grant_ref ops[GNTMAP_UNMAP_BATCH];
	grant_handle_t *handles = range->grants.user_handles;
	unsigned int which[GNTMAP_UNMAP_BATCH];
	unsigned int i, nr = 0;

	for (i = first; i < end; i++) {
		if (handles[i] != INVALID_GRANT_HANDLE) {
			gnttab_set_unmap_op(&ops[nr], gntmap_user_pte(range, i),
					    user_flags(GNTMAP_host_map), handles[i]);
			ops[nr].status = GNTST_general_error;
			which[nr++] = i;
			handles[i] = INVALID_GRANT_HANDLE;
		}
		if (nr == GNTMAP_UNMAP_BATCH || (nr && i + 1 == end)) {
			if (HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, ops, nr))
				pr_err_ratelimited("unmapping of %u user PTEs failed\n", nr);
			while (nr--)
				if (ops[nr].status != GNTST_okay)
					lose(range, which[nr], ops[nr].status);
			nr = 0;
			cond_resched();
		}
	}
}

/*
 * A page whose reference count is not ours alone is pinned: a device may be
 * writing to it. New pins cannot come, only those who have one can pass it on.
 */
static unsigned int grants_unmap(struct gntmap_range *range)
{
	struct gnttab_unmap_grant_ref ops[GNTMAP_UNMAP_BATCH];
	grant_handle_t *handles = range->grants.handles;
	struct page *pages[GNTMAP_UNMAP_BATCH];
	unsigned int which[GNTMAP_UNMAP_BATCH];
	unsigned int i, nr = 0, nr_pinned = 0;

	for (i = 0; i < range->nr_pages; i++) {
		if (handles[i] == INVALID_GRANT_HANDLE) {
			;
		} else if (page_count(range->pages[i]) > 1) {
			nr_pinned++;
		} else {
			gnttab_set_unmap_op(&ops[nr], (unsigned long)kernel_addr(range, i),
					    GNTMAP_host_map, handles[i]);
			ops[nr].status = GNTST_general_error;
			pages[nr] = range->pages[i];
			which[nr++] = i;
			handles[i] = INVALID_GRANT_HANDLE;
		}
		if (nr == GNTMAP_UNMAP_BATCH || (nr && i + 1 == range->nr_pages)) {
			/*
			 * In PV it returns -EINVAL for a page that never got
			 * into the p2m because half of its mapping had failed.
			 * What counts is each slot's status.
			 */
			gnttab_unmap_refs(ops, NULL, pages, nr);
			while (nr--)
				if (ops[nr].status != GNTST_okay)
					lose(range, which[nr], ops[nr].status);
			nr = 0;
			cond_resched();
		}
	}
	return nr_pinned;
}

const struct gntmap_source gntmap_grants = {
	.alloc = grants_alloc,
	.free = grants_free,
	.map = grants_map,
	.unmap_user = grants_unmap_user,
	.unmap = grants_unmap,
};
