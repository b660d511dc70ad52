// SPDX-License-Identifier: GPL-2.0
/*
 * A dma-buf's pages as grants: IMP_TO_REFS and IMP_RELEASE.
 *
 * A buffer is attached to a device of ours, which stands for the other domain
 * and whose DMA addresses are guest frames: so an exporter tells us frames and
 * nobody looks at its struct pages, no swiotlb puts copies in their place, and
 * memory that has no page or does not start on one is refused by the exporter
 * itself, on whose behalf we would have to map it.
 *
 * A page must not go back to its exporter while the other domain has it mapped.
 * An import that is released, by its user or by the end of the file, lingers
 * until the last grant could be ended.
 */
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <xen/grant_table.h>
#include <xen/gntdev.h>
#include <xen/page.h>

#include "gntmap.h"
#include "dmabuf.h"

#define LINGER_MIN	1	/* jiffies */
#define LINGER_MAX	HZ

struct import {
	struct list_head node;		/* of the file, until it is released */
	int fd;
	struct gntmap_account *account;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	unsigned long linger_delay;	/* jiffies */
	struct delayed_work linger;
	unsigned int nr;
	grant_ref_t refs[];		/* INVALID_GRANT_REF: not granted (any more) */
};

static struct platform_device *importer;
static struct workqueue_struct *linger_wq;

static int frames_map_sg(struct device *dev, struct scatterlist *sgl, int nr,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nr, i) {
		if (!sg_page(sg) || !PAGE_ALIGNED(sg->offset | sg->length))
			return -EINVAL;
		sg_dma_address(sg) = sg_phys(sg);
		sg_dma_len(sg) = sg->length;
	}
	return nr;
}

/* An exporter that does not map lists of pages but something else. */
static dma_addr_t frames_map_other(struct device *dev, GNTMAP_DMA_MAP_WHAT, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	return DMA_MAPPING_ERROR;
}

static const struct dma_map_ops frames_ops = {
	.map_sg = frames_map_sg,
	.GNTMAP_DMA_MAP_OP = frames_map_other,
};

/* Return: how many grants the other domain still uses. */
static unsigned int end_grants(struct import *import)
{
	unsigned int i, nr_used = 0;

	for (i = 0; i < import->nr; i++) {
		if (import->refs[i] == INVALID_GRANT_REF)
			continue;
		if (gnttab_try_end_foreign_access(import->refs[i]))
			import->refs[i] = INVALID_GRANT_REF;
		else
			nr_used++;
	}
	return nr_used;
}

/* Undoes import_alloc() and what there is of import_attach(); nothing is granted any more. */
static void import_free(struct import *import)
{
	struct dma_buf *buf;

	if (import->attach) {
		buf = import->attach->dmabuf;
		if (import->sgt)
			dma_buf_unmap_attachment_unlocked(import->attach, import->sgt,
							  DMA_BIDIRECTIONAL);
		dma_buf_detach(buf, import->attach);
		dma_buf_put(buf);
	}
	gntmap_account_uncharge(import->account, import->nr);
	kvfree(import);
}

/* Once it is queued the import is the work item's alone, and may be gone. */
static void linger_later(struct import *import)
{
	unsigned long delay = import->linger_delay;

	import->linger_delay = min_t(unsigned long, delay * 2, LINGER_MAX);
	queue_delayed_work(linger_wq, &import->linger, delay);
}

static void linger_work(struct work_struct *work)
{
	struct import *import = container_of(work, struct import, linger.work);

	if (end_grants(import)) {
		linger_later(import);
		return;
	}
	import_free(import);
	/* What is left of this function runs before gntmap_dmabuf_exit() has flushed the queue. */
	module_put(THIS_MODULE);
}

/* In nobody's list. */
static void import_release(struct import *import)
{
	if (!end_grants(import)) {
		import_free(import);
		return;
	}
	__module_get(THIS_MODULE);
	import->linger_delay = LINGER_MIN;
	linger_later(import);
}

static struct import *import_alloc(struct gntmap_file *priv, u32 nr)
{
	struct import *import;
	int err;

	err = gntmap_account_charge(priv->account, nr);
	if (err)
		return ERR_PTR(err);
	import = kvzalloc(struct_size(import, refs, nr), GFP_USER_SIZED);
	if (!import) {
		gntmap_account_uncharge(priv->account, nr);
		return ERR_PTR(-ENOMEM);
	}
	import->account = priv->account;
	import->nr = nr;
	INIT_DELAYED_WORK(&import->linger, linger_work);
	while (nr--)
		import->refs[nr] = INVALID_GRANT_REF;
	return import;
}

/* Takes over a reference to @buf once it succeeds in attaching. */
static int import_attach(struct import *import, struct dma_buf *buf)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	if (buf->size != (size_t)import->nr << PAGE_SHIFT)
		return -EINVAL;
	attach = dma_buf_attach(buf, &importer->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	get_dma_buf(buf);
	import->attach = attach;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	import->sgt = sgt;
	return 0;
}

