// SPDX-License-Identifier: GPL-2.0
/*
 * What NUMA balancing costs a process that it scans: the time in task_numa_work(), by scan pass, while the process has one
 * large mapping or many small ones, and a little ordinary memory, which is always scanned.
 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "numa.h"
#include "request.h"
#include "scan_time.h"

#define NR_PASSES 3
#define NR_PAGES_CONTROL 64
#define MAX_AREAS 501

static uint32_t nr_ranges, nr_pages; /* and of each */

struct outcome {
	int error;
	double us_per_pass;
};

/* nr_ranges mappings that do not touch each other. */
static int map_areas(int fd, struct numa_area *areas)
{
	struct request request;
	int ret = 0;

	for (uint32_t i = 0; i < nr_ranges && !ret; i++) {
		if (fd < 0) {
			/* A page that cannot be read on each side: it is not merged with the next one. */
			char *addr = numa_control_alloc((nr_pages + 2) * 4096ul);

			if (!addr)
				return -ENOMEM;
			munmap(addr, 4096);
			munmap(addr + (nr_pages + 1) * 4096ul, 4096);
			areas[i].start = addr + 4096;
		} else {
			ret = request_init(&request, bench.granter, i * nr_pages, nr_pages);
			if (!ret)
				ret = request_map(fd, &request);
			request_free(&request);
			areas[i].start = request.addr;
		}
		areas[i].size = nr_pages * 4096ul;
	}
	return ret;
}

static int burn(int fd, struct outcome *outcome)
{
	static struct numa_area areas[MAX_AREAS];
	struct sample us = { 0 };
	int passes, ret;

	fault_catch();
	ret = map_areas(fd, areas);
	areas[nr_ranges].size = NR_PAGES_CONTROL * 4096ul;
	areas[nr_ranges].start = numa_control_alloc(areas[nr_ranges].size);
	if (!ret && !areas[nr_ranges].start)
		ret = -ENOMEM;
	if (!ret)
		ret = scan_time_start();
	if (ret)
		return ret;
	passes = numa_burn(areas, nr_ranges + 1, 1, NR_PASSES, 20000);
	ret = scan_time_stop(&us);
	if (passes <= 0)
		return passes ? passes : -ETIMEDOUT;
	/* Calls are alike, but for one that an interrupt or the host's scheduler met. */
	outcome->us_per_pass = sample_spread(&us).median * us.nr / passes;
	return ret;
}

/* In a process of its own: how often one is scanned depends on its age. */
static int scanned(struct side *side, double *values)
{
	struct outcome *outcome = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, ret;
	pid_t pid;

	if (outcome == MAP_FAILED)
		return -ENOMEM;
	pid = fork();
	if (!pid) {
		bench_pin_cpu(-1);
		outcome->error = burn(side->fd, outcome);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	values[0] = outcome->us_per_pass;
	ret = status ? -EINTR : outcome->error;
	munmap(outcome, 4096);
	return ret;
}

static void measure(uint32_t nr, uint32_t pages_each, const char *workload)
{
	const struct pace pace = { .min_rounds = 3, .max_rounds = 9, .seconds = 20 * bench.pace };
	struct side sides[NR_STRATEGIES + 2];
	unsigned int nr_sides = bench_sides(sides, false, scanned);

	nr_ranges = nr;
	nr_pages = pages_each;
	sides[nr_sides++] = (struct side){ SIDE_FLOOR, "anonymous", -1, NULL, scanned };
	sides_take_turns(sides, nr_sides, &pace);
	results_add(results,
		    &(struct measure){ .workload = workload, .size = nr * pages_each, .of = "pages", .unit = "us a pass" },
		    sides, nr_sides);
	bench_close(sides, nr_sides);
}

void work_numa(void)
{
	int ret = numa_knobs_set();

	if (ret)
		bench_die("NUMA balancing's knobs: %s", strerror(-ret));
	measure(1, 512, "NUMA scans, one range");
	measure(100, 1, "NUMA scans, small ranges");
	numa_knobs_quiet();
}
