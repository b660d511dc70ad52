// SPDX-License-Identifier: GPL-2.0
/*
 * GRANT_COPY: Xen copies between grants and the caller's memory, and nothing is
 * mapped.
 *
 * Segments are taken in chunks. One side of a segment at least is a grant,
 * which cannot cross a page, so the caller's side crosses one boundary at
 * most and a segment becomes one operation or two, each with at most one page
 * of the caller's. The pages of a chunk are pinned for one hypercall, as many at
 * once as lie one after the other.
 */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/xen/hypercall.h>
#include <xen/grant_table.h>
#include <xen/gntdev.h>
#include <xen/page.h>

#include "gntmap.h"

#define CHUNK		32	/* segments */
#define FEW		2	/* so few need no memory but the stack */
#define EAGAIN_MAX_MS	256

struct batch {
	struct gntdev_grant_copy_segment *segments;	/* a chunk of them */
	struct gnttab_copy *ops;	/* one or two for each */
	struct page **pages;		/* the caller's, one for each operation; NULL: none */
	u8 *segment;			/* that the operation is a part of */
	unsigned int nr_ops;
	unsigned int nr_pinned;		/* operations whose page is pinned, if they have one */
};

#define BATCH_BYTES(nr_segments)						\
	(sizeof(struct batch) +							\
	 (nr_segments) * (sizeof(struct gntdev_grant_copy_segment) +		\
			  2 * (sizeof(struct gnttab_copy) + sizeof(struct page *) + sizeof(u8))))

/* Makes a batch for chunks of @nr segments of BATCH_BYTES(@nr) at @memory. */
static struct batch *batch_init(void *memory, unsigned int nr)
{
	struct batch *batch = memory;

	batch->segments = (void *)(batch + 1);
	batch->ops = (void *)(batch->segments + nr);
	batch->pages = (void *)(batch->ops + 2 * nr);
	batch->segment = (void *)(batch->pages + 2 * nr);
	return batch;
}

/* Is it something that Xen can be asked for? */
static int check_segment(struct gntmap_file *priv, const struct gntdev_grant_copy_segment *seg)
{
	int err;

	/* From one's own memory to one's own memory is memcpy()'s affair. */
	if (!(seg->flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref)))
		return -EINVAL;
	if (seg->flags & GNTCOPY_source_gref) {
		if (seg->source.foreign.offset + seg->len > XEN_PAGE_SIZE)
			return -EINVAL;
		err = gntmap_file_may_name(priv, seg->source.foreign.domid);
		if (err)
			return err;
	}
	if (seg->flags & GNTCOPY_dest_gref) {
		if (seg->dest.foreign.offset + seg->len > XEN_PAGE_SIZE)
			return -EINVAL;
		err = gntmap_file_may_name(priv, seg->dest.foreign.domid);
		if (err)
			return err;
	}
	return 0;
}

/* How much of it one operation can do from byte @done on. */
static unsigned int part(const struct gntdev_grant_copy_segment *seg, unsigned int done)
{
	unsigned int left = seg->len - done;
	const void __user *virt;

	if (!(seg->flags & GNTCOPY_source_gref))
		virt = seg->source.virt;
	else if (!(seg->flags & GNTCOPY_dest_gref))
		virt = seg->dest.virt;
	else
		return left;
	return min_t(unsigned int, left, PAGE_SIZE - offset_in_page(virt + done));
}

/* One side of an operation, a grant. */
static void set_grant(struct gnttab_copy_ptr *side, grant_ref_t ref, domid_t domid,
		      unsigned int offset)
{
	side->u.ref = ref;
	side->domid = domid;
	side->offset = offset;
}

/* One side of an operation, in a page of the caller's. Its address is there until it is pinned. */
static void set_virt(struct gnttab_copy_ptr *side, const void __user *virt)
{
	side->u.gmfn = (unsigned long)virt & PAGE_MASK;
	side->domid = DOMID_SELF;
	side->offset = offset_in_page(virt);
}

