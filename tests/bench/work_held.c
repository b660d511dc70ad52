// SPDX-License-Identifier: GPL-2.0
/*
 * A file that holds many ranges: one more single page, and the close of the file. The ranges that it holds are not
 * mapped, as a mapped one would keep the file from going.
 */
#include "bench.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "gntmap_node.h"
#include "request.h"

static struct request one;

static int map_and_unmap(struct side *side, double *values)
{
	uint64_t start = clock_ticks();
	int ret = request_map(side->fd, &one);

	if (!ret)
		ret = request_unmap(side->fd, &one);
	values[0] = clock_us_since(start);
	return ret;
}

static int hold(int fd, uint32_t *nr_held, uint32_t nr)
{
	while (*nr_held < nr) {
		int ret = request_add(fd, &one);

		if (ret)
			return ret;
		++*nr_held;
	}
	return 0;
}

/* One more, while the file has more and more of them. */
static void measure_one_more(void)
{
	static const uint32_t sizes[] = { 0, 1000, 5000, 10000, 20000 };
	const struct pace pace = { .min_rounds = 5, .max_rounds = 51, .seconds = 4 * bench.pace };
	struct side sides[2];
	unsigned int nr = bench_sides(sides, true, map_and_unmap);
	uint32_t held[2] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned int k = 0; k < nr; k++) {
			int ret = hold(sides[k].fd, &held[k], sizes[i]);

			if (ret == -ENOMEM || ret == -ENOSPC) {
				results_add_note(results, "one more page", "no memory for 20000 ranges");
				goto out;
			}
			if (ret)
				bench_die("%s, %u ranges: %s", sides[k].name, held[k], strerror(-ret));
		}
		sides_reset(sides, nr);
		sides_take_turns(sides, nr, &pace);
		results_add(results,
			    &(struct measure){ .workload = "one more page", .size = sizes[i], .of = "held", .unit = "us" },
			    sides, nr);
	}
out:
	bench_close(sides, nr);
}

static int fill_and_close(struct side *side, double *values)
{
	uint32_t nr_held = 0, nr = *(uint32_t *)side->arg;
	uint64_t start = clock_ticks(), filled;
	int fd = node_open(side->name), ret;

	if (fd < 0)
		return fd;
	ret = hold(fd, &nr_held, nr);
	filled = clock_ticks();
	values[1] = clock_us(filled - start);
	close(fd);
	values[0] = clock_us_since(filled);
	return ret;
}

static void measure_close(uint32_t nr_held)
{
	/* Filling takes the kernel's own seconds. */
	const struct pace pace = { .min_rounds = 3, .max_rounds = 9, .seconds = 10 * bench.pace };
	struct side sides[2];
	unsigned int nr = bench_sides(sides, true, fill_and_close);

	for (unsigned int i = 0; i < nr; i++)
		sides[i].arg = &nr_held;
	sides_take_turns(sides, nr, &pace);
	results_add(results, &(struct measure){ .workload = "close", .size = nr_held, .of = "held", .unit = "us" }, sides, nr);
	results_add(results,
		    &(struct measure){ .workload = "add so many ranges", .size = nr_held, .of = "held", .unit = "us", .part = 1 },
		    sides, nr);
	bench_close(sides, nr);
}

void work_held(void)
{
	if (request_init(&one, bench.granter, 0, 1))
		bench_die("no memory");
	measure_one_more();
	measure_close(5000);
	measure_close(10000);
	request_free(&one);
}
