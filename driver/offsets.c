// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a file belong to which range.
 *
 * A new range gets the lowest free run of pages that holds it, so the first
 * one of a file lies at 0 (which <xen/gntdev.h> promises) and offsets are used
 * again. The tree is sorted by index; each node knows the free pages just below
 * it and the largest such gap in its subtree, so adding, finding and removing
 * take logarithmic time, allocate nothing and cannot fail for want of memory.
 *
 * A range that is removed while a fixed VMA shows it keeps its place until
 * that VMA is gone, though nobody finds it any more: mremap() knows a VMA by its
 * offset only, and has to be told that this one cannot be moved.
 */
#include <linux/rbtree_augmented.h>
#include <linux/uaccess.h>

#include "gntmap.h"

/* mmap's offset is a loff_t in bytes. */
#define GNTMAP_MAX_INDEX (LLONG_MAX >> PAGE_SHIFT)

#define to_range(rb) rb_entry(rb, struct gntmap_range, node)
#define range_gap(range) ((range)->gap)

RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct gntmap_range, node,
			 unsigned long, max_gap, range_gap)

static void set_gap(struct gntmap_range *range, unsigned long gap)
{
	range->gap = gap;
	gap_callbacks_propagate(&range->node, NULL);
}

void gntmap_offsets_init(struct gntmap_offsets *offsets)
{
	spin_lock_init(&offsets->lock);
	offsets->root = RB_ROOT;
}

/* Gives up all ranges. The caller has the last reference to the file: nobody looks one up. */
void gntmap_offsets_exit(struct gntmap_offsets *offsets)
{
	struct gntmap_range *range, *next;

	rbtree_postorder_for_each_entry_safe(range, next, &offsets->root, node) {
		gntmap_range_put(range);
		cond_resched();
	}
}

/* The range with the lowest index that has @nr free pages below it, or NULL. */
static struct gntmap_range *lowest_gap(struct rb_root *root, unsigned long nr)
{
	struct rb_node *rb = root->rb_node;

	if (!rb || to_range(rb)->max_gap < nr)
		return NULL;
	for (;;) {
		while (rb->rb_left && to_range(rb->rb_left)->max_gap >= nr)
			rb = rb->rb_left;
		if (to_range(rb)->gap >= nr)
			return to_range(rb);
		rb = rb->rb_right;
	}
}

/* Takes over the caller's reference, unless the file's offsets are used up: -ENOSPC. */
static int add(struct gntmap_offsets *offsets, struct gntmap_range *range)
{
	struct rb_node **link, *parent;
	struct gntmap_range *above;
	int err = 0;

	spin_lock(&offsets->lock);
	above = lowest_gap(&offsets->root, range->nr_pages);
	if (above) {
		/* just before @above in sort order */
		range->index = above->index - above->gap;
		parent = &above->node;
		link = &parent->rb_left;
		while (*link) {
			parent = *link;
			link = &parent->rb_right;
		}
	} else {
		parent = rb_last(&offsets->root);
		link = parent ? &parent->rb_right : &offsets->root.rb_node;
		range->index = parent ? to_range(parent)->index + to_range(parent)->nr_pages : 0;
		if (range->index > GNTMAP_MAX_INDEX - range->nr_pages) {
			err = -ENOSPC;
			goto out_unlock;
		}
	}

	range->gap = 0;
	range->max_gap = 0;
	rb_link_node(&range->node, parent, link);
	if (above)
		set_gap(above, above->gap - range->nr_pages);
	rb_insert_augmented(&range->node, &offsets->root, &gap_callbacks);

out_unlock:
	spin_unlock(&offsets->lock);
	return err;
}

static void erase(struct gntmap_offsets *offsets, struct gntmap_range *range)
{
	struct rb_node *above = rb_next(&range->node);

	lockdep_assert_held(&offsets->lock);

	if (above)
		set_gap(to_range(above), to_range(above)->gap + range->gap + range->nr_pages);
	rb_erase_augmented(&range->node, &offsets->root, &gap_callbacks);
	RB_CLEAR_NODE(&range->node);
}

static bool is_fixed(struct gntmap_range *range)
{
	return range->backend->fixed && gntmap_range_mapped(range);
}

/**
 * gntmap_offsets_remove - take a range out of a file
 * @offsets: of the file; gives up its reference
 * @range: in it, perhaps; the caller has a reference too
 *
 * Return: true if it was there.
 */
bool gntmap_offsets_remove(struct gntmap_offsets *offsets, struct gntmap_range *range)
{
	bool there, put = false;

	spin_lock(&offsets->lock);
	there = !RB_EMPTY_NODE(&range->node) && !range->removed;
	if (is_fixed(range)) {
		range->removed |= there;
	} else if (!RB_EMPTY_NODE(&range->node)) {
		erase(offsets, range);
		put = true;
	}
	spin_unlock(&offsets->lock);

	if (put)
		gntmap_range_put(range);
	return there;
}

