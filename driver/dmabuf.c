// SPDX-License-Identifier: GPL-2.0
/* What a file has to do with dma-bufs, where the kernel has them. */
#include <xen/grant_table.h>
#include <xen/gntdev.h>

#include "gntmap.h"
#include "dmabuf.h"

void gntmap_dmabuf_open(struct gntmap_file *priv)
{
	INIT_LIST_HEAD(&priv->exports);
	mutex_init(&priv->imports_lock);
	INIT_LIST_HEAD(&priv->imports);
}

/* The file is closed: its exports go on without it, its imports end. */
void gntmap_dmabuf_release(struct gntmap_file *priv)
{
	gntmap_exports_forget(priv);
	gntmap_imports_release(priv);
}

long gntmap_dmabuf_ioctl(struct gntmap_file *priv, unsigned int cmd, void __user *u)
{
	switch (cmd) {
	case IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS:
		return gntmap_exp_from_refs(priv, u);
	case IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED:
		return gntmap_exp_wait_released(priv, u);
	case IOCTL_GNTDEV_DMABUF_IMP_TO_REFS:
		return gntmap_imp_to_refs(priv, u);
	case IOCTL_GNTDEV_DMABUF_IMP_RELEASE:
		return gntmap_imp_release(priv, u);
	default:
		return -ENOTTY;
	}
}
