// SPDX-License-Identifier: GPL-2.0
#include "damon.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "suite.h"

#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds/"
#define CONTEXT "0/contexts/0/"

static int set(const char *file, uint64_t value)
{
	char path[192], text[24];

	snprintf(path, sizeof(path), KDAMONDS "%s", file);
	snprintf(text, sizeof(text), "%lu", value);
	return write_file(path, text);
}

/* DAMON's statistics of the whole machine suffer nobody beside them, and are on by default where they exist (7.2). */
#define STATISTICS "/sys/module/damon_stat/parameters/enabled"
static bool had_statistics;

static void stop_statistics(void)
{
	char enabled[4];

	had_statistics = read_line(STATISTICS, enabled, sizeof(enabled)) && enabled[0] == 'Y';
	if (had_statistics)
		write_file(STATISTICS, "N");
}

int damon_start(pid_t pid, const void *start, size_t size)
{
	/* fvaddr: the region that is named, not what it makes of the address space */
	int ret = set("nr_kdamonds", 1);

	stop_statistics();
	ret = ret ? ret : set("0/contexts/nr_contexts", 1);
	ret = ret ? ret : write_file(KDAMONDS CONTEXT "operations", "fvaddr");
	ret = ret ? ret : set(CONTEXT "monitoring_attrs/intervals/sample_us", 5000);
	ret = ret ? ret : set(CONTEXT "monitoring_attrs/intervals/aggr_us", 50000);
	ret = ret ? ret : set(CONTEXT "monitoring_attrs/intervals/update_us", 500000);
	ret = ret ? ret : set(CONTEXT "targets/nr_targets", 1);
	ret = ret ? ret : set(CONTEXT "targets/0/pid_target", pid);
	ret = ret ? ret : set(CONTEXT "targets/0/regions/nr_regions", 1);
	ret = ret ? ret : set(CONTEXT "targets/0/regions/0/start", (uintptr_t)start);
	ret = ret ? ret : set(CONTEXT "targets/0/regions/0/end", (uintptr_t)start + size);
	return ret ? ret : write_file(KDAMONDS "0/state", "on");
}

void damon_stop(void)
{
	write_file(KDAMONDS "0/state", "off");
	set("nr_kdamonds", 0);
	if (had_statistics)
		write_file(STATISTICS, "Y");
}