/* Turn segment @i of the chunk into operations. */
static void add_segment(struct batch *batch, unsigned int i)
{
	const struct gntdev_grant_copy_segment *seg = &batch->segments[i];
	unsigned int done, len;

	for (done = 0; done < seg->len; done += len) {
		struct gnttab_copy *op = &batch->ops[batch->nr_ops];

		len = part(seg, done);
		op->flags = seg->flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref);
		op->len = len;
		/* If the hypercall as a whole fails, no operation was looked at. */
		op->status = GNTST_general_error;
		batch->segment[batch->nr_ops] = i;
		batch->pages[batch->nr_ops] = NULL;

		if (op->flags & GNTCOPY_source_gref)
			set_grant(&op->source, seg->source.foreign.ref,
				  seg->source.foreign.domid, seg->source.foreign.offset + done);
		else
			set_virt(&op->source, seg->source.virt + done);
		if (op->flags & GNTCOPY_dest_gref)
			set_grant(&op->dest, seg->dest.foreign.ref,
				  seg->dest.foreign.domid, seg->dest.foreign.offset + done);
		else
			set_virt(&op->dest, seg->dest.virt + done);
		batch->nr_ops++;
	}
}

/* Is the caller's page written to? */
static bool writes(const struct gnttab_copy *op)
{
	return !(op->flags & GNTCOPY_dest_gref);
}

/* Which side is in the caller's page; NULL: both are grants. */
static struct gnttab_copy_ptr *own_side(struct gnttab_copy *op)
{
	if (writes(op))
		return &op->dest;
	return op->flags & GNTCOPY_source_gref ? NULL : &op->source;
}

/* How many operations from @op on, of @max, have the caller's pages one after the other. */
static unsigned int run(struct gnttab_copy *op, unsigned int max)
{
	u64 addr = own_side(op)->u.gmfn;
	u16 flags = op->flags;
	unsigned int nr = 1;

	while (nr < max && op[nr].flags == flags &&
	       own_side(&op[nr])->u.gmfn == addr + nr * PAGE_SIZE)
		nr++;
	return nr;
}

/*
 * -EFAULT, -ENOMEM: some are pinned and others not. Which, only the count tells:
 * get_user_pages() leaves pages behind that it looked at and did not keep
 * (gup_fast() when a fork came between; gup_fast_pmd_leaf() too, until 7.x).
 */
static int pin(struct batch *batch)
{
	unsigned int i;
	int nr;

	for (batch->nr_pinned = 0; batch->nr_pinned < batch->nr_ops; batch->nr_pinned += nr) {
		unsigned int first = batch->nr_pinned;
		struct gnttab_copy *op = &batch->ops[first];
		struct page **pages = &batch->pages[first];

		nr = 1;
		if (!own_side(op))
			continue;
		nr = pin_user_pages_fast(own_side(op)->u.gmfn, run(op, batch->nr_ops - first),
					 writes(op) ? FOLL_WRITE : 0, pages);
		if (nr < 1)
			return nr ?: -EFAULT;
		for (i = 0; i < nr; i++)
			own_side(&op[i])->u.gmfn = xen_page_to_gfn(pages[i]);
	}
	return 0;
}

/* A page of the granter's may be paged out: ask again, for a while. */
static void ask_again(struct gnttab_copy *op)
{
	unsigned int ms;

	for (ms = 1; op->status == GNTST_eagain && ms < EAGAIN_MAX_MS; ms++) {
		if (fatal_signal_pending(current))
			break;
		msleep(ms);
		if (HYPERVISOR_grant_table_op(GNTTABOP_copy, op, 1))
			op->status = GNTST_general_error;
	}
	if (op->status == GNTST_eagain)
		op->status = GNTST_bad_page;
}

