// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of <xen/gntmap.h> that are about the file itself: what it is and
 * has, and what it may do.
 */
#include <linux/uaccess.h>

#include "gntmap.h"

static u64 features(void)
{
	return GNTMAP_FEATURE_FOREIGN | GNTMAP_FEATURE_NOTIFY | GNTMAP_FEATURE_COPY |
		(IS_ENABLED(CONFIG_DMA_SHARED_BUFFER) ? GNTMAP_FEATURE_DMABUF : 0);
}

static void count(struct gntmap_offsets *offsets, struct gntmap_info *info)
{
	struct gntmap_range *range;
	unsigned long index = 0;

	while ((range = gntmap_offsets_next(offsets, index))) {
		info->nr_ranges++;
		info->nr_pages += range->nr_pages;
		switch (READ_ONCE(range->state)) {
		case GNTMAP_RANGE_IDLE:
			break;
		case GNTMAP_RANGE_MAPPED:
			info->nr_mapped_pages += range->nr_pages;
			break;
		case GNTMAP_RANGE_DRAINING:
			info->nr_draining_pages += range->nr_pages;
			break;
		}
		index = range->index + range->nr_pages;
		gntmap_range_put(range);
		cond_resched();
	}
}

/* The numbers are those of a moment each, not of one moment for all. */
void gntmap_info_fill(struct gntmap_file *priv, struct gntmap_info *info)
{
	strscpy(info->strategy, priv->strategy->name, sizeof(info->strategy));
	strscpy(info->backend, gntmap_range_backend()->name, sizeof(info->backend));
	strscpy(info->provider, gntmap_pages_provider(), sizeof(info->provider));
	count(&priv->offsets, info);
	info->max_pages = gntmap_account_max_pages(priv->account);
	info->limit = gntmap_limit();
	info->domid = gntmap_account_domid(priv->account);
	info->features = features();
}

/* GNTMAP_IOCTL_INFO. */
long gntmap_info(struct gntmap_file *priv, struct gntmap_info __user *u)
{
	struct gntmap_info info = {};
	u32 size, flags;

	if (get_user(size, &u->size) || get_user(flags, &u->flags))
		return -EFAULT;
	if (size != sizeof(info) || flags)
		return -EINVAL;

	info.size = size;
	gntmap_info_fill(priv, &info);
	return copy_to_user(u, &info, sizeof(info)) ? -EFAULT : 0;
}

/* GNTMAP_IOCTL_RESTRICT. */
long gntmap_restrict(struct gntmap_file *priv, struct gntmap_restrict __user *u)
{
	struct gntmap_restrict op;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	if (op.size != sizeof(op) || op.reserved)
		return -EINVAL;
	return gntmap_account_restrict(priv->account, op.domid);
}

/* GNTMAP_IOCTL_SET_MAX_PAGES. */
long gntmap_set_max_pages(struct gntmap_file *priv, struct gntmap_set_max_pages __user *u)
{
	struct gntmap_set_max_pages op;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	if (op.size != sizeof(op) || op.flags)
		return -EINVAL;
	return gntmap_account_set_max_pages(priv->account, op.max_pages);
}
