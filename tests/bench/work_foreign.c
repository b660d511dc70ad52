// SPDX-License-Identifier: GPL-2.0
/* Foreign frames, mapped and unmapped: ours against privcmd by way of libxenforeignmemory. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <xenforeignmemory.h>

#include <xen/gntmap.h>

#include "clock.h"
#include "floor.h"
#include "request.h"

static uint32_t nr_pages;
static uint64_t *frames;
static xenforeignmemory_handle *privcmd;

static int ours(struct side *side, double *values)
{
	struct gntmap_map_foreign op = {
		.size = sizeof(op),
		.flags = GNTMAP_FOREIGN_WRITE,
		.domid = bench.granter->domid,
		.nr = nr_pages,
		.gfns = (uintptr_t)frames,
	};
	struct request request = { .nr = nr_pages };
	uint64_t start = clock_ticks();
	int ret;

	if (ioctl(side->fd, GNTMAP_IOCTL_MAP_FOREIGN, &op))
		return -errno;
	request.offset = op.offset;
	ret = request_mmap(side->fd, &request);
	if (!ret)
		ret = request_munmap(&request);
	request_remove(side->fd, &request);
	values[0] = clock_us_since(start);
	return ret;
}

static int theirs(struct side *side, double *values)
{
	uint64_t start = clock_ticks();
	void *addr;

	(void)side;
	/* xen_pfn_t is 64 bits wide, as a frame is in our list. */
	addr = xenforeignmemory_map(privcmd, bench.granter->domid, PROT_READ | PROT_WRITE, nr_pages,
				    (const xen_pfn_t *)frames, NULL);
	if (!addr)
		return -errno;
	xenforeignmemory_unmap(privcmd, addr, nr_pages);
	values[0] = clock_us_since(start);
	return 0;
}

static int hypercalls(struct side *side, double *values)
{
	double map_us, unmap_us;
	int ret = floor_run(bench.granter, FLOOR_FOREIGN, nr_pages, 0, &map_us, &unmap_us);

	(void)side;
	values[0] = map_us + unmap_us;
	return ret;
}

static void measure(uint32_t nr)
{
	const struct pace pace = { .min_rounds = 5, .max_rounds = 51, .seconds = 6 * bench.pace };
	struct side sides[NR_STRATEGIES + 2];
	unsigned int nr_sides = 0;

	nr_pages = nr;
	frames = calloc(nr, sizeof(*frames));
	if (!frames || granter_frames(bench.granter, 0, nr, frames))
		bench_die("no frames");
	sides[nr_sides++] = (struct side){ SIDE_THEIRS, "privcmd", -1, NULL, theirs };
	for (unsigned int i = 0; i < NR_STRATEGIES; i++)
		sides[nr_sides++] = bench_side(strategies[i], ours);
	sides[nr_sides++] = (struct side){ SIDE_FLOOR, "floor", -1, NULL, hypercalls };
	sides_take_turns(sides, nr_sides, &pace);
	results_add(results, &(struct measure){ .workload = "foreign frames", .size = nr, .of = "pages", .unit = "us" },
		    sides, nr_sides);
	free(frames);
	bench_close(sides, nr_sides);
}

void work_foreign(void)
{
	privcmd = xenforeignmemory_open(NULL, 0);
	if (!privcmd)
		bench_die("no privcmd");
	measure(1);
	measure(64);
	measure(512);
	xenforeignmemory_close(privcmd);
}
