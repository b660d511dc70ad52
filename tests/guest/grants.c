// SPDX-License-Identifier: GPL-2.0
/*
 * The grant table, version 1. Xen sets GTF_reading and GTF_writing in an entry that
 * is in use, and may do so at any instant: an entry is only ever changed by
 * comparing and swapping its half-word of flags.
 */
#include "guest.h"

#include <xen/grant_table.h>

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))

static char window[PAGE_SIZE] PAGE_ALIGNED;
/* One page of frame numbers: 262,144 entries. */
static xen_pfn_t frames[PAGE_SIZE / sizeof(xen_pfn_t)];

void grants_init(uint32_t nr_refs)
{
	struct gnttab_setup_table op = {
		.dom = DOMID_SELF,
		.nr_frames = (nr_refs + ENTRIES_PER_FRAME - 1) / ENTRIES_PER_FRAME,
	};
	long ret;

	if (op.nr_frames > ARRAY_SIZE(frames))
		die("too many pages to grant", nr_refs);
	set_xen_guest_handle(op.frame_list, frames);
	ret = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &op, 1);
	/* GNTST_general_error: more frames than the domain's max_grant_frames */
	if (ret || op.status != GNTST_okay)
		die("GNTTABOP_setup_table", ret ? ret : op.status);
}

static struct grant_entry_v1 *entry(uint32_t ref)
{
	static uint64_t shown; /* a table's machine frame is never 0 */
	uint64_t mfn = frames[ref / ENTRIES_PER_FRAME];

	if (shown != mfn)
		map_frame(window, mfn);
	shown = mfn;
	return (struct grant_entry_v1 *)window + ref % ENTRIES_PER_FRAME;
}

void grant(uint32_t ref, domid_t to, uint64_t mfn, bool readonly)
{
	struct grant_entry_v1 *e = entry(ref);

	if (mfn > UINT32_MAX)
		die("a frame too high for a version 1 grant", mfn);
	e->domid = to;
	e->frame = mfn;
	store_release(&e->flags, (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0)));
}

bool grant_exists(uint32_t ref)
{
	return load_acquire(&entry(ref)->flags) != GTF_invalid;
}

bool grant_busy(uint32_t ref)
{
	return load_acquire(&entry(ref)->flags) & (GTF_reading | GTF_writing);
}

bool grant_end(uint32_t ref)
{
	struct grant_entry_v1 *e = entry(ref);
	uint16_t flags = load_acquire(&e->flags);

	do {
		if (flags & (GTF_reading | GTF_writing))
			return false;
	} while (!__atomic_compare_exchange_n(&e->flags, &flags, GTF_invalid, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return true;
}

/* Its PTE is Xen's to write while it is used. */
static char foreign[PAGE_SIZE] PAGE_ALIGNED;
static grant_handle_t foreign_handle;

volatile uint64_t *grant_map(uint32_t ref)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = (uintptr_t)foreign,
		.flags = GNTMAP_host_map,
		.ref = ref,
		.dom = 0,
	};
	long ret = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &op, 1);

	if (ret)
		die("GNTTABOP_map_grant_ref", ret);
	if (op.status != GNTST_okay) {
		console_print("granter: reference %lu of dom0 cannot be mapped: %ld\n", (uint64_t)ref, (int64_t)op.status);
		return NULL;
	}
	foreign_handle = op.handle;
	return (volatile uint64_t *)foreign;
}

void grant_unmap(void)
{
	struct gnttab_unmap_grant_ref op = { .host_addr = (uintptr_t)foreign, .handle = foreign_handle };
	long ret = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &op, 1);

	if (ret || op.status != GNTST_okay)
		die("GNTTABOP_unmap_grant_ref", ret ? ret : op.status);
}
