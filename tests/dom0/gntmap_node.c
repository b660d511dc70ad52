// SPDX-License-Identifier: GPL-2.0
#include "gntmap_node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* gntdev.h uses their types without including them */
#include <xen/xen.h>
#include <xen/grant_table.h>

#include <xen/gntdev.h>

int node_open(const char *strategy)
{
	char path[64];
	int fd;

	if (strcmp(strategy, "gntdev"))
		snprintf(path, sizeof(path), "/dev/xen/gntmap-%s", strategy);
	else
		snprintf(path, sizeof(path), "/dev/xen/gntdev");
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int node_map_grant_ref(int fd, uint32_t domid, uint32_t first_ref, uint32_t count, struct node_range *range)
{
	struct ioctl_gntdev_map_grant_ref *request;
	int ret = 0;

	request = calloc(1, sizeof(*request) + count * sizeof(request->refs[0]));
	if (!request)
		return -ENOMEM;
	request->count = count;
	for (uint32_t i = 0; i < count; i++) {
		request->refs[i].domid = domid;
		request->refs[i].ref = first_ref + i;
	}
	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, request) < 0)
		ret = -errno;
	*range = (struct node_range){ .index = request->index, .count = count };
	free(request);
	return ret;
}

int node_unmap_grant_ref(int fd, const struct node_range *range)
{
	struct ioctl_gntdev_unmap_grant_ref request = { .index = range->index, .count = range->count };

	return ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &request) < 0 ? -errno : 0;
}

int node_mmap(int fd, struct node_range *range, int prot)
{
	void *addr = mmap(NULL, (size_t)range->count * NODE_PAGE_SIZE, prot, MAP_SHARED, fd, range->index);

	if (addr == MAP_FAILED)
		return -errno;
	range->addr = addr;
	return 0;
}

int node_munmap(struct node_range *range)
{
	if (munmap(range->addr, (size_t)range->count * NODE_PAGE_SIZE) < 0)
		return -errno;
	range->addr = NULL;
	return 0;
}

int node_map(int fd, uint32_t domid, uint32_t first_ref, uint32_t count, int prot, struct node_range *range)
{
	int ret = node_map_grant_ref(fd, domid, first_ref, count, range);

	if (ret)
		return ret;
	ret = node_mmap(fd, range, prot);
	if (ret)
		node_unmap_grant_ref(fd, range);
	return ret;
}

int node_unmap(int fd, struct node_range *range)
{
	int ret = node_munmap(range);

	return ret ? ret : node_unmap_grant_ref(fd, range);
}

int node_offset_for_vaddr(int fd, const void *addr, uint64_t *index, uint32_t *count)
{
	struct ioctl_gntdev_get_offset_for_vaddr request = { .vaddr = (uintptr_t)addr };

	if (ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &request) < 0)
		return -errno;
	*index = request.offset;
	*count = request.count;
	return 0;
}
