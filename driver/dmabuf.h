/* SPDX-License-Identifier: GPL-2.0 */
/* Exports and imports of a file, for dmabuf.c. */
#ifndef GNTMAP_DMABUF_H
#define GNTMAP_DMABUF_H

#include <xen/grant_table.h>
#include <xen/gntdev.h>

struct gntmap_file;

long gntmap_exp_from_refs(struct gntmap_file *priv,
			  struct ioctl_gntdev_dmabuf_exp_from_refs __user *u);
long gntmap_exp_wait_released(struct gntmap_file *priv,
			      struct ioctl_gntdev_dmabuf_exp_wait_released __user *u);
void gntmap_exports_forget(struct gntmap_file *priv);

long gntmap_imp_to_refs(struct gntmap_file *priv,
			struct ioctl_gntdev_dmabuf_imp_to_refs __user *u);
long gntmap_imp_release(struct gntmap_file *priv,
			struct ioctl_gntdev_dmabuf_imp_release __user *u);
void gntmap_imports_release(struct gntmap_file *priv);

#endif
