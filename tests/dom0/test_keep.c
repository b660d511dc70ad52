// SPDX-License-Identifier: GPL-2.0
/*
 * Unpopulated pages that are kept for later ranges: the core's parameter `keep`. What the driver gets from the kernel, and
 * gives back, is counted where it calls (faults.h), in this process alone; no pin outlives its range here, so that no page
 * goes back elsewhere.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "faults.h"
#include "gup.h"
#include "range.h"
#include "suite.h"
#include "tap.h"
#include "unpopulated.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIRST 6u

struct traffic {
	long got, given_back; /* pages */
	long out_of_balloon, into_balloon;
};

static uint64_t sum(const char *function)
{
	const struct fault *site = faults_find(function);

	if (!site)
		case_skip("a probe at %s", function);
	return faults_seen(site).sum;
}

/* Since the last time. */
static struct traffic traffic(void)
{
	struct traffic now = {
		.got = sum("gnttab_alloc_pages"),
		.given_back = sum("gnttab_free_pages"),
		.out_of_balloon = sum("xen_alloc_ballooned_pages"),
		.into_balloon = sum("xen_free_ballooned_pages"),
	};

	faults_count();
	return now;
}

#define check_traffic(nr_got, nr_back)                                                                   \
	do {                                                                                             \
		struct traffic now = traffic();                                                          \
		check(now.got == (nr_got) && now.given_back == (nr_back), "%ld pages were got, %ld given back", \
		      now.got, now.given_back);                                                          \
	} while (0)

/* At first there is none, and the driver gets just as many as it needs: none has to be exchanged. */
static void keep_at_most(const char *nr)
{
	unpopulated_sort();
	set_core_parameter("keep", nr);
	faults_count();
}

static struct range add_and_check(int fd, uint32_t nr)
{
	struct range r = range_map(fd, FIRST, nr, RW);

	range_check_pages(&r, 0, 2);
	range_check_pages(&r, nr - 1, 1);
	return r;
}

static void refused(const char *value)
{
	int err = write_file("/sys/module/gntmap/parameters/keep", value);
	char now[32];

	check(err == -EINVAL || err == -ERANGE, "%s: %s", value, errno_name(err));
	check(core_parameter("keep", now, sizeof(now)) && !strcmp(now, "16"), "after %s it is %s", value, now);
	check_traffic(0, 0);
}

static void kept_and_used_again(void)
{
	struct range big, small;
	struct traffic lowered;
	int fd = open_node();
	long kept;

	keep_at_most("40");
	big = add_and_check(fd, 30);
	check_traffic(30, 0);
	range_unmap(&big);
	check_traffic(0, 0);
	big = add_and_check(fd, 30);
	check_traffic(0, 0);
	small = add_and_check(fd, 20);
	check_traffic(20, 0);
	range_check_pages(&big, 5, 1);
	range_unmap(&big);
	check_traffic(0, 0);
	range_unmap(&small);
	check_traffic(0, 10);
	/* Some are there, the others are not. */
	big = add_and_check(fd, 50);
	check_traffic(10, 0);
	range_unmap(&big);
	check_traffic(0, 10);

	/* At once: all that are too many, perhaps more. */
	set_core_parameter("keep", "16");
	lowered = traffic();
	kept = 40 - lowered.given_back;
	check(!lowered.got && kept >= 0 && kept <= 16, "%ld given back, %ld got", lowered.given_back, lowered.got);
	big = range_add(fd, FIRST, 40);
	check_traffic(40 - kept, 0);
	range_remove(&big);
	check_traffic(0, 24);

	refused("4097");
	refused("-1");
	refused("4294967295");
	refused("4294967297");
	refused("many");
	refused("\n");
	small = range_add(fd, FIRST, 16);
	check_traffic(0, 0);
	range_remove(&small);
	check_traffic(0, 0);

	set_core_parameter("keep", "0");
	check_traffic(0, 16);
	small = range_add(fd, FIRST, 5);
	range_remove(&small);
	check_traffic(5, 5);
}

/* That is dom0's own memory, which is wanted elsewhere. */
static void not_the_balloon(void)
{
	int fd = open_node();
	struct range r;

	set_core_parameter("provider", "ballooned");
	keep_at_most("40");
	r = add_and_check(fd, 5);
	/* What a page came with goes by the range. */
	set_core_parameter("provider", "unpopulated");
	range_unmap(&r);
	check_traffic(0, 0);
	r = add_and_check(fd, 5);
	check_traffic(5, 0);
	set_core_parameter("provider", "ballooned");
	range_unmap(&r);
	check_traffic(0, 0);
	r = range_add(fd, FIRST, 5);
	range_remove(&r);
	set_core_parameter("keep", "0");
	check_traffic(0, 5);
}

#define NR 4u

struct look {
	struct range r;
	struct gup_page pages[NR];
};

