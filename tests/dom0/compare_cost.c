// SPDX-License-Identifier: GPL-2.0
/* What a page costs. Only ratios between strategies of one boot mean anything. */
#include "compare.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "gntmap_node.h"

#define NR_PAGES 64
#define NR_RUNS 5

const char *const cost_rows[] = { "map, ns a page", "first touch, ns a page", "unmap, ns a page", NULL };

/*
 * Not the kernel's clock: a PV guest's is made of one clock per CPU, and where Xen knows their difference badly (under
 * emulation by a busy machine) it stands still for as long as one is behind the other (pvclock_clocksource_read()).
 */
static uint64_t now_ticks(void)
{
	return __rdtsc();
}

/* What "cpu MHz" of /proc/cpuinfo says, which is the TSC's frequency where CPUs cannot tell their own. */
double ticks_per_ns(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	double mhz = 0;
	char line[256];

	while (file && !mhz && fgets(line, sizeof(line), file))
		sscanf(line, "cpu MHz : %lf", &mhz);
	if (file)
		fclose(file);
	return mhz / 1000;
}

static int compare_long(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static void run(struct probe *probe, long ticks[3])
{
	struct node_range range;
	uint64_t start, mapped, touched;
	int ret;

	start = now_ticks();
	ret = node_map(probe->fd, probe->granter->domid, probe->granter->first_ref, NR_PAGES, PROT_READ | PROT_WRITE,
		       &range);
	if (ret)
		probe_die(probe, "map: %s", strerror(-ret));
	mapped = now_ticks();
	for (size_t page = 0; page < NR_PAGES; page++)
		(void)*((volatile char *)range.addr + page * GRANTER_PAGE_SIZE);
	touched = now_ticks();
	ret = node_unmap(probe->fd, &range);
	if (ret)
		probe_die(probe, "unmap: %s", strerror(-ret));
	ticks[0] = mapped - start;
	ticks[1] = touched - mapped;
	ticks[2] = now_ticks() - touched;
}

void probe_cost(struct probe *probe)
{
	double frequency = ticks_per_ns();
	long ns[3][NR_RUNS], one[3];
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
	if (!frequency)
		probe_die(probe, "no CPU frequency in /proc/cpuinfo");
	/* The first time, pages and page tables are made. */
	run(probe, one);
	for (int i = 0; i < NR_RUNS; i++) {
		run(probe, one);
		for (int what = 0; what < 3; what++)
			ns[what][i] = one[what] / frequency / NR_PAGES;
	}
	for (int what = 0; what < 3; what++) {
		qsort(ns[what], NR_RUNS, sizeof(long), compare_long);
		info(probe, cost_rows[what], ns[what][NR_RUNS / 2], "%ld", ns[what][NR_RUNS / 2]);
	}
}