static int grant_pages(struct import *import, domid_t domid)
{
	unsigned int i = 0, j;
	struct scatterlist *sg;
	dma_addr_t at, end;
	int ref;

	/* Not for_each_sgtable_dma_page(), which takes sg->offset for a part of what is mapped. */
	for_each_sgtable_dma_sg(import->sgt, sg, j) {
		at = sg_dma_address(sg);
		end = at + sg_dma_len(sg);
		if (!PAGE_ALIGNED(at | end))
			return -EINVAL;
		for (; at < end; at += PAGE_SIZE) {
			/* An exporter's list is as long as its buffer, or not ours to grant. */
			if (i == import->nr)
				return -EINVAL;
			ref = gnttab_grant_foreign_access(domid, pfn_to_gfn(PHYS_PFN(at)), 0);
			if (ref < 0)
				return ref;
			import->refs[i++] = ref;
		}
	}
	return i == import->nr ? 0 : -EINVAL;
}

/*
 * DMABUF_IMP_TO_REFS: grant the @count pages of the dma-buf @fd to @domid; @refs
 * become the references.
 *
 * -EINVAL: @count is 0, above the limit or not the buffer's size, @fd is no
 * dma-buf, or one of something else than pages; -EBADF; -EPERM: the file is
 * restricted to another domain; -ENOSPC: above the file's cap, or this domain's
 * references are used up; -ENOMEM; -EFAULT; whatever the exporter says.
 */
long gntmap_imp_to_refs(struct gntmap_file *priv,
			struct ioctl_gntdev_dmabuf_imp_to_refs __user *u)
{
	struct ioctl_gntdev_dmabuf_imp_to_refs op;
	struct import *import;
	struct dma_buf *buf;
	long err;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	err = gntmap_file_may_name(priv, op.domid);
	if (err)
		return err;
	import = import_alloc(priv, op.count);
	if (IS_ERR(import))
		return PTR_ERR(import);

	buf = dma_buf_get(op.fd);
	if (IS_ERR(buf)) {
		err = PTR_ERR(buf);
		goto err_release;
	}
	err = import_attach(import, buf);
	dma_buf_put(buf);
	if (err)
		goto err_release;
	err = grant_pages(import, op.domid);
	if (err)
		goto err_release;
	if (copy_to_user(u->refs, import->refs, import->nr * sizeof(*import->refs))) {
		err = -EFAULT;
		goto err_release;
	}

	import->fd = op.fd;
	/* From here on another thread can release it. */
	mutex_lock(&priv->imports_lock);
	list_add(&import->node, &priv->imports);
	mutex_unlock(&priv->imports_lock);
	return 0;

err_release:
	/* The references may have been used already: they could be guessed. */
	import_release(import);
	return err;
}

/*
 * DMABUF_IMP_RELEASE: end the grants of the buffer that was imported as @fd.
 *
 * The exporter gets its pages back at once, or when the other domain has unmapped
 * the last of them. -ENOENT: no such buffer; -EFAULT.
 */
long gntmap_imp_release(struct gntmap_file *priv,
			struct ioctl_gntdev_dmabuf_imp_release __user *u)
{
	struct ioctl_gntdev_dmabuf_imp_release op;
	struct import *import, *found = NULL;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;

	mutex_lock(&priv->imports_lock);
	list_for_each_entry(import, &priv->imports, node) {
		if (import->fd == op.fd) {
			list_del(&import->node);
			found = import;
			break;
		}
	}
	mutex_unlock(&priv->imports_lock);
	if (!found)
		return -ENOENT;
	import_release(found);
	return 0;
}

/* The file is closed. */
void gntmap_imports_release(struct gntmap_file *priv)
{
	struct import *import, *next;

	list_for_each_entry_safe(import, next, &priv->imports, node)
		import_release(import);
}

int gntmap_dmabuf_init(void)
{
	int err;

	linger_wq = alloc_workqueue("gntmap-dmabuf", WQ_UNBOUND, 0);
	if (!linger_wq)
		return -ENOMEM;
	importer = platform_device_register_simple("gntmap-dmabuf", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(importer)) {
		err = PTR_ERR(importer);
		goto err_destroy_wq;
	}
	set_dma_ops(&importer->dev, &frames_ops);
	err = dma_coerce_mask_and_coherent(&importer->dev, DMA_BIT_MASK(64));
	if (err)
		goto err_unregister;
	/* Page by page is how we grant: nothing is too long, or across a boundary. */
	dma_set_max_seg_size(&importer->dev, UINT_MAX);
	dma_set_seg_boundary(&importer->dev, ULONG_MAX);
	return 0;

err_unregister:
	platform_device_unregister(importer);
err_destroy_wq:
	destroy_workqueue(linger_wq);
	return err;
}

void gntmap_dmabuf_exit(void)
{
	destroy_workqueue(linger_wq);
	platform_device_unregister(importer);
}