/**
 * gntmap_offsets_add - give a range its place in a file
 * @offsets: of the file; gets a reference of its own
 * @range: gets its index
 * @offset: where the user wants to be told of it, in bytes
 *
 * Return: 0, -ENOSPC if the file's offsets are used up, -EFAULT.
 */
int gntmap_offsets_add(struct gntmap_offsets *offsets, struct gntmap_range *range,
		       __u64 __user *offset)
{
	int err;

	/* With an offset it can be guessed and removed by another thread. */
	refcount_inc(&range->refs);
	err = add(offsets, range);
	if (err) {
		gntmap_range_put(range);
	} else if (put_user((u64)range->index << PAGE_SHIFT, offset)) {
		err = -EFAULT;
		gntmap_offsets_remove(offsets, range);
	}
	return err;
}

/* A VMA is gone. If no other shows @range, and it was removed before, its place is free now. */
void gntmap_offsets_unmapped(struct gntmap_offsets *offsets, struct gntmap_range *range)
{
	bool put = false;

	spin_lock(&offsets->lock);
	if (range->removed && !is_fixed(range) && !RB_EMPTY_NODE(&range->node)) {
		erase(offsets, range);
		put = true;
	}
	spin_unlock(&offsets->lock);

	if (put)
		gntmap_range_put(range);
}

/* Has nobody removed it? */
bool gntmap_offsets_has(struct gntmap_offsets *offsets, struct gntmap_range *range)
{
	bool has;

	spin_lock(&offsets->lock);
	has = !RB_EMPTY_NODE(&range->node) && !range->removed;
	spin_unlock(&offsets->lock);
	return has;
}

static struct gntmap_range *find(struct gntmap_offsets *offsets, unsigned long index)
{
	struct rb_node *rb = offsets->root.rb_node;
	struct gntmap_range *range;

	lockdep_assert_held(&offsets->lock);

	while (rb) {
		range = to_range(rb);
		if (range->index == index)
			return range;
		rb = index < range->index ? rb->rb_left : rb->rb_right;
	}
	return NULL;
}

/**
 * gntmap_offsets_get - find the range that starts at an index
 * @offsets: of the file
 * @index: in pages
 *
 * Return: the range, with a reference for the caller, or NULL.
 */
struct gntmap_range *gntmap_offsets_get(struct gntmap_offsets *offsets, unsigned long index)
{
	struct gntmap_range *range;

	spin_lock(&offsets->lock);
	range = find(offsets, index);
	if (range && range->removed)
		range = NULL;
	if (range)
		refcount_inc(&range->refs);
	spin_unlock(&offsets->lock);
	return range;
}

/**
 * gntmap_offsets_get_at - find the range that a page of the file belongs to
 * @offsets: of the file
 * @index: of the page
 *
 * Return: the range, with a reference for the caller, or NULL.
 */
struct gntmap_range *gntmap_offsets_get_at(struct gntmap_offsets *offsets, unsigned long index)
{
	struct gntmap_range *range, *found = NULL;
	struct rb_node *rb;

	spin_lock(&offsets->lock);
	rb = offsets->root.rb_node;
	while (rb && !found) {
		range = to_range(rb);
		if (index < range->index)
			rb = rb->rb_left;
		else if (index - range->index >= range->nr_pages)
			rb = rb->rb_right;
		else
			found = range;
	}
	if (found && found->removed)
		found = NULL;
	if (found)
		refcount_inc(&found->refs);
	spin_unlock(&offsets->lock);
	return found;
}

/**
 * gntmap_offsets_next - go through the ranges of a file
 * @offsets: of the file
 * @index: where to look from, in pages
 *
 * Return: the first range at @index or above that was not removed, with a
 * reference for the caller, or NULL.
 */
struct gntmap_range *gntmap_offsets_next(struct gntmap_offsets *offsets, unsigned long index)
{
	struct gntmap_range *range, *found = NULL;
	struct rb_node *rb;

	spin_lock(&offsets->lock);
	rb = offsets->root.rb_node;
	while (rb) {
		range = to_range(rb);
		if (range->index >= index) {
			found = range;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	while (found && found->removed)
		found = rb_entry_safe(rb_next(&found->node), struct gntmap_range, node);
	if (found)
		refcount_inc(&found->refs);
	spin_unlock(&offsets->lock);
	return found;
}

/* Does a fixed VMA show the range that starts at @index, removed or not? */
bool gntmap_offsets_fixed(struct gntmap_offsets *offsets, unsigned long index)
{
	struct gntmap_range *range;
	bool fixed;

	spin_lock(&offsets->lock);
	range = find(offsets, index);
	fixed = range && is_fixed(range);
	spin_unlock(&offsets->lock);
	return fixed;
}