/* Somebody in the kernel gets a range's pages; for reading, as get_user_pages() itself makes some dirty that are to be written. */
static void hold(int probe, struct look *look)
{
	struct gup_call call;

	expect(gup_call(probe, GUP_PIN_FAST, 0, look->r.addr, NR, true, &call, look->pages), 0);
	check(call.status == GUP_CALLED && call.ret == NR, "%ld", (long)call.ret);
}

static void let_go(int probe, bool dirty)
{
	check(gup_release(probe, dirty, NULL, 0) == NR, "not %u pages", NR);
}

static bool is_among(const struct look *look, uint64_t pfn)
{
	for (unsigned int i = 0; i < NR; i++)
		if (look->pages[i].pfn == pfn)
			return true;
	return false;
}

static void as_new(void)
{
	struct look fresh, written, again;
	int probe = gup_open(), fd = open_node();

	if (probe < 0)
		case_skip("gup_probe.ko");
	keep_at_most("40");
	fresh.r = add_and_check(fd, NR);
	hold(probe, &fresh);
	let_go(probe, true);
	written.r = fresh.r;
	hold(probe, &written);
	check(written.pages[0].page & GUP_PAGE_DIRTY, "premise: what a device wrote to is not dirty");
	let_go(probe, true);
	range_unmap(&fresh.r);
	faults_count();

	again.r = add_and_check(fd, NR);
	check_traffic(0, 0);
	hold(probe, &again);
	for (unsigned int i = 0; i < NR; i++) {
		const struct gup_page *page = &again.pages[i];

		check(is_among(&fresh, page->pfn), "premise: page %#llx is another one", (unsigned long long)page->pfn);
		check(page->page == fresh.pages[i].page && !(page->page & GUP_PAGE_DIRTY), "page %u: flags %#x, at first %#x", i,
		      page->page, fresh.pages[i].page);
		check(page->during.refs == fresh.pages[i].during.refs && page->during.pins == fresh.pages[i].during.pins,
		      "page %u: %d references, %d pins", i, page->during.refs, page->during.pins);
		check(page->word == *(volatile uint64_t *)range_page(&again.r, i), "page %u: it has something else", i);
	}
	let_go(probe, false);
	range_unmap(&again.r);
}

#define NR_THREADS 4
#define RACE_US 600000
#define ENOUGH 100

static atomic_bool over;

static void *add_and_remove(void *arg)
{
	struct ioctl_gntdev_grant_ref refs[24];
	int fd = open_node();
	uintptr_t nr;

	(void)arg;
	fill_refs(refs, FIRST, ARRAY_SIZE(refs));
	for (nr = 0; !atomic_load(&over) || nr < ENOUGH; nr++) {
		uint32_t count = 1 + nr * 37 % ARRAY_SIZE(refs);
		uint64_t offset;

		expect(try_add(fd, refs, count, &offset), 0);
		expect(try_remove(fd, offset, count), 0);
	}
	return (void *)nr;
}

/* A page that is lost does not come back; one that two have got comes back twice, and others elsewhere. */
static void none_is_lost(void)
{
	static const char *const values[] = { "4096", "70", "0", "4096", "4096", "3" };
	pthread_t threads[NR_THREADS];
	uint64_t start = now_us();
	struct traffic all;
	unsigned long nr = 0, nr_set;
	void *theirs;

	keep_at_most("4096");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		check(!pthread_create(&threads[i], NULL, add_and_remove, NULL), "no thread");
	for (nr_set = 0; now_us() - start < RACE_US || nr_set < 20; nr_set++) {
		set_core_parameter("keep", values[nr_set % ARRAY_SIZE(values)]);
		set_core_parameter("provider", nr_set % 3 == 2 ? "ballooned" : "unpopulated");
		sleep_ms(nr_set % 7);
	}
	atomic_store(&over, true);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &theirs);
		nr += (uintptr_t)theirs;
	}
	set_core_parameter("keep", "0");
	all = traffic();
	tap_diag("%lu ranges, keep was set %lu times, %ld pages came and went, %ld of the balloon", nr, nr_set, all.got,
		 all.out_of_balloon);
	check(all.got && all.out_of_balloon, "premise: no page was got");
	check(all.got == all.given_back, "%ld pages were got, %ld given back", all.got, all.given_back);
	check(all.out_of_balloon == all.into_balloon, "%ld pages came out of the balloon, %ld went into it", all.out_of_balloon,
	      all.into_balloon);
}

/* No affair of strategies. */
static bool is_the_one(void)
{
	return strategy_is("mixedmap");
}

static const struct suite_case cases[] = {
	{ "pages of a range that went are the next one's, as many as `keep` says; other values of it are refused", kept_and_used_again,
	  .applies = is_the_one },
	{ "ballooned pages are not kept", not_the_balloon, .applies = is_the_one },
	{ "a kept page is like a new one, whatever was done to it", as_new, .applies = is_the_one },
	{ "threads make and remove ranges while `keep` and `provider` change: each page goes back once, where it came from", none_is_lost,
	  .applies = is_the_one },
};

int main(int argc, char **argv)
{
	return faults_main(cases, ARRAY_SIZE(cases), argc, argv);
}
