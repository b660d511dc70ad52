// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a mapping.
 *
 * A range is born by MAP_GRANT_REF or MAP_FOREIGN with all that it will ever
 * need: its pages, and room for what its source has to know of their frames.
 * From then on it is in one of three states:
 *
 *	IDLE		No VMA shows it. mmap() may begin.
 *	MAPPED		From the begin of mmap() to the close of the last VMA
 *			that shows the range (there is more than one after fork,
 *			a split or a move, where the backend allows them).
 *	DRAINING	No page table has the pages any more, so nobody new can
 *			get at them, but direct IO or a long-term pin may have
 *			got hold of some before. Those frames stay mapped until
 *			the last pin is gone; all others go back at once.
 *
 * Where frames come from and go to is the source's affair (struct
 * gntmap_source). Grants are mapped from mmap() to the end of DRAINING, as
 * <xen/gntdev.h> has it: IDLE means that none is. The frames of a lasting
 * source, foreign ones, are mapped before the range gets its offset, so that
 * the caller can be told of each that cannot be; they outlive every mmap(), and
 * go back when the range's last reference does. The close of the last VMA
 * therefore leads straight to IDLE, pinned pages or not: a new mmap() shows the
 * same frames. It is the end of the range that may have to drain.
 *
 * For grants, mmap() moves IDLE to MAPPED. The close of the last VMA, or a failed mmap()
 * after undoing what it put into page tables, moves MAPPED to DRAINING and
 * drains at once, in its own context. If no page was pinned the range is IDLE
 * when that returns, so that a munmap() without pins has handed everything
 * back. Otherwise a work item looks again, at growing intervals, as there is
 * nobody who would tell of a page's last pin; it ends in IDLE too.
 *
 * A range in DRAINING belongs to the one context that drains it: the one that
 * left MAPPED first, then the work item. MAPPED is entered and left by whoever
 * has mmap_lock or is the last user of an address space. Only the change of
 * state and the number of VMAs are shared, and have the range's spinlock.
 *
 * References are held by the file's offset (given up by UNMAP_GRANT_REF, in PV
 * not before the last VMA is closed, and by the release of the file), by each
 * VMA, and by a queued work item. The last one to go finds an IDLE range and
 * frees it, after the frames of a lasting source went back; if a page of these
 * is pinned the range lives on with one reference, that of the work item which
 * drains it. So a range may outlive its offset while it is mapped, and its file
 * and its strategy's module while it drains; a queued work item therefore keeps
 * the core module and touches neither.
 *
 * In PV, Xen maps a frame at up to two places: at the user's PTE, and at the
 * kernel's address of the page. A grant gets the latter, and its p2m entry, not
 * before somebody in the kernel asks for the page (gntmap_range_reach()), and
 * keeps them until it drains. What happens to the PTEs is the backend's affair;
 * it has to have them out of the page tables before the VMA is gone, pinned or
 * not. A pin only ever needs the kernel's mapping and the p2m entry, which are
 * what draining undoes: a page that nobody asked for has gone back by then.
 *
 * tests/model/range.pml is this essay for a model checker, with the same names.
 *
 * Teardown cannot fail: nothing on the way from MAPPED to IDLE allocates.
 * Should Xen refuse an unmap, the range's pages are leaked on purpose: they
 * may still be somebody else's memory.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "gntmap.h"

#define DRAIN_DELAY_MIN	1		/* jiffies */
#define DRAIN_DELAY_MAX	(HZ / 10)

static const struct gntmap_backend *backend;
static struct workqueue_struct *drain_wq;

static void drain_work(struct work_struct *work);

/**
 * gntmap_range_array - memory for something that a range knows of each page
 * @range: new
 * @size: bytes for one page; widest first, as the arrays of a small range lie one
 *	after the other. GNTMAP_SOURCE_ROOM for all that a source asks for.
 *
 * Return: the array, not cleared, for gntmap_range_free_array(), or NULL.
 */
