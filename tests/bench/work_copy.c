// SPDX-License-Identifier: GPL-2.0
/* Grant copy, from the granter to us. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* gntdev.h uses their types without including them */
#include <xen/xen.h>
#include <xen/grant_table.h>

#include <xen/gntdev.h>

#include "clock.h"
#include "floor.h"

struct load {
	uint32_t nr, bytes; /* segments, and of each */
	struct gntdev_grant_copy_segment *segments;
};

static int copy(struct side *side, double *values)
{
	const struct load *load = side->arg;
	struct ioctl_gntdev_grant_copy op = { .count = load->nr, .segments = load->segments };
	uint64_t start = clock_ticks();

	if (ioctl(side->fd, IOCTL_GNTDEV_GRANT_COPY, &op))
		return -errno;
	values[0] = clock_us_since(start);
	for (uint32_t i = 0; i < load->nr; i++)
		if (load->segments[i].status != GNTST_okay)
			return -EIO;
	return 0;
}

static int hypercalls(struct side *side, double *values)
{
	const struct load *load = side->arg;
	double none;

	return floor_run(bench.granter, FLOOR_COPY, load->nr, load->bytes, &values[0], &none);
}

static void fill(struct load *load, char *buffer)
{
	for (uint32_t i = 0; i < load->nr; i++) {
		struct gntdev_grant_copy_segment *segment = &load->segments[i];

		segment->source.foreign.ref = bench.granter->first_ref + i;
		segment->source.foreign.offset = 0;
		segment->source.foreign.domid = bench.granter->domid;
		/* A segment of ours must not cross a page. */
		segment->dest.virt = buffer + i * 4096ul;
		segment->len = load->bytes;
		segment->flags = GNTCOPY_source_gref;
	}
}

static void measure(uint32_t nr, uint32_t total, char *buffer)
{
	const struct pace pace = { .min_rounds = 5, .max_rounds = 51, .seconds = 3 * bench.pace };
	struct load load = { .nr = nr, .bytes = total / nr };
	struct side sides[3];
	unsigned int nr_sides = bench_sides(sides, true, copy);
	char name[64];

	if (load.bytes > 4096)
		load.bytes = 4096;
	load.segments = calloc(nr, sizeof(*load.segments));
	if (!load.segments)
		bench_die("no memory");
	fill(&load, buffer);
	sides[nr_sides++] = (struct side){ SIDE_FLOOR, "floor", -1, NULL, hypercalls };
	for (unsigned int i = 0; i < nr_sides; i++)
		sides[i].arg = &load;
	sides_take_turns(sides, nr_sides, &pace);
	snprintf(name, sizeof(name), "grant copy, %u B", load.bytes * nr);
	results_add(results, &(struct measure){ .workload = name, .size = nr, .of = "segments", .unit = "us" }, sides, nr_sides);
	free(load.segments);
	bench_close(sides, nr_sides);
}

void work_copy(void)
{
	static const uint32_t nrs[] = { 1, 16, 64, 256 }, totals[] = { 512, 4096, 65536 };
	char *buffer = mmap(NULL, 256 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (buffer == MAP_FAILED)
		bench_die("no memory");
	for (size_t i = 0; i < ARRAY_SIZE(nrs); i++)
		for (size_t j = 0; j < ARRAY_SIZE(totals); j++)
			/* One segment is a page at most. */
			if (totals[j] <= nrs[i] * 4096)
				measure(nrs[i], totals[j], buffer);
}