static void do_ops(struct batch *batch)
{
	unsigned int i;

	if (!batch->nr_ops)
		return;
	if (HYPERVISOR_grant_table_op(GNTTABOP_copy, batch->ops, batch->nr_ops))
		return;
	for (i = 0; i < batch->nr_ops; i++)
		ask_again(&batch->ops[i]);
}

/* What was not done was not written to. */
static bool dirtied(const struct batch *batch, unsigned int i)
{
	return writes(&batch->ops[i]) && batch->ops[i].status == GNTST_okay;
}

static void unpin(struct batch *batch)
{
	unsigned int first, nr;

	for (first = 0; first < batch->nr_pinned; first += nr) {
		nr = 1;
		if (!batch->pages[first])
			continue;
		while (first + nr < batch->nr_pinned && batch->pages[first + nr] &&
		       dirtied(batch, first + nr) == dirtied(batch, first))
			nr++;
		unpin_user_pages_dirty_lock(&batch->pages[first], nr, dirtied(batch, first));
	}
}

/* None of them was copied. False: their memory is no good. */
static bool put_no_statuses(struct gntdev_grant_copy_segment __user *u, unsigned int nr)
{
	while (nr--)
		if (put_user(GNTST_general_error, &u[nr].status))
			return false;
	return true;
}

/* Each segment's first failure, or that there was none. */
static int put_statuses(struct batch *batch, struct gntdev_grant_copy_segment __user *u,
			unsigned int nr)
{
	unsigned int i, op = 0;

	for (i = 0; i < nr; i++) {
		s16 status = GNTST_okay;

		for (; op < batch->nr_ops && batch->segment[op] == i; op++)
			if (status == GNTST_okay)
				status = batch->ops[op].status;
		if (put_user(status, &u[i].status))
			return -EFAULT;
	}
	return 0;
}

static int copy_chunk(struct gntmap_file *priv, struct batch *batch,
		      struct gntdev_grant_copy_segment __user *u, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	if (copy_from_user(batch->segments, u, nr * sizeof(*u)))
		return -EFAULT;
	batch->nr_ops = 0;
	for (i = 0; i < nr && !err; i++) {
		err = check_segment(priv, &batch->segments[i]);
		if (!err)
			add_segment(batch, i);
	}
	if (!err) {
		err = pin(batch);
		if (!err)
			do_ops(batch);
		unpin(batch);
	}
	if (err)
		put_no_statuses(u, nr);
	return err ?: put_statuses(batch, u, nr);
}

/*
 * GRANT_COPY: copy @count @segments.
 *
 * 0: every segment's status says how it went, with GNTST_okay or what became
 * of its first part that failed. After an error GNTST_okay still means that the
 * segment was copied, and anything else that it may not have been. -EINVAL: a
 * segment without a grant, or whose grant's side leaves its page; -EPERM: the
 * file is restricted to another domain; -EFAULT, -ENOMEM, -EINTR, and whatever
 * else pin_user_pages_fast() says of the caller's memory.
 */
long gntmap_grant_copy(struct gntmap_file *priv, struct ioctl_gntdev_grant_copy __user *u)
{
	u64 stack[DIV_ROUND_UP(BATCH_BYTES(FEW), sizeof(u64))];
	struct ioctl_gntdev_grant_copy op;
	unsigned int first, nr;
	void *memory = stack;
	struct batch *batch;
	int err = 0;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	nr = min_t(unsigned int, op.count, CHUNK);
	/* No more than it takes: the kernel may clear it. */
	if (nr > FEW)
		memory = kmalloc(BATCH_BYTES(nr), GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	batch = batch_init(memory, nr);

	for (first = 0; first < op.count; first += nr) {
		nr = min_t(unsigned int, op.count - first, CHUNK);
		if (!err)
			err = copy_chunk(priv, batch, op.segments + first, nr);
		else if (fatal_signal_pending(current) || !put_no_statuses(op.segments + first, nr))
			break;
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	if (memory != stack)
		kfree(memory);
	return err;
}
