// SPDX-License-Identifier: LGPL-2.1-or-later
/* A mapping: showing a range, taking it away, what happens when it goes. */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "internal.h"

static int remove_range(struct gntmap *gntmap, const struct gntmap_mapping *range)
{
	struct ioctl_gntdev_unmap_grant_ref op = { .index = range->offset, .count = range->nr_pages };

	return gntmap_call(gntmap, IOCTL_GNTDEV_UNMAP_GRANT_REF, &op);
}

static int show(struct gntmap *gntmap, struct gntmap_mapping *mapping, unsigned int flags)
{
	int prot = flags & GNTMAP_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
	void *addr;

	addr = mmap(NULL, mapping->nr_pages * GNTMAP_PAGE_SIZE, prot, MAP_SHARED, gntmap->fd, mapping->offset);
	if (addr == MAP_FAILED)
		return -errno;
	mapping->addr = addr;
	return 0;
}

int gntmap_show_new(struct gntmap *gntmap, struct gntmap_mapping *range, unsigned int flags,
		    struct gntmap_mapping *mapping)
{
	int err = flags & GNTMAP_NO_MMAP ? 0 : show(gntmap, range, flags);

	if (err)
		remove_range(gntmap, range);
	else
		*mapping = *range;
	return err;
}

int gntmap_mmap(struct gntmap *gntmap, struct gntmap_mapping *mapping, unsigned int flags)
{
	if (flags & ~GNTMAP_WRITE || mapping->addr || !mapping->nr_pages || mapping->nr_pages > SIZE_MAX / GNTMAP_PAGE_SIZE)
		return -EINVAL;
	return show(gntmap, mapping, flags);
}

int gntmap_munmap(struct gntmap_mapping *mapping)
{
	if (mapping->addr && munmap(mapping->addr, mapping->nr_pages * GNTMAP_PAGE_SIZE))
		return -errno;
	mapping->addr = NULL;
	return 0;
}

int gntmap_unmap(struct gntmap *gntmap, struct gntmap_mapping *mapping)
{
	int err;

	/* One that is gone already: to the driver, no pages are as many as there are at offset 0. */
	if (!mapping->nr_pages || mapping->nr_pages > UINT32_MAX)
		return -EINVAL;
	err = gntmap_munmap(mapping);
	if (err)
		return err;
	err = remove_range(gntmap, mapping);
	if (!err || err == -ENOENT)
		*mapping = (struct gntmap_mapping){ 0 };
	return err;
}

int gntmap_find(struct gntmap *gntmap, const void *addr, struct gntmap_mapping *mapping)
{
	struct ioctl_gntdev_get_offset_for_vaddr op = { .vaddr = (uintptr_t)addr };
	int err = gntmap_call(gntmap, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &op);

	if (err)
		return err;
	*mapping = (struct gntmap_mapping){
		.addr = (void *)((uintptr_t)addr & ~(GNTMAP_PAGE_SIZE - 1)),
		.nr_pages = op.count,
		.offset = op.offset,
	};
	return 0;
}

int gntmap_notify_unmap(struct gntmap *gntmap, const struct gntmap_mapping *mapping, unsigned int actions, size_t byte,
			uint32_t port)
{
	struct ioctl_gntdev_unmap_notify op = {
		.index = mapping->offset + byte,
		.action = actions,
		.event_channel_port = port,
	};

	_Static_assert(GNTMAP_NOTIFY_CLEAR_BYTE == UNMAP_NOTIFY_CLEAR_BYTE, "the driver's word for it");
	_Static_assert(GNTMAP_NOTIFY_SEND_EVENT == UNMAP_NOTIFY_SEND_EVENT, "the driver's word for it");

	/* The driver sees an offset of the file only, and the next range may begin where this one ends. */
	if (byte / GNTMAP_PAGE_SIZE >= mapping->nr_pages)
		return -EINVAL;
	return gntmap_call(gntmap, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op);
}
