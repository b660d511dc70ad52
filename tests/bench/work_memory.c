// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata of mapped pages: by how much the kernel's slabs (which large kmalloc()s count as) and vmalloc grow while they
 * are mapped. Their PTEs and page structs are not among it.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "request.h"

static struct request *requests;
static uint32_t nr_requests;

static long meminfo_bytes(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	size_t length = strlen(name);
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ':')
			kib = atol(line + length + 1);
	if (file)
		fclose(file);
	return kib * 1024;
}

/*
 * Objects in slabs, not the slabs, some of which are kept when they are empty. What kmalloc() takes in whole pages is in
 * no slab, though counted as such.
 */
static long allocated_bytes(void)
{
	long objects, size, per_slab, pages_per_slab, slabs, sum;
	FILE *file = fopen("/proc/slabinfo", "re");
	char line[512];

	sum = meminfo_bytes("Slab") + meminfo_bytes("VmallocUsed");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %ld %*d %ld %ld %ld : tunables %*d %*d %*d : slabdata %*d %ld", &objects, &size,
			   &per_slab, &pages_per_slab, &slabs) != 5)
			continue;
		sum += objects * size - slabs * pages_per_slab * 4096;
	}
	if (!file)
		bench_die("no /proc/slabinfo");
	fclose(file);
	return sum;
}

/* The time after which frees of RCU and of work queues have happened. */
static void settle(void)
{
	usleep(200 * 1000);
}

static int bytes_per_page(struct side *side, double *values)
{
	long before;
	int ret = 0;

	settle();
	before = allocated_bytes();
	for (uint32_t i = 0; i < nr_requests && !ret; i++)
		ret = request_map(side->fd, &requests[i]);
	if (ret)
		return ret;
	settle();
	values[0] = (double)(allocated_bytes() - before) / ((double)nr_requests * requests[0].nr);
	for (uint32_t i = 0; i < nr_requests; i++)
		request_unmap(side->fd, &requests[i]);
	return 0;
}

static void measure(uint32_t nr, uint32_t nr_pages)
{
	const struct pace pace = { .min_rounds = 3, .max_rounds = 5, .seconds = 20 * bench.pace };
	struct side sides[2];
	unsigned int nr_sides = bench_sides(sides, true, bytes_per_page);

	nr_requests = nr;
	requests = calloc(nr, sizeof(*requests));
	for (uint32_t i = 0; i < nr; i++)
		if (!requests || request_init(&requests[i], bench.granter, i * nr_pages, nr_pages))
			bench_die("no memory");
	sides_take_turns(sides, nr_sides, &pace);
	results_add(results,
		    &(struct measure){ .workload = "metadata", .size = nr_pages, .of = "pages", .unit = "B a page" }, sides,
		    nr_sides);
	for (uint32_t i = 0; i < nr; i++)
		request_free(&requests[i]);
	free(requests);
	bench_close(sides, nr_sides);
}

void work_memory(void)
{
	/* Enough of them that a slab more or less, which each CPU may keep for itself, does not count. */
	measure(32, 1024);
	measure(bench.pv ? 4096 : 512, 1);
}
