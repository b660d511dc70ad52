// SPDX-License-Identifier: GPL-2.0
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmabuf_probe.h"

#include "compat.h"

#define MAX_PAGES 64
/* Nothing is there, which nobody asks a DMA mapping of a resource. */
#define REGISTERS 0xfeb00000

struct made {
	enum dmabuf_kind kind;
	unsigned int nr_pages;
	struct page *pages[MAX_PAGES];
};

static atomic_t nr_live;
static struct platform_device *importer;

static int set_resource(struct device *dev, struct sg_table *sgt, struct made *made,
			enum dma_data_direction dir)
{
	size_t size = (size_t)made->nr_pages << PAGE_SHIFT;
	dma_addr_t addr = dma_map_resource(dev, REGISTERS, size, dir, 0);

	if (dma_mapping_error(dev, addr))
		return -EIO;
	sgt->nents = 1;
	sg_dma_address(sgt->sgl) = addr;
	sg_dma_len(sgt->sgl) = size;
	return 0;
}

static int set_addresses(struct sg_table *sgt, struct made *made)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = page_to_phys(made->pages[i]);
		sg_dma_len(sg) = PAGE_SIZE;
	}
	return 0;
}

static int set_pages(struct device *dev, struct sg_table *sgt, struct made *made,
		     enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, made->pages[i], PAGE_SIZE, 0);
	if (made->kind == DMABUF_ONE_RUN)
		sgt->sgl->length = (size_t)made->nr_pages << PAGE_SHIFT;
	/* Either touches two pages, so that the lists have as many as the buffer. */
	if (made->kind == DMABUF_ODD)
		sg_set_page(sgt->sgl, made->pages[0], PAGE_SIZE, 8);
	else if (made->kind == DMABUF_UNEVEN)
		sg_set_page(sgt->sgl, made->pages[0], PAGE_SIZE + 8, 0);
	/* Of which CONFIG_DMA_API_DEBUG_SG warns (check_sg_segment()). */
	if (sgt->sgl->length > dma_get_max_seg_size(dev))
		return -EINVAL;
	return dma_map_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
}

static unsigned int nr_entries(const struct made *made)
{
	switch (made->kind) {
	case DMABUF_ONE_RUN:
		return 1;
	case DMABUF_ODD:
	case DMABUF_UNEVEN:
	case DMABUF_SHORT:
		return made->nr_pages - 1;
	default:
		return made->nr_pages;
	}
}

static struct sg_table *made_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct made *made = attach->dmabuf->priv;
	struct sg_table *sgt;
	int err;

	sgt = kzalloc_obj(*sgt, GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table(sgt, nr_entries(made), GFP_KERNEL);
	if (err)
		goto err_free_sgt;
	if (made->kind == DMABUF_RESOURCE)
		err = set_resource(attach->dev, sgt, made, dir);
	else if (made->kind == DMABUF_NO_PAGES)
		err = set_addresses(sgt, made);
	else
		err = set_pages(attach->dev, sgt, made, dir);
	if (err)
		goto err_free_table;
	return sgt;

err_free_table:
	sg_free_table(sgt);
err_free_sgt:
	kfree(sgt);
	return ERR_PTR(err);
}

static void made_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct made *made = attach->dmabuf->priv;

	if (made->kind == DMABUF_RESOURCE)
		dma_unmap_resource(attach->dev, sg_dma_address(sgt->sgl),
				   sg_dma_len(sgt->sgl), dir, 0);
	else if (made->kind != DMABUF_NO_PAGES)
		dma_unmap_sgtable(attach->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

static void made_free(struct made *made)
{
	while (made->nr_pages--)
		__free_page(made->pages[made->nr_pages]);
	kfree(made);
}

static void made_release(struct dma_buf *buf)
{
	made_free(buf->priv);
	atomic_dec(&nr_live);
}

static const struct dma_buf_ops made_ops = {
	.map_dma_buf = made_map,
	.unmap_dma_buf = made_unmap,
	.release = made_release,
};

/* Pages like others, only that they follow each other. */
static int alloc_run(struct made *made, unsigned int nr)
{
	void *run = alloc_pages_exact((size_t)nr << PAGE_SHIFT, GFP_KERNEL | __GFP_ZERO);

	if (!run)
		return -ENOMEM;
	for (; made->nr_pages < nr; made->nr_pages++)
		made->pages[made->nr_pages] = virt_to_page(run + (made->nr_pages << PAGE_SHIFT));
	return 0;
}

static struct made *made_alloc(enum dmabuf_kind kind, unsigned int nr)
{
	struct made *made = kzalloc_obj(*made, GFP_KERNEL);

	if (!made)
		return NULL;
	made->kind = kind;
	if (kind == DMABUF_ONE_RUN && alloc_run(made, nr)) {
		kfree(made);
		return NULL;
	}
	for (; made->nr_pages < nr; made->nr_pages++) {
		made->pages[made->nr_pages] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!made->pages[made->nr_pages]) {
			made_free(made);
			return NULL;
		}
	}
	return made;
}

