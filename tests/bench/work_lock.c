// SPDX-License-Identifier: GPL-2.0
/*
 * How long a map holds mmap_lock, as another thread of the process sees it: the longest that a page fault took, and a
 * mincore(), which always takes the lock (since 6.4 a fault does with the lock of its VMA if it can).
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "clock.h"
#include "request.h"

static struct request request;
static atomic_int stop;

struct watch {
	double fault_us, mincore_us; /* the longest */
};

static void *watch_faults(void *arg)
{
	struct watch *watch = arg;
	unsigned char resident;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	bench_pin_cpu(bench.nr_cpus - 1);
	while (!stop) {
		uint64_t start;
		double us;

		madvise(page, 4096, MADV_DONTNEED);
		start = clock_ticks();
		*(volatile char *)page = 1;
		us = clock_us_since(start);
		if (us > watch->fault_us)
			watch->fault_us = us;
		start = clock_ticks();
		mincore(page, 4096, &resident);
		us = clock_us_since(start);
		if (us > watch->mincore_us)
			watch->mincore_us = us;
	}
	munmap(page, 4096);
	return NULL;
}

static int longest_wait(struct side *side, double *values)
{
	struct watch watch = { 0 };
	pthread_t thread;
	uint64_t start;
	int ret;

	stop = 0;
	if (side->fd >= 0) {
		ret = request_add(side->fd, &request);
		if (ret)
			return ret;
	}
	if (pthread_create(&thread, NULL, watch_faults, &watch))
		return -1;
	/* Until it runs. */
	start = clock_ticks();
	while (clock_us_since(start) < 5000)
		sched_yield();
	ret = side->fd >= 0 ? request_mmap(side->fd, &request) : 0;
	/* The wait may end after ours. */
	start = clock_ticks();
	while (clock_us_since(start) < 5000)
		sched_yield();
	stop = 1;
	pthread_join(thread, NULL);
	values[0] = watch.fault_us;
	values[1] = watch.mincore_us;
	if (side->fd < 0)
		return 0;
	return ret ? ret : request_unmap(side->fd, &request);
}

static void measure(uint32_t nr_pages)
{
	const struct pace pace = { .min_rounds = 5, .max_rounds = 31, .seconds = 10 * bench.pace };
	static const char *const parts[] = { "longest fault meanwhile", "longest mincore() meanwhile" };
	struct side sides[3];
	unsigned int nr = bench_sides(sides, true, longest_wait);

	/* What such a thread sees when nobody maps anything. */
	sides[nr++] = (struct side){ SIDE_FLOOR, "nobody", -1, NULL, longest_wait };
	if (request_init(&request, bench.granter, 0, nr_pages))
		bench_die("no memory");
	sides_take_turns(sides, nr, &pace);
	for (unsigned int part = 0; part < ARRAY_SIZE(parts); part++)
		results_add(results,
			    &(struct measure){ .workload = parts[part], .size = nr_pages, .of = "pages", .unit = "us", .part = part },
			    sides, nr);
	request_free(&request);
	bench_close(sides, nr);
}

void work_lock(void)
{
	measure(512);
	if (bench.pv)
		measure(4096);
}
