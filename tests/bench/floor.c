// SPDX-License-Identifier: GPL-2.0
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"

#define NODE "/dev/grant-floor"

static int floor_fd = -1;
static void *window;

int floor_open(void)
{
	if (access(NODE, F_OK) && system("modprobe grant_floor 2>/dev/null"))
		return -ENOENT;
	floor_fd = open(NODE, O_RDWR | O_CLOEXEC);
	if (floor_fd < 0)
		return -errno;
	window = mmap(NULL, FLOOR_MAX * 4096ul, PROT_READ | PROT_WRITE, MAP_SHARED, floor_fd, 0);
	if (window == MAP_FAILED)
		return -errno;
	return 0;
}

void floor_close(void)
{
	if (floor_fd < 0)
		return;
	munmap(window, FLOOR_MAX * 4096ul);
	close(floor_fd);
	floor_fd = -1;
}

static int make_list(const struct granter *granter, uint32_t what, uint32_t nr, uint64_t *list)
{
	uint32_t nr_writable = granter->nr_refs - granter->nr_ro;

	if (what == FLOOR_FOREIGN)
		return granter_frames((struct granter *)granter, 0, nr, list) ? -errno : 0;
	for (uint32_t i = 0; i < nr; i++)
		list[i] = granter->first_ref + i % nr_writable;
	return 0;
}

int floor_run(const struct granter *granter, uint32_t what, uint32_t nr, uint32_t bytes, double *map_us,
	      double *unmap_us)
{
	uint64_t list[FLOOR_MAX];
	struct grant_floor_run run = {
		.what = what,
		.domid = granter->domid,
		.nr = nr,
		.bytes = bytes,
		.list = (uintptr_t)list,
		.vaddr = (uintptr_t)window,
	};
	int ret;

	if (floor_fd < 0)
		return -ENOENT;
	if (nr > FLOOR_MAX)
		return -ERANGE;
	ret = make_list(granter, what, nr, list);
	if (ret)
		return ret;
	if (ioctl(floor_fd, GRANT_FLOOR_RUN, &run))
		return -errno;
	*map_us = clock_us(run.map_ticks);
	*unmap_us = clock_us(run.unmap_ticks);
	return 0;
}
