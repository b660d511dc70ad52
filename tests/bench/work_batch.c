// SPDX-License-Identifier: GPL-2.0
/* Map and unmap, all four system calls, batches of different sizes. */
#include "bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "floor.h"
#include "request.h"

static struct request request;

static int map_and_unmap(struct side *side, double *values)
{
	uint64_t start = clock_ticks(), mapped;
	int ret = request_map(side->fd, &request);

	if (ret)
		return ret;
	mapped = clock_ticks();
	ret = request_unmap(side->fd, &request);
	values[2] = clock_us_since(mapped);
	values[1] = clock_us(mapped - start);
	values[0] = values[1] + values[2];
	return ret;
}

static int hypercalls(struct side *side, double *values)
{
	uint32_t what = *(uint32_t *)side->arg;
	int ret = floor_run(bench.granter, what, request.nr, 0, &values[1], &values[2]);

	values[0] = values[1] + values[2];
	return ret;
}

/* The same when somebody in the kernel asks for each page once, as for direct IO. */
static int map_ask_and_unmap(struct side *side, double *values)
{
	uint64_t start = clock_ticks();
	int ret = request_map(side->fd, &request), err = 0;

	if (ret)
		return ret;
	if (madvise(request.addr, request.nr * 4096ul, MADV_POPULATE_READ))
		err = -errno;
	ret = request_unmap(side->fd, &request);
	values[0] = clock_us_since(start);
	return err ? err : ret;
}

static void measure(uint32_t nr_pages)
{
	uint32_t both = FLOOR_GRANTS, user = FLOOR_USER_GRANTS;
	const struct pace pace = { .min_rounds = 5, .max_rounds = 101, .seconds = 6 * bench.pace };
	static const char *const parts[SIDE_PARTS] = { "map and unmap", "map", "unmap" };
	struct side sides[NR_STRATEGIES + 3];
	unsigned int nr = bench_sides(sides, false, map_and_unmap);

	/* In PV a grant is the user's alone until somebody in the kernel asks for it. */
	sides[nr++] = (struct side){ SIDE_FLOOR, "floor", -1, bench.pv ? &user : &both, hypercalls };
	/* What it takes when Xen maps everything for the kernel too, as it does for xen-gntdev. */
	if (bench.pv)
		sides[nr++] = (struct side){ SIDE_FLOOR, "both", -1, &both, hypercalls };

	if (request_init(&request, bench.granter, 0, nr_pages))
		bench_die("no memory");
	sides_take_turns(sides, nr, &pace);
	for (unsigned int part = 0; part < SIDE_PARTS; part++)
		results_add(results,
			    &(struct measure){ .workload = parts[part], .size = nr_pages, .of = "pages", .unit = "us", .part = part },
			    sides, bench.pv ? nr - 1 : nr);
	if (bench.pv) {
		sides[nr - 1].kind = SIDE_OURS;
		results_add(results,
			    &(struct measure){ .workload = "hypercalls, for the kernel too", .size = nr_pages, .of = "pages", .unit = "us" },
			    &sides[nr - 2], 2);
	}
	bench_close(sides, nr);

	nr = bench_sides(sides, true, map_ask_and_unmap);
	sides_take_turns(sides, nr, &pace);
	results_add(results,
		    &(struct measure){ .workload = "map, all asked for, unmap", .size = nr_pages, .of = "pages", .unit = "us" },
		    sides, nr);
	bench_close(sides, nr);
	request_free(&request);
}

void work_batch(void)
{
	static const uint32_t sizes[] = { 1, 8, 64, 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		/* Elsewhere a page takes milliseconds. */
		if (bench.pv || sizes[i] <= 512)
			measure(sizes[i]);
}