void *gntmap_range_array(struct gntmap_range *range, size_t size)
{
	void *array = range->room;

	if (range->nr_pages > GNTMAP_SMALL_RANGE)
		return kvmalloc_array(range->nr_pages, size, GFP_USER_SIZED);
	range->room += range->nr_pages * size;
	return array;
}

void gntmap_range_free_array(struct gntmap_range *range, void *array)
{
	if (range->nr_pages > GNTMAP_SMALL_RANGE)
		kvfree(array);
}

/* Of a small range: backend->room bytes for the backend; of others NULL. */
void *gntmap_range_room(struct gntmap_range *range)
{
	return range->nr_pages > GNTMAP_SMALL_RANGE ? NULL : range + 1;
}

/**
 * gntmap_range_alloc - make a range with nothing in it
 * @priv: the file that asks, and that the pages are charged to
 * @source: of its frames
 * @nr: pages
 *
 * Return: the range, IDLE, with one reference, or an ERR_PTR: -EINVAL if @nr
 * is 0 or above the limit, -ENOSPC above the file's cap, -ENOMEM.
 */
struct gntmap_range *gntmap_range_alloc(struct gntmap_file *priv,
					const struct gntmap_source *source, u64 nr)
{
	struct gntmap_range *range;
	size_t room = 0;
	int err;

	err = gntmap_account_charge(priv->account, nr);
	if (err)
		return ERR_PTR(err);
	if (nr <= GNTMAP_SMALL_RANGE)
		room = backend->room + nr * (sizeof(*range->pages) + GNTMAP_SOURCE_ROOM);
	range = kzalloc(sizeof(*range) + room, GFP_KERNEL_ACCOUNT);
	if (!range) {
		err = -ENOMEM;
		goto err_uncharge;
	}

	refcount_set(&range->refs, 1);
	range->room = (void *)(range + 1) + backend->room;
	range->nr_pages = nr;
	range->strategy = priv->strategy;
	range->account = priv->account;
	range->source = source;
	range->backend = backend;
	RB_CLEAR_NODE(&range->node);
	spin_lock_init(&range->lock);
	INIT_DELAYED_WORK(&range->drain, drain_work);

	err = -ENOMEM;
	range->pages = gntmap_range_array(range, sizeof(*range->pages));
	if (!range->pages)
		goto err_free_range;
	err = source->alloc(range);
	if (err)
		goto err_free_source;
	err = gntmap_pages_alloc(range->pages, nr, &range->provider);
	if (err)
		goto err_free_source;
	return range;

err_free_source:
	source->free(range);
	gntmap_range_free_array(range, range->pages);
err_free_range:
	kfree(range);
err_uncharge:
	gntmap_account_uncharge(priv->account, nr);
	return ERR_PTR(err);
}

static void set_idle(struct gntmap_range *range)
{
	u32 port;

	spin_lock(&range->lock);
	range->state = GNTMAP_RANGE_IDLE;
	port = gntmap_notify_drained(range);
	spin_unlock(&range->lock);
	/* The grants are back before the granter hears of it. */
	gntmap_notify_send(port);
}

static bool drained(struct gntmap_range *range)
{
	if (range->source->unmap(range))
		return false;
	set_idle(range);
	return true;
}

/* Once it is queued the range may be the work item's alone, and gone. */
static void drain_later(struct gntmap_range *range)
{
	unsigned long delay = range->drain_delay;

	range->drain_delay = min_t(unsigned long, delay * 2, DRAIN_DELAY_MAX);
	queue_delayed_work(drain_wq, &range->drain, delay);
}

static void drain_work(struct work_struct *work)
{
	struct gntmap_range *range = container_of(work, struct gntmap_range, drain.work);

	if (!drained(range)) {
		drain_later(range);
		return;
	}
	gntmap_range_put(range);
	/* What is left of this function runs before gntmap_range_exit() has flushed the queue. */
	module_put(THIS_MODULE);
}

/* A first look found pinned pages. Takes over the caller's reference. */
static void drain_begin(struct gntmap_range *range)
{
	__module_get(THIS_MODULE);
	range->drain_delay = DRAIN_DELAY_MIN;
	drain_later(range);
}

