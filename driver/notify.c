// SPDX-License-Identifier: GPL-2.0
/*
 * Telling the granter that a range is not mapped any more.
 *
 * A range has at most one notification. Its byte is cleared when the last VMA
 * is gone, while the page is still ours to write to. Its event is sent when all
 * pages have gone back, so that whoever hears it can revoke the grants; a pin
 * delays it. A range that was never mapped, or whose frames last as long as it
 * does, sends it when it is freed. Either way the notification is used up. One
 * that is set while pages are still on their way back is for the next mmap().
 */
#include <linux/uaccess.h>

#include <asm/xen/hypercall.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/gntdev.h>
#include <xen/interface/event_channel.h>

#include "gntmap.h"

/* mmap() succeeded. A byte can be cleared if the grants are @writable. */
void gntmap_notify_mapped(struct gntmap_range *range, bool writable)
{
	spin_lock(&range->lock);
	range->notify.mapped = true;
	range->notify.writable = writable;
	spin_unlock(&range->lock);
}

/**
 * gntmap_notify_reach - make sure that a byte which was named can be cleared
 * @range: that is being mapped, its PTEs are there
 * @writable: with write access
 *
 * When the VMA goes the user's PTEs go first, and with them all that the kernel
 * has not asked for.
 *
 * Return: 0, or -ENOSPC if Xen has no room for one more mapping.
 */
int gntmap_notify_reach(struct gntmap_range *range, bool writable)
{
	const struct gntmap_notify *notify = &range->notify;
	int err = 0;

	spin_lock(&range->lock);
	if (writable && (notify->action & UNMAP_NOTIFY_CLEAR_BYTE))
		err = gntmap_range_reach(range, notify->byte >> PAGE_SHIFT);
	spin_unlock(&range->lock);
	return err;
}

/* No VMA shows the range any more; what the kernel uses of it is mapped still. */
void gntmap_notify_unmapped(struct gntmap_range *range)
{
	struct gntmap_notify *notify = &range->notify;
	u8 *byte = NULL;

	spin_lock(&range->lock);
	/* A failed mmap() is no news to the granter. */
	if (notify->mapped) {
		if (notify->writable && (notify->action & UNMAP_NOTIFY_CLEAR_BYTE) &&
		    !gntmap_range_reach(range, notify->byte >> PAGE_SHIFT))
			byte = (u8 *)page_address(range->pages[notify->byte >> PAGE_SHIFT]) +
				offset_in_page(notify->byte);
		notify->action &= ~UNMAP_NOTIFY_CLEAR_BYTE;
		notify->mapped = false;
		if (!range->source->lasting)
			notify->drained_port = gntmap_notify_take(range);
	}
	spin_unlock(&range->lock);

	/* Nobody unmaps the page before we return. */
	if (byte) {
		WRITE_ONCE(*byte, 0);
		/* The granter sees it before it hears of it. */
		smp_mb();
	}
}

/**
 * gntmap_notify_take - use the notification up
 * @range: with its lock held, or nobody else has it
 *
 * Return: the event channel to send to when all pages have gone back, without
 * locks, or 0.
 */
u32 gntmap_notify_take(struct gntmap_range *range)
{
	struct gntmap_notify *notify = &range->notify;
	u32 action = notify->action;

	notify->action = 0;
	return action & UNMAP_NOTIFY_SEND_EVENT ? notify->port : 0;
}

/* All pages have gone back, range->lock is held. What it returns is for gntmap_notify_send(). */
u32 gntmap_notify_drained(struct gntmap_range *range)
{
	u32 port = range->notify.drained_port;

	range->notify.drained_port = 0;
	return port;
}

void gntmap_notify_send(u32 port)
{
	if (!port)
		return;
	notify_remote_via_evtchn(port);
	evtchn_put(port);
}

/* Whose channel is it? We hold a reference, so it stays what it is. */
static int may_notify(struct gntmap_file *priv, evtchn_port_t port)
{
	struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

	if (gntmap_account_domid(priv->account) == GNTMAP_DOMID_ANY)
		return 0;
	if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status))
		return -EINVAL;
	switch (status.status) {
	case EVTCHNSTAT_unbound:
		return gntmap_file_may_name(priv, status.u.unbound.dom);
	case EVTCHNSTAT_interdomain:
		return gntmap_file_may_name(priv, status.u.interdomain.dom);
	default:
		return -EPERM;
	}
}

/* Puts @op in the place of what was there, whose event channel @port becomes, or 0. */
static int replace(struct gntmap_range *range, const struct ioctl_gntdev_unmap_notify *op,
		   evtchn_port_t *port)
{
	u64 byte = op->index - ((u64)range->index << PAGE_SHIFT);
	struct gntmap_notify *notify = &range->notify;
	int err = 0;

	spin_lock(&range->lock);
	if (op->action & UNMAP_NOTIFY_CLEAR_BYTE) {
		/* Frames that last may have holes among them. */
		if (range->source->lasting || (notify->mapped && !notify->writable))
			err = -EINVAL;
		else
			err = gntmap_range_reach(range, byte >> PAGE_SHIFT);
		/* No PTE: not mapped so far, then mmap() will see to it; or not any more. */
		if (err == -ENOENT)
			err = 0;
	}
	if (!err) {
		*port = notify->action & UNMAP_NOTIFY_SEND_EVENT ? notify->port : 0;
		notify->action = op->action;
		notify->byte = byte;
		notify->port = op->event_channel_port;
	}
	spin_unlock(&range->lock);
	return err;
}

/*
 * SET_UNMAP_NOTIFY: what to do when the range that has offset @index is mapped
 * no more. It takes the place of what was set before; @action 0 sets nothing.
 *
 * -EINVAL: unknown action, a port that no user has bound, or a byte to clear in
 * a range that is mapped read-only or no range of grants; -ENOENT: no range has
 * that offset; -EPERM: the file is restricted to another domain than the port's;
 * -ENOSPC: Xen has no room for another mapping of the byte's page; -EFAULT.
 */
long gntmap_set_unmap_notify(struct gntmap_file *priv, struct ioctl_gntdev_unmap_notify __user *u)
{
	struct ioctl_gntdev_unmap_notify op;
	struct gntmap_range *range;
	evtchn_port_t port = 0;
	int err;

	if (copy_from_user(&op, u, sizeof(op)))
		return -EFAULT;
	if (op.action & ~(UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT))
		return -EINVAL;

	if (op.action & UNMAP_NOTIFY_SEND_EVENT) {
		if (evtchn_get(op.event_channel_port))
			return -EINVAL;
		port = op.event_channel_port;
		err = may_notify(priv, port);
		if (err)
			goto out_put_port;
	}

	range = gntmap_offsets_get_at(&priv->offsets, op.index >> PAGE_SHIFT);
	if (!range) {
		err = -ENOENT;
		goto out_put_port;
	}
	/* On success the new port is the range's, and the old one ours to give up. */
	err = replace(range, &op, &port);
	gntmap_range_put(range);

out_put_port:
	if (port)
		evtchn_put(port);
	return err;
}
