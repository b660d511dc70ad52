// SPDX-License-Identifier: GPL-2.0
/* Four processes that map and unmap at once, each with a file of its own. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "gntmap_node.h"
#include "request.h"

#define NR_PROCESSES 4
#define NR_TIMES 8

static uint32_t nr_pages;

/* What the processes share. */
struct gate {
	atomic_int nr_ready;
	atomic_int open;
};

static int be_one_of_them(const char *name, unsigned int which, struct gate *gate)
{
	struct request request;
	int fd = node_open(name), ret = 0;

	if (fd < 0 || request_init(&request, bench.granter, which * nr_pages, nr_pages))
		return 1;
	bench_pin_cpu(which % bench.nr_cpus);
	gate->nr_ready++;
	while (!gate->open)
		sched_yield();
	for (int i = 0; i < NR_TIMES && !ret; i++) {
		ret = request_map(fd, &request);
		if (!ret)
			ret = request_unmap(fd, &request);
	}
	return ret ? 1 : 0;
}

static int all_at_once(struct side *side, double *values)
{
	struct gate *gate = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int failed = 0, status;
	uint64_t start;

	if (gate == MAP_FAILED)
		return -ENOMEM;
	for (unsigned int i = 0; i < NR_PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (!pid)
			_exit(be_one_of_them(side->name, i, gate));
	}
	start = clock_ticks();
	while (gate->nr_ready < NR_PROCESSES && clock_us_since(start) < 10e6)
		sched_yield();
	start = clock_ticks();
	gate->open = 1;
	for (unsigned int i = 0; i < NR_PROCESSES; i++) {
		wait(&status);
		failed |= status;
	}
	values[0] = clock_us_since(start) / (NR_PROCESSES * NR_TIMES);
	munmap(gate, 4096);
	return failed ? -EIO : 0;
}

static void measure(uint32_t nr)
{
	const struct pace pace = { .min_rounds = 5, .max_rounds = 31, .seconds = 8 * bench.pace };
	struct side sides[2];
	unsigned int nr_sides = bench_sides(sides, true, all_at_once);

	nr_pages = nr;
	sides_take_turns(sides, nr_sides, &pace);
	results_add(results, &(struct measure){ .workload = "four processes at once", .size = nr, .of = "pages", .unit = "us" }, sides, nr_sides);
	bench_close(sides, nr_sides);
}

void work_parallel(void)
{
	measure(1);
	measure(64);
}