/* Give up a reference; the last one frees the range, which is IDLE. */
void gntmap_range_put(struct gntmap_range *range)
{
	if (!refcount_dec_and_test(&range->refs))
		return;

	if (range->source->lasting && range->source->unmap(range)) {
		/* Nobody has the range any more but we and, from here on, the work item. */
		range->state = GNTMAP_RANGE_DRAINING;
		refcount_set(&range->refs, 1);
		drain_begin(range);
		return;
	}
	gntmap_notify_send(gntmap_notify_take(range));
	if (!range->lost)
		gntmap_pages_free(range->pages, range->nr_pages, range->provider);
	range->source->free(range);
	gntmap_range_free_array(range, range->pages);
	gntmap_account_uncharge(range->account, range->nr_pages);
	kfree(range);
}

/**
 * gntmap_range_begin - IDLE to MAPPED, with one VMA
 * @range: to be mapped
 *
 * On success the caller's reference is the VMA's: gntmap_range_put_vma() gives
 * it up.
 *
 * Return: 0, -EINVAL if the range is mapped already, -EBUSY while it drains,
 * -EIO if Xen has refused to unmap a frame of it: where a frame is mapped still,
 * there must be no other.
 */
int gntmap_range_begin(struct gntmap_range *range)
{
	int err = 0;

	spin_lock(&range->lock);
	if (range->state == GNTMAP_RANGE_MAPPED) {
		err = -EINVAL;
	} else if (range->state == GNTMAP_RANGE_DRAINING) {
		err = -EBUSY;
	} else if (range->lost) {
		err = -EIO;
	} else {
		range->state = GNTMAP_RANGE_MAPPED;
		range->nr_vmas = 1;
	}
	spin_unlock(&range->lock);
	return err;
}

/* Has it a VMA? Only a hint, unless the caller keeps everybody from mapping. */
bool gntmap_range_mapped(struct gntmap_range *range)
{
	return READ_ONCE(range->state) == GNTMAP_RANGE_MAPPED;
}

/* One more VMA shows a MAPPED range. */
void gntmap_range_get_vma(struct gntmap_range *range)
{
	refcount_inc(&range->refs);
	spin_lock(&range->lock);
	range->nr_vmas++;
	spin_unlock(&range->lock);
}

/* A VMA is gone, and its PTEs with it. */
void gntmap_range_put_vma(struct gntmap_range *range)
{
	bool last;

	spin_lock(&range->lock);
	last = --range->nr_vmas == 0;
	if (last)
		range->state = GNTMAP_RANGE_DRAINING;
	spin_unlock(&range->lock);

	if (last) {
		gntmap_notify_unmapped(range);
		range->backend->close(range);
		if (range->source->lasting) {
			set_idle(range);
		} else if (!drained(range)) {
			drain_begin(range);
			return;
		}
	}
	gntmap_range_put(range);
}

/**
 * gntmap_range_reach - see to it that the kernel can use a page
 * @range: that a VMA shows, with its lock
 * @i: page
 *
 * Where the frames are in the user's PTEs only, one is mapped for the kernel when
 * it is asked for. It stays until the range has drained. Does not sleep.
 *
 * Return: 0; -ENOENT if the user has not got the page, or not any more; -ENOSPC if
 * Xen refuses another mapping of it.
 */
int gntmap_range_reach(struct gntmap_range *range, unsigned int i)
{
	return range->source->reach ? range->source->reach(range, i) : 0;
}

/* The one that every range has. */
const struct gntmap_backend *gntmap_range_backend(void)
{
	return backend;
}

int gntmap_range_init(const struct gntmap_backend *the_backend)
{
	backend = the_backend;
	drain_wq = alloc_workqueue("gntmap", WQ_UNBOUND, 0);
	return drain_wq ? 0 : -ENOMEM;
}

void gntmap_range_exit(void)
{
	destroy_workqueue(drain_wq);
}
