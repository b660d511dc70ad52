// SPDX-License-Identifier: GPL-2.0
/*
 * Unmap of 512 pages of which one is pinned, as by a direct IO that takes its time: when has the granter the other 511
 * back, and how long after the last unpin the last one?
 */
#include "bench.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "pin.h"
#include "request.h"

#define NR_PAGES 512
#define PINNED_US 300000.0

static struct request request;

static int64_t nr_busy(void)
{
	return granter_busy(bench.granter, 0, NR_PAGES, NULL);
}

/* Until no more than nr pages are mapped; false when that does not come before the limit. */
static bool wait_busy(int64_t nr, uint64_t start, double limit_us)
{
	do {
		int64_t busy = nr_busy();

		if (busy < 0 || busy <= nr)
			return busy >= 0;
		usleep(500);
	} while (clock_us_since(start) < limit_us);
	return false;
}

static int unmap_pinned(struct side *side, double *values)
{
	uint64_t start, unpinned;
	bool early;
	struct pin pin;
	int ret;

	ret = request_map(side->fd, &request);
	if (ret)
		return ret;
	ret = pin_page(&pin, PIN_PIPE, (char *)request.addr + 100 * 4096);
	if (ret) {
		request_unmap(side->fd, &request);
		return ret;
	}
	start = clock_ticks();
	ret = request_unmap(side->fd, &request);
	early = wait_busy(1, start, PINNED_US);
	values[0] = clock_us_since(start);
	while (clock_us_since(start) < PINNED_US)
		usleep(1000);

	unpinned = clock_ticks();
	unpin_page(&pin, NULL);
	if (!early) {
		if (!wait_busy(1, start, 20e6))
			return -ETIMEDOUT;
		values[0] = clock_us_since(start);
	}
	if (!wait_busy(0, start, 20e6))
		return -ETIMEDOUT;
	values[1] = clock_us_since(unpinned);
	return ret;
}

void work_pinned(void)
{
	const struct pace pace = { .min_rounds = 5, .max_rounds = 11, .seconds = 15 * bench.pace };
	struct side sides[2];
	unsigned int nr = bench_sides(sides, true, unmap_pinned);

	/*
	 * In PV the kernel's own driver leaves the grants in the page tables that are being torn down: Linux takes each
	 * page's last reference with the PTE, warns in free_zone_device_folio(), and the page is of no use to anybody.
	 */
	if (bench.pv)
		sides[0].error = -EOPNOTSUPP;
	if (request_init(&request, bench.granter, 0, NR_PAGES))
		bench_die("no memory");
	sides_take_turns(sides, nr, &pace);
	results_add(results, &(struct measure){ .workload = "others back, one pinned 300 ms", .size = NR_PAGES, .of = "pages", .unit = "us" },
		    sides, nr);
	results_add(results, &(struct measure){ .workload = "last page back after unpin", .size = NR_PAGES, .of = "pages", .unit = "us", .part = 1 },
		    sides, nr);
	request_free(&request);
	bench_close(sides, nr);
}
