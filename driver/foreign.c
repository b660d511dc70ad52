// SPDX-License-Identifier: GPL-2.0
/*
 * Foreign frames behind a range: those of GNTMAP_IOCTL_MAP_FOREIGN.
 *
 * No grant gives them to us but the privilege over their domain. Xen is told
 * the domain and the frame's number there: what it takes to have that frame
 * behind a struct page of ours, and to be rid of it, is up to the backend
 * (foreign_pv.c, foreign_xlate.c). Per page we keep only bits.
 */
#include <linux/bitops.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "gntmap.h"

/* No machine has so many: 52 bits of address. Stands for all higher numbers too. */
#define NO_GFN		(1ull << (52 - PAGE_SHIFT))

int gntmap_foreign_alloc(struct gntmap_range *range)
{
	size_t nr = BITS_TO_LONGS(range->nr_pages);

	range->present = kvcalloc(nr, sizeof(long), GFP_USER_SIZED);
	if (!range->present)
		return -ENOMEM;
	if (!range->backend->fixed)
		return 0;
	range->foreign.shown = kvcalloc(nr, sizeof(long), GFP_USER_SIZED);
	return range->foreign.shown ? 0 : -ENOMEM;
}

void gntmap_foreign_free(struct gntmap_range *range)
{
	kvfree(range->foreign.shown);
	kvfree(range->present);
}

/* May a VMA like this show the range? -EACCES: it is read-only. */
int gntmap_foreign_check(struct gntmap_range *range, struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_WRITE) && !range->foreign.writable ? -EACCES : 0;
}

/* The frame of a page could not be unmapped, which would be our bug or Xen's. */
void gntmap_foreign_lose(struct gntmap_range *range, unsigned int i, int err)
{
	pr_err_ratelimited("page %u of frames of domain %u: unmap failed (%d), it is lost\n",
			   i, range->foreign.domid, err);
	range->lost = true;
}

/* The numbers of frames @first to @first + @nr - 1 of what the user wants. */
static int get_gfns(const struct gntmap_map_foreign *op, unsigned int first, unsigned int nr,
		    xen_ulong_t *gfns)
{
	unsigned int i;

	if (!(op->flags & GNTMAP_FOREIGN_RUN) &&
	    copy_from_user(gfns, u64_to_user_ptr(op->gfns) + first * sizeof(u64),
			   nr * sizeof(u64)))
		return -EFAULT;

	for (i = 0; i < nr; i++) {
		if (op->flags & GNTMAP_FOREIGN_RUN)
			gfns[i] = min(op->gfns, NO_GFN) + first + i;
		gfns[i] = min_t(u64, gfns[i], NO_GFN);
	}
	return 0;
}

static int put_errs(const struct gntmap_map_foreign *op, unsigned int first, unsigned int nr,
		    const s32 *errs)
{
	if (op->errors && copy_to_user(u64_to_user_ptr(op->errors) + first * sizeof(s32), errs,
				       nr * sizeof(s32)))
		return -EFAULT;
	return 0;
}

/* Room for a batch of @nr, or NULL. The widest members come first. */
static struct gntmap_frames *frames_alloc(unsigned int nr)
{
	struct gntmap_frames *frames;

	frames = kmalloc(sizeof(*frames) + nr * (GNTMAP_FRAME_SCRATCH + sizeof(*frames->gfns) +
						 sizeof(*frames->errs)), GFP_KERNEL_ACCOUNT);
	if (!frames)
		return NULL;
	frames->scratch = frames + 1;
	frames->gfns = frames->scratch + nr * GNTMAP_FRAME_SCRATCH;
	frames->errs = (s32 *)(frames->gfns + nr);
	return frames;
}

/*
 * Map all frames that can be. The caller's list of errors is complete then, and
 * *@nr_mapped says how many frames had none; *@first_err is that of the first
 * one that did, or 0.
 */
static int map_frames(struct gntmap_range *range, const struct gntmap_map_foreign *op,
		      unsigned int *nr_mapped, int *first_err)
{
	struct gntmap_frames *frames;
	unsigned int first, nr, i;
	int err = 0;

	frames = frames_alloc(min(range->nr_pages, GNTMAP_FRAMES_BATCH));
	if (!frames)
		return -ENOMEM;

	for (first = 0; first < range->nr_pages && !err; first += nr) {
		nr = min_t(unsigned int, range->nr_pages - first, GNTMAP_FRAMES_BATCH);
		err = get_gfns(op, first, nr, frames->gfns);
		if (err)
			break;
		if (op->domid < DOMID_FIRST_RESERVED)
			range->backend->map_foreign(range, first, nr, frames);
		for (i = 0; i < nr; i++) {
			if (op->domid >= DOMID_FIRST_RESERVED)
				frames->errs[i] = -ESRCH;
			if (!frames->errs[i])
				++*nr_mapped;
			else if (!*first_err)
				*first_err = frames->errs[i];
		}
		err = put_errs(op, first, nr, frames->errs);
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}

	kfree(frames);
	return err;
}

/* GNTMAP_IOCTL_MAP_FOREIGN; <xen/gntmap.h> says what it answers. */
long gntmap_map_foreign(struct gntmap_file *priv, struct gntmap_map_foreign __user *u)
{
	struct gntmap_map_foreign op;
	struct gntmap_range *range;
	unsigned int nr_mapped = 0;
	int err, first_err = 0;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	if (op.size != sizeof(op) || op.reserved || op.reserved2 ||
	    (op.flags & ~(GNTMAP_FOREIGN_WRITE | GNTMAP_FOREIGN_PARTIAL | GNTMAP_FOREIGN_RUN)))
		return -EINVAL;
	/* Too wide an id is no domain's: that is each frame's error. */
	err = gntmap_file_may_name(priv, op.domid);
	if (err && err != -EINVAL)
		return err;

	range = gntmap_range_alloc(priv, gntmap_range_backend()->foreign, op.nr);
	if (IS_ERR(range))
		return PTR_ERR(range);
	range->foreign.domid = op.domid;
	range->foreign.writable = op.flags & GNTMAP_FOREIGN_WRITE;

	err = map_frames(range, &op, &nr_mapped, &first_err);
	if (!err && (!(op.flags & GNTMAP_FOREIGN_PARTIAL) || !nr_mapped))
		err = first_err;
	if (!err)
		err = gntmap_offsets_add(&priv->offsets, range, &u->offset);
	gntmap_range_put(range);
	return err;
}
