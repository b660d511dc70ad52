// SPDX-License-Identifier: GPL-2.0
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* gntdev.h uses their types without including them */
#include <xen/xen.h>
#include <xen/grant_table.h>

#include <xen/gntdev.h>

int request_init(struct request *request, const struct granter *granter, uint32_t first, uint32_t nr)
{
	uint32_t nr_writable = granter->nr_refs - granter->nr_ro;
	struct ioctl_gntdev_map_grant_ref *op = calloc(1, sizeof(*op) + nr * sizeof(op->refs[0]));
	/* The header has room for one; what follows it is ours. */
	struct ioctl_gntdev_grant_ref *refs = op ? op->refs : NULL;

	*request = (struct request){ .nr = nr, .ioctl = op };
	if (!op)
		return -ENOMEM;
	op->count = nr;
	for (uint32_t i = 0; i < nr; i++) {
		refs[i].domid = granter->domid;
		refs[i].ref = granter->first_ref + (first + i) % nr_writable;
	}
	return 0;
}

void request_free(struct request *request)
{
	free(request->ioctl);
	request->ioctl = NULL;
}

int request_add(int fd, struct request *request)
{
	struct ioctl_gntdev_map_grant_ref *op = request->ioctl;

	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, op))
		return -errno;
	request->offset = op->index;
	return 0;
}

int request_mmap(int fd, struct request *request)
{
	void *addr = mmap(NULL, request->nr * 4096ul, PROT_READ | PROT_WRITE, MAP_SHARED, fd, request->offset);

	if (addr == MAP_FAILED)
		return -errno;
	request->addr = addr;
	return 0;
}

int request_munmap(struct request *request)
{
	return munmap(request->addr, request->nr * 4096ul) ? -errno : 0;
}

int request_remove(int fd, struct request *request)
{
	struct ioctl_gntdev_unmap_grant_ref op = { .index = request->offset, .count = request->nr };

	return ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &op) ? -errno : 0;
}

int request_map(int fd, struct request *request)
{
	int ret = request_add(fd, request);

	if (ret)
		return ret;
	ret = request_mmap(fd, request);
	if (ret)
		request_remove(fd, request);
	return ret;
}

int request_unmap(int fd, struct request *request)
{
	int ret = request_munmap(request);

	return ret ? ret : request_remove(fd, request);
}
