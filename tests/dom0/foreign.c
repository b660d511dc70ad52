// SPDX-License-Identifier: GPL-2.0
#include "foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "suite.h"

int try_foreign(int fd, uint32_t domid, uint32_t flags, const uint64_t *gfns, uint64_t nr, int32_t *errors,
		uint64_t *offset)
{
	struct gntmap_map_foreign op = {
		.size = sizeof(op),
		.flags = flags,
		.domid = domid,
		.nr = nr,
		.gfns = flags & GNTMAP_FOREIGN_RUN ? *gfns : (uintptr_t)gfns,
		.errors = (uintptr_t)errors,
	};

	if (ioctl(fd, GNTMAP_IOCTL_MAP_FOREIGN, &op))
		return -errno;
	*offset = op.offset;
	return 0;
}

uint64_t *foreign_gfns(uint32_t first, uint32_t count)
{
	uint64_t *gfns = calloc(count, sizeof(*gfns));

	check(gfns, "no memory");
	check(!granter_frames(suite.granter, first, count, gfns), "%s", strerror(errno));
	return gfns;
}

struct range foreign_add(int fd, uint32_t first, uint32_t count, uint32_t flags)
{
	struct range r = { .fd = fd, .first = first, .count = count };
	uint64_t *gfns = foreign_gfns(first, count);

	expect(try_foreign(fd, suite.granter->domid, flags, gfns, count, NULL, &r.offset), 0);
	free(gfns);
	return r;
}

struct range foreign_map(int fd, uint32_t first, uint32_t count, int prot)
{
	struct range r = foreign_add(fd, first, count, prot & PROT_WRITE ? GNTMAP_FOREIGN_WRITE : 0);

	range_mmap(&r, prot);
	return r;
}

void check_file_has(int fd, uint64_t nr_ranges, uint64_t nr_pages)
{
	struct gntmap_info info = { .size = sizeof(info) };

	check(!ioctl(fd, GNTMAP_IOCTL_INFO, &info), "%s", strerror(errno));
	check(info.nr_ranges == nr_ranges && info.nr_pages == nr_pages, "%llu ranges of %llu pages",
	      info.nr_ranges, info.nr_pages);
}
