// SPDX-License-Identifier: GPL-2.0
/*
 * Grants as a dma-buf: EXP_FROM_REFS and EXP_WAIT_RELEASED.
 *
 * The buffer stands in a VMA's place: its range is mapped from the export to the
 * buffer's release and has no offset in the file. A file only knows its exports
 * by the number that their descriptor had at first; buffers outlive it.
 *
 * Not where the backend is fixed: there Xen maps grants at PTEs, and a buffer
 * has none.
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <xen/grant_table.h>
#include <xen/gntdev.h>

#include "gntmap.h"
#include "dmabuf.h"

struct export {
	refcount_t refs;		/* the buffer and each waiter hold one */
	struct list_head node;		/* of the file, unless that is closed */
	struct gntmap_range *range;	/* mapped until the buffer is released */
	int fd;
	struct completion released;
};

/* The exports of all files: a buffer does not know whether its file is still there. */
static DEFINE_MUTEX(exports_lock);

static void export_put(struct export *export)
{
	if (refcount_dec_and_test(&export->refs))
		kfree(export);
}

static struct sg_table *export_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct gntmap_range *range = export->range;
	struct sg_table *sgt;
	int err;

	sgt = kmalloc_obj(*sgt, GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table_from_pages(sgt, range->pages, range->nr_pages, 0,
					(size_t)range->nr_pages << PAGE_SHIFT, GFP_KERNEL);
	if (err)
		goto err_free_sgt;
	err = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (err)
		goto err_free_table;
	return sgt;

err_free_table:
	sg_free_table(sgt);
err_free_sgt:
	kfree(sgt);
	return ERR_PTR(err);
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void export_release(struct dma_buf *buf)
{
	struct export *export = buf->priv;

	gntmap_range_put_vma(export->range);
	mutex_lock(&exports_lock);
	list_del_init(&export->node);
	mutex_unlock(&exports_lock);
	complete_all(&export->released);
	export_put(export);
}

static const struct dma_buf_ops export_ops = {
	.map_dma_buf = export_map,
	.unmap_dma_buf = export_unmap,
	.release = export_release,
};

/* Return: a range whose grants are mapped, for gntmap_range_put_vma() to give up, or an ERR_PTR. */
static struct gntmap_range *map_refs(struct gntmap_file *priv,
				     const struct ioctl_gntdev_dmabuf_exp_from_refs *op,
				     const u32 __user *refs)
{
	struct gntmap_range *range;
	int err;

	err = gntmap_file_may_name(priv, op->domid);
	if (err)
		return ERR_PTR(err);
	range = gntmap_range_alloc(priv, &gntmap_grants, op->count);
	if (IS_ERR(range))
		return range;

	range->grants.domid = op->domid;
	if (copy_from_user(range->grants.refs, refs, (size_t)op->count * sizeof(*refs))) {
		gntmap_range_put(range);
		return ERR_PTR(-EFAULT);
	}

	/* Nobody else knows the range: it is IDLE. */
	gntmap_range_begin(range);
	err = gntmap_grants_map(range, true);
	if (err) {
		gntmap_range_put_vma(range);
		return ERR_PTR(err);
	}
	return range;
}

/* Takes over the range, whatever becomes of it. */
static struct dma_buf *export_range(struct gntmap_range *range)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct export *export;
	struct dma_buf *buf;

	export = kzalloc_obj(*export, GFP_KERNEL_ACCOUNT);
	if (!export) {
		buf = ERR_PTR(-ENOMEM);
		goto err_put_range;
	}
	refcount_set(&export->refs, 1);
	INIT_LIST_HEAD(&export->node);
	init_completion(&export->released);
	export->range = range;

	info.owner = THIS_MODULE;
	info.ops = &export_ops;
	info.size = (size_t)range->nr_pages << PAGE_SHIFT;
	info.flags = O_RDWR;
	info.priv = export;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf))
		goto err_free_export;
	return buf;

err_free_export:
	kfree(export);
err_put_range:
	gntmap_range_put_vma(range);
	return buf;
}

/*
 * DMABUF_EXP_FROM_REFS: make a dma-buf of @count grants of @domid.
 *
 * It is in memory as the provider gives it: -EOPNOTSUPP for a coherent or
 * write-combined one. -EINVAL: the backend has no dma-bufs, @count is 0 or above
 * the limit, a grant cannot be mapped for writing; -EPERM: the file is restricted
 * to another domain; -ENOSPC: above the file's cap, or Xen's maptrack is full;
 * -EMFILE; -ENOMEM; -EINTR; -EFAULT.
 */
long gntmap_exp_from_refs(struct gntmap_file *priv,
			  struct ioctl_gntdev_dmabuf_exp_from_refs __user *u)
{
	const u32 special = GNTDEV_DMA_FLAG_WC | GNTDEV_DMA_FLAG_COHERENT;
	struct ioctl_gntdev_dmabuf_exp_from_refs op;
	struct gntmap_range *range;
	struct export *export;
	struct dma_buf *buf;
	int fd;

	if (gntmap_range_backend()->fixed)
		return -EINVAL;
	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	if (op.flags & special)
		return (op.flags & special) == special ? -EINVAL : -EOPNOTSUPP;

	range = map_refs(priv, &op, u->refs);
	if (IS_ERR(range))
		return PTR_ERR(range);
	buf = export_range(range);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto err_put_buf;
	if (put_user(fd, &u->fd)) {
		put_unused_fd(fd);
		fd = -EFAULT;
		goto err_put_buf;
	}

	export = buf->priv;
	export->fd = fd;
	mutex_lock(&exports_lock);
	list_add(&export->node, &priv->exports);
	mutex_unlock(&exports_lock);
	/* From here on another thread can close it: nothing may come after this. */
	fd_install(fd, buf->file);
	return 0;

err_put_buf:
	dma_buf_put(buf);
	return fd;
}

/* The newest one that had this descriptor, with a reference, or NULL. */
static struct export *find_export(struct gntmap_file *priv, u32 fd)
{
	struct export *export, *found = NULL;

	mutex_lock(&exports_lock);
	list_for_each_entry(export, &priv->exports, node) {
		if (export->fd == fd) {
			refcount_inc(&export->refs);
			found = export;
			break;
		}
	}
	mutex_unlock(&exports_lock);
	return found;
}

/*
 * DMABUF_EXP_WAIT_RELEASED: wait until the buffer that was exported as @fd is
 * released and its grants are back, but for pages of which an importer kept
 * references.
 *
 * 0, also when that happens in the last moment; -ENOENT: no such buffer, or it
 * has been released; -ETIMEDOUT: not within @wait_to_ms; -EINTR; -EFAULT.
 */
long gntmap_exp_wait_released(struct gntmap_file *priv,
			      struct ioctl_gntdev_dmabuf_exp_wait_released __user *u)
{
	struct ioctl_gntdev_dmabuf_exp_wait_released op;
	struct export *export;
	long left;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	export = find_export(priv, op.fd);
	if (!export)
		return -ENOENT;

	left = wait_for_completion_interruptible_timeout(&export->released,
							 msecs_to_jiffies(op.wait_to_ms));
	export_put(export);
	if (left < 0)
		return -EINTR;
	return left ? 0 : -ETIMEDOUT;
}

/* The file is closed: its buffers go on without it. */
void gntmap_exports_forget(struct gntmap_file *priv)
{
	struct export *export, *next;

	mutex_lock(&exports_lock);
	list_for_each_entry_safe(export, next, &priv->exports, node)
		list_del_init(&export->node);
	mutex_unlock(&exports_lock);
}
