// SPDX-License-Identifier: GPL-2.0
/*
 * Who we are and what domain this is: the core module.
 *
 * It makes no device of its own. A strategy's module registers one, and the
 * core serves it with the backend that this domain demands.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <xen/xen.h>

#include "gntmap.h"

struct gntmap_device {
	struct miscdevice misc;
	struct file_operations file_ops;
	const struct gntmap_strategy *strategy;
};

/**
 * gntmap_strategy_register - make a device for a strategy
 * @strategy: stays as it is until gntmap_strategy_unregister()
 * @owner: its module, kept while the device is open or mapped
 * @node: path of the device below /dev; a string that stays
 *
 * Return: the device or an ERR_PTR: -EEXIST if the node's name is in use,
 * -ENOMEM.
 */
struct gntmap_device *gntmap_strategy_register(const struct gntmap_strategy *strategy,
					       struct module *owner, const char *node)
{
	struct gntmap_device *device;
	int err;

	device = kzalloc_obj(*device, GFP_KERNEL);
	if (!device)
		return ERR_PTR(-ENOMEM);

	device->strategy = strategy;
	device->file_ops = gntmap_file_ops;
	device->file_ops.owner = owner;
	device->misc.minor = MISC_DYNAMIC_MINOR;
	device->misc.name = node;
	device->misc.fops = &device->file_ops;
	err = misc_register(&device->misc);
	if (err) {
		kfree(device);
		return ERR_PTR(err);
	}
	return device;
}
EXPORT_SYMBOL_GPL(gntmap_strategy_register);

/* Called when nothing of the device is open or mapped any more: on the way out of its module. */
void gntmap_strategy_unregister(struct gntmap_device *device)
{
	misc_deregister(&device->misc);
	kfree(device);
}
EXPORT_SYMBOL_GPL(gntmap_strategy_unregister);

/* Which strategy's device is being opened; valid in ->open() only. */
const struct gntmap_strategy *gntmap_device_strategy(const struct file *file)
{
	return container_of(file->private_data, struct gntmap_device, misc)->strategy;
}

static int __init gntmap_init(void)
{
	int err;

	/* A hypercall elsewhere is an Oops. */
	if (!xen_domain())
		return -ENODEV;

	err = gntmap_dmabuf_init();
	if (err)
		return err;
	err = gntmap_batch_init();
	if (err)
		goto err_exit_dmabuf;
	err = gntmap_range_init(xen_pv_domain() ? &gntmap_backend_pv : &gntmap_backend_xlate);
	if (err)
		goto err_exit_batch;
	return 0;

err_exit_batch:
	gntmap_batch_exit();
err_exit_dmabuf:
	gntmap_dmabuf_exit();
	return err;
}

static void __exit gntmap_exit(void)
{
	gntmap_range_exit();
	gntmap_batch_exit();
	gntmap_pages_exit();
	gntmap_ram_exit();
	gntmap_dmabuf_exit();
}

module_init(gntmap_init);
module_exit(gntmap_exit);

GNTMAP_IMPORT_NS_DMA_BUF;
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xen grants in user VMAs: core");
