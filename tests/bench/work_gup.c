// SPDX-License-Identifier: GPL-2.0
/*
 * get_user_pages() on mapped pages: pages that vmsplice() takes hold of and lets go a second, and the throughput of
 * O_DIRECT writes from them. The other side is ordinary memory of the process.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "request.h"

#define NR_PAGES 64
#define SIZE (NR_PAGES * 4096ul)
#define REPEAT 16

static int null_fd, block_fd = -1, ends[2];

/* A reference for each page, which goes with the pipe's buffer. */
static int hold_and_let_go(struct side *side, double *values)
{
	uint64_t start = clock_ticks();

	for (int i = 0; i < REPEAT; i++) {
		struct iovec iov = { side->arg, SIZE };

		if (vmsplice(ends[1], &iov, 1, 0) != (ssize_t)SIZE)
			return -errno;
		for (size_t left = SIZE; left;) {
			ssize_t moved = splice(ends[0], NULL, null_fd, NULL, left, 0);

			if (moved <= 0)
				return -errno;
			left -= moved;
		}
	}
	values[0] = NR_PAGES * REPEAT / clock_us_since(start) * 1e6;
	return 0;
}

static int write_direct(struct side *side, double *values)
{
	uint64_t start = clock_ticks();

	for (int i = 0; i < REPEAT; i++)
		if (pwrite(block_fd, side->arg, SIZE, 0) != (ssize_t)SIZE)
			return -errno;
	values[0] = SIZE * REPEAT / clock_us_since(start);
	return 0;
}

static void measure(struct side *sides, unsigned int nr, const char *workload, const char *unit,
		    int (*turn)(struct side *side, double *values))
{
	const struct pace pace = { .min_rounds = 5, .max_rounds = 31, .seconds = 5 * bench.pace };

	sides_reset(sides, nr);
	for (unsigned int i = 0; i < nr; i++)
		sides[i].turn = turn;
	sides_take_turns(sides, nr, &pace);
	results_add(results, &(struct measure){ .workload = workload, .size = NR_PAGES, .of = "pages", .unit = unit, .more = true },
		    sides, nr);
}

void work_gup(void)
{
	struct side sides[NR_STRATEGIES + 2];
	struct request requests[NR_STRATEGIES + 1];
	unsigned int nr = bench_sides(sides, false, hold_and_let_go), nr_nodes = nr;
	void *plain = aligned_alloc(4096, SIZE);

	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!plain || null_fd < 0 || pipe2(ends, O_CLOEXEC) || fcntl(ends[1], F_SETPIPE_SZ, SIZE) < 0)
		bench_die("pipe: %s", strerror(errno));
	memset(plain, 1, SIZE);
	for (unsigned int i = 0; i < nr_nodes; i++) {
		if (request_init(&requests[i], bench.granter, i * NR_PAGES, NR_PAGES) ||
		    request_map(sides[i].fd, &requests[i]))
			bench_die("%s: cannot map", sides[i].name);
		sides[i].arg = requests[i].addr;
	}
	sides[nr++] = (struct side){ SIDE_FLOOR, "ordinary", -1, plain };

	measure(sides, nr, "GUP, vmsplice()", "pages/s", hold_and_let_go);
	if (bench.block_device)
		block_fd = open(bench.block_device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (block_fd < 0)
		results_add_note(results, "O_DIRECT", "no null_blk");
	else
		measure(sides, nr, "O_DIRECT writes", "MB/s", write_direct);
	for (unsigned int i = 0; i < nr_nodes; i++)
		request_unmap(sides[i].fd, &requests[i]);
	bench_close(sides, nr_nodes);
}