static long make(struct dmabuf_make __user *u)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dmabuf_make op;
	struct dma_buf *buf;
	struct made *made;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	if (op.kind >= DMABUF_NR_KINDS || !op.nr_pages || op.nr_pages > MAX_PAGES)
		return -EINVAL;
	made = made_alloc(op.kind, op.nr_pages);
	if (!made)
		return -ENOMEM;

	info.ops = &made_ops;
	info.size = (size_t)made->nr_pages << PAGE_SHIFT;
	info.flags = O_RDWR;
	info.priv = made;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf)) {
		made_free(made);
		return PTR_ERR(buf);
	}
	atomic_inc(&nr_live);
	op.fd = dma_buf_fd(buf, O_CLOEXEC);
	if (op.fd < 0) {
		dma_buf_put(buf);
		return op.fd;
	}
	return put_user(op.fd, &u->fd);
}

static long swap_word(struct sg_table *sgt, u64 byte, u64 *word)
{
	struct sg_page_iter iter;
	u64 *at, old;

	if (byte % sizeof(*word))
		return -EINVAL;
	for_each_sgtable_page(sgt, &iter, 0) {
		if (byte < PAGE_SIZE) {
			at = kmap_local_page(sg_page_iter_page(&iter)) + byte;
			old = xchg(at, *word);
			kunmap_local(at);
			*word = old;
			return 0;
		}
		byte -= PAGE_SIZE;
	}
	return -ERANGE;
}

static long swap_in(struct dmabuf_swap __user *u)
{
	struct dma_buf_attachment *attach;
	struct dmabuf_swap op;
	struct sg_table *sgt;
	struct dma_buf *buf;
	long err;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	buf = dma_buf_get(op.fd);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	attach = dma_buf_attach(buf, &importer->dev);
	if (IS_ERR(attach)) {
		err = PTR_ERR(attach);
		goto out_put;
	}
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		err = PTR_ERR(sgt);
		goto out_detach;
	}
	err = swap_word(sgt, op.byte, &op.word);
	if (!err && put_user(op.word, &u->word))
		err = -EFAULT;
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
out_detach:
	dma_buf_detach(buf, attach);
out_put:
	dma_buf_put(buf);
	return err;
}

static long probe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case DMABUF_PROBE_MAKE:
		return make(user);
	case DMABUF_PROBE_SWAP:
		return swap_in(user);
	case DMABUF_PROBE_NR_LIVE:
		return put_user(atomic_read(&nr_live), (u32 __user *)user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations probe_file_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = probe_ioctl,
};

static struct miscdevice probe_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_probe",
	.fops = &probe_file_ops,
	.mode = 0600,
};

static int __init probe_init(void)
{
	int err;

	importer = platform_device_register_simple("dmabuf_probe", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(importer))
		return PTR_ERR(importer);
	dma_set_max_seg_size(&importer->dev, UINT_MAX);
	err = dma_coerce_mask_and_coherent(&importer->dev, DMA_BIT_MASK(64));
	if (!err)
		err = misc_register(&probe_device);
	if (err)
		platform_device_unregister(importer);
	return err;
}

static void __exit probe_exit(void)
{
	misc_deregister(&probe_device);
	platform_device_unregister(importer);
}

module_init(probe_init);
module_exit(probe_exit);

GNTMAP_IMPORT_NS_DMA_BUF;
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("dma-bufs of all kinds, for tests");
