// SPDX-License-Identifier: GPL-2.0
/*
 * What a user asks of an open device: the ioctls of <xen/gntdev.h> and our own.
 *
 * A file is a list of ranges, each at an offset of its own. Nothing here waits
 * for another thread, and nothing is held while user memory is touched.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <xen/grant_table.h>
#include <xen/gntdev.h>

#include "gntmap.h"

static int gntmap_open(struct inode *inode, struct file *file)
{
	struct gntmap_file *priv;

	priv = kzalloc_obj(*priv, GFP_KERNEL_ACCOUNT);
	if (!priv)
		return -ENOMEM;
	priv->account = gntmap_account_alloc();
	if (!priv->account) {
		kfree(priv);
		return -ENOMEM;
	}

	/* misc_open() left its device here. */
	priv->strategy = gntmap_device_strategy(file);
	gntmap_offsets_init(&priv->offsets);
	gntmap_dmabuf_open(priv);
	file->private_data = priv;
	return 0;
}

/* VMAs hold the file, so no range of it is mapped any more; some may drain. */
static int gntmap_release(struct inode *inode, struct file *file)
{
	struct gntmap_file *priv = file->private_data;

	gntmap_offsets_exit(&priv->offsets);
	gntmap_dmabuf_release(priv);
	gntmap_account_put(priv->account);
	kfree(priv);
	return 0;
}

/*
 * MAP_GRANT_REF: make a range of @count grants; @index is its offset for mmap.
 *
 * Nothing is mapped before mmap(). The lowest offset that is free is used, 0
 * for the first range. -EINVAL: @count is 0 or above the limit, or a domain id
 * is not one; -EPERM: the file is restricted to another domain; -EFAULT;
 * -ENOMEM; -ENOSPC: above the file's cap, or its offsets are used up.
 */
static long map_grant_ref(struct gntmap_file *priv, struct ioctl_gntdev_map_grant_ref __user *u)
{
	struct gntmap_range *range;
	u32 count;
	int err;

	if (get_user(count, &u->count))
		return -EFAULT;

	range = gntmap_range_alloc(priv, &gntmap_grants, count);
	if (IS_ERR(range))
		return PTR_ERR(range);
	err = gntmap_grants_copy_refs(range, priv, &u->refs);
	if (err)
		goto out_put_range;

	err = gntmap_offsets_add(&priv->offsets, range, &u->index);

out_put_range:
	gntmap_range_put(range);
	return err;
}

/*
 * UNMAP_GRANT_REF: forget the range that starts at offset @index.
 *
 * @count is its size, or 0 for whatever it is. A mapping of the range lives on
 * until munmap(). The offset is free at once, or in PV, if the range is mapped,
 * from munmap() on. -ENOENT: no such range; -EFAULT.
 */
static long unmap_grant_ref(struct gntmap_file *priv, struct ioctl_gntdev_unmap_grant_ref __user *u)
{
	struct ioctl_gntdev_unmap_grant_ref op;
	struct gntmap_range *range;
	long err = -ENOENT;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;

	range = gntmap_offsets_get(&priv->offsets, op.index >> PAGE_SHIFT);
	if (!range)
		return -ENOENT;
	if ((!op.count || op.count == range->nr_pages) &&
	    gntmap_offsets_remove(&priv->offsets, range))
		err = 0;
	gntmap_range_put(range);
	return err;
}

/*
 * GET_OFFSET_FOR_VADDR: which range of this file does @vaddr show?
 *
 * @offset is the range's offset (which may have been given up or be another
 * range's by now), @count its size. -EINVAL: none does; -EFAULT.
 */
static long get_offset_for_vaddr(struct file *file,
				 struct ioctl_gntdev_get_offset_for_vaddr __user *u)
{
	struct ioctl_gntdev_get_offset_for_vaddr op;
	struct vm_area_struct *vma;
	struct gntmap_range *range;
	long err = -EINVAL;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, op.vaddr);
	if (vma && vma->vm_file == file) {
		range = vma->vm_private_data;
		op.offset = (u64)range->index << PAGE_SHIFT;
		op.count = range->nr_pages;
		err = 0;
	}
	mmap_read_unlock(current->mm);

	if (!err && copy_to_user(u, &op, sizeof(op)))
		return -EFAULT;
	return err;
}

static long gntmap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gntmap_file *priv = file->private_data;
	void __user *u = (void __user *)arg;

	switch (cmd) {
	case IOCTL_GNTDEV_MAP_GRANT_REF:
		return map_grant_ref(priv, u);
	case IOCTL_GNTDEV_UNMAP_GRANT_REF:
		return unmap_grant_ref(priv, u);
	case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR:
		return get_offset_for_vaddr(file, u);
	case IOCTL_GNTDEV_SET_UNMAP_NOTIFY:
		return gntmap_set_unmap_notify(priv, u);
	case IOCTL_GNTDEV_GRANT_COPY:
		return gntmap_grant_copy(priv, u);
	case IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS:
	case IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED:
	case IOCTL_GNTDEV_DMABUF_IMP_TO_REFS:
	case IOCTL_GNTDEV_DMABUF_IMP_RELEASE:
		return gntmap_dmabuf_ioctl(priv, cmd, u);
	case GNTMAP_IOCTL_MAP_FOREIGN:
		return gntmap_map_foreign(priv, u);
	case GNTMAP_IOCTL_INFO:
		return gntmap_info(priv, u);
	case GNTMAP_IOCTL_RESTRICT:
		return gntmap_restrict(priv, u);
	case GNTMAP_IOCTL_SET_MAX_PAGES:
		return gntmap_set_max_pages(priv, u);
	default:
		/* SET_MAX_GRANTS too: in-tree dropped it, and libxengnttab expects that. */
		return -ENOTTY;
	}
}

/* Each strategy's device has a copy of its own, with its module as the owner. */
const struct file_operations gntmap_file_ops = {
	.open = gntmap_open,
	.release = gntmap_release,
	.mmap = gntmap_mmap,
	.get_unmapped_area = gntmap_get_unmapped_area,
	.unlocked_ioctl = gntmap_ioctl,
	.show_fdinfo = gntmap_show_fdinfo,
};
