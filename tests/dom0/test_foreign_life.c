// SPDX-License-Identifier: GPL-2.0
/*
 * When foreign frames go back: not before the last pin of them is gone, and then whatever way their user went. Xen tells
 * nobody who has a frame, but it keeps a destroyed domain, a zombie, until nobody has any of its frames.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domain_state.h"
#include "fault.h"
#include "foreign.h"
#include "module.h"
#include "pin.h"
#include "second_granter.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define WRITE GNTMAP_FOREIGN_WRITE
#define PARTIAL GNTMAP_FOREIGN_PARTIAL
#define FIRST 3u
#define NR 40u	   /* more than one batch */
#define PINNED 35u /* in the second one */

static void pin_outlives_range(void)
{
	uint64_t content[PAGE_SIZE / 8], sum;
	unsigned int nr_run = 0;

	for (enum pin_kind kind = 0; kind < NR_PIN_KINDS; kind++) {
		int fd = open_node();
		struct range r = foreign_map(fd, FIRST, NR, RW), other;
		struct pin p;

		if (!range_pin(&r, PINNED, kind, &p)) {
			range_unmap(&r);
			close(fd);
			continue;
		}
		nr_run++;
		/* Nothing has to wait for the pin but the frame itself. */
		range_munmap(&r);
		range_mmap(&r, RW);
		range_check_pages(&r, 0, 2);
		range_check_pages(&r, PINNED, 1);
		range_unmap(&r);
		check_file_has(fd, 0, 0);
		other = foreign_map(fd, FIRST + 1, NR, RW);
		check(other.offset == r.offset, "%#lx", other.offset);
		range_check_pages(&other, PINNED - 1, 1);
		range_unmap(&other);
		close(fd);

		check(!granter_fill(suite.granter, FIRST + PINNED, 1, 815 + kind), "%s", strerror(errno));
		expect(unpin_page(&p, content), 0);
		if (kind == PIN_URING)
			continue;
		check(!granter_sum_pages(suite.granter, FIRST + PINNED, 1, &sum), "%s", strerror(errno));
		check(granter_sum(GRANTER_SUM_INIT, content, ARRAY_SIZE(content)) == sum, "it is not what the granter has");
	}
	if (!nr_run)
		case_skip("a pin%s", strategy_is("vmio") ? ": VM_IO refuses it" : "");
}

static struct second_granter second;
static uint64_t gfns[NR];

static struct range second_range(int fd, uint32_t flags)
{
	struct range r = { .fd = fd, .count = NR };

	expect(try_foreign(fd, second.domid, flags, gfns, NR, NULL, &r.offset), 0);
	return r;
}

static struct range second_map(int fd)
{
	struct range r = second_range(fd, WRITE);

	range_mmap(&r, RW);
	check_pattern(r.addr, 0, 1, 1);
	return r;
}

static void leave_mapped(void *how)
{
	second_range(open_node(), 0);
	second_map(open_node());
	if (how)
		kill(getpid(), SIGKILL);
}

/* All that can be done with frames, and every way to let go of them. */
static void let_go_in_every_way(void)
{
	uint64_t bad[NR], offset;
	int fd = open_node();
	struct range r;
	void *addr;

	r = second_map(fd);
	range_unmap(&r);
	r = second_map(fd);
	range_remove(&r);
	range_munmap(&r);
	r = second_map(fd);
	close(fd);
	range_munmap(&r);
	fd = open_node();
	second_range(fd, 0);
	second_range(fd, WRITE);
	close(fd);

	/* What fails. */
	fd = open_node();
	memcpy(bad, gfns, sizeof(bad));
	bad[NR - 1] = 1ull << 39;
	expect(try_foreign(fd, second.domid, WRITE, bad, NR, NULL, &offset), -EINVAL);
	expect(try_foreign(fd, second.domid, WRITE, gfns, NR, (int32_t *)8, &offset), -EFAULT);
	expect(try_foreign(fd, second.domid, WRITE | PARTIAL, bad, NR, NULL, &offset), 0);
	r = second_range(fd, 0);
	expect(try_mmap(fd, r.offset, NR * PAGE_SIZE, RW, MAP_SHARED, &addr), -EACCES);
	range_mmap(&r, PROT_READ);
	close(fd);
	range_munmap(&r);

	run_child(leave_mapped, NULL, false);
	run_child(leave_mapped, &fd, false);

	for (enum pin_kind kind = 0; kind < NR_PIN_KINDS; kind++) {
		struct pin p;

		fd = open_node();
		r = second_map(fd);
		if (range_pin(&r, PINNED, kind, &p)) {
			range_unmap(&r);
			close(fd);
			expect(unpin_page(&p, NULL), 0);
		} else {
			range_unmap(&r);
			close(fd);
		}
	}
}

/* The strategy's module may go while a page is pinned: what holds the page is the core's affair. */
static void unload(void)
{
	int ret = strategy_unload();

	if (ret)
		check_in_use(ret, "the strategy's module");
	check_in_use(core_unload(), "the core while it has a page");
	expect(strategy_load(), 0);
}

/* The dead domain's pages that somebody has. Waits, ten seconds at most, until they are less than so many. */
static uint64_t nr_held(uint64_t less_than)
{
	struct domain_state state = { 0 };

	for (int i = 0; i < 200; i++) {
		expect(domain_state(second.domid, &state), 1);
		if (state.dying && state.nr_pages < less_than)
			break;
		sleep_ms(50);
	}
	check(state.dying, "it lives on");
	check(state.nr_pages < less_than, "it has %lu pages", (unsigned long)state.nr_pages);
	return state.nr_pages;
}

static void no_zombie(void)
{
	uint64_t offset, held, content[PAGE_SIZE / 8];
	int32_t errors[NR];
	struct range r;
	bool pinned;
	struct pin p;
	int fd, ret;

	second = second_start();
	second_frames(&second, NR, gfns);
	let_go_in_every_way();
	fd = open_node();
	r = second_map(fd);
	pinned = range_pin(&r, PINNED, PIN_PIPE, &p);
	check_in_use(strategy_unload(), "an open and mapped module");
	second_end();

	/* Premise: what keeps it is our mapping, and nothing but that. */
	sleep_ms(500);
	held = nr_held(2 * NR);
	tap_diag("%lu pages are held, %u of them mapped here", (unsigned long)held, NR);
	check(held >= NR, "they are too few");
	check_pattern(r.addr, 0, NR, 1);

	/* What is mapped can be shown again; what is gone cannot be had. */
	range_munmap(&r);
	range_mmap(&r, RW);
	check_pattern(r.addr, 0, NR, 1);
	ret = try_foreign(fd, second.domid, 0, &second.gfn_list, 1, errors, &offset);
	check(ret == -EINVAL, "a frame of a dying domain: %s", errno_name(ret));
	check(errors[0] == ret, "%d", errors[0]);

	range_unmap(&r);
	close(fd);
	if (pinned) {
		unload();
		sleep_ms(300);
		check(nr_held(NR) >= 1, "the pin holds nothing");
		expect(unpin_page(&p, content), 0);
		for (uint64_t word = 0; word < ARRAY_SIZE(content); word++)
			check(content[word] == granter_word(1, PINNED, word), "word %lu", word);
	}
	check(domain_is_gone(second.domid), "domain %u is a zombie after we let go", second.domid);
	fd = open_node();
	expect(try_foreign(fd, second.domid, 0, gfns, NR, errors, &offset), -ESRCH);
	check(errors[0] == -ESRCH && errors[NR - 1] == -ESRCH, "%d, %d", errors[0], errors[NR - 1]);
}

#define STRESS_MS 1500

static int shared_fd;

static void *map_and_unmap(void *seed)
{
	uint64_t end = now_us() + STRESS_MS * 1000, nr_done = 0;
	uint64_t *frames = foreign_gfns(0, 64);
	unsigned int random = (uintptr_t)seed;
	uint64_t word;

	do {
		struct range r = { .fd = shared_fd, .first = rand_r(&random) % 32, .count = 1 + rand_r(&random) % 32 };
		void *addr;
		int ret;

		expect(try_foreign(r.fd, suite.granter->domid, WRITE, frames + r.first, r.count, NULL, &r.offset), 0);
		/* The other threads guess offsets: it may be another range by now, but what is mapped stays. */
		ret = try_mmap(r.fd, r.offset, range_length(&r), RW, MAP_SHARED, &addr);
		if (!ret) {
			r.addr = addr;
			check(!fault_read(r.addr, &word) && !fault_read(range_page(&r, r.count - 1), &word), "SIGBUS");
			if (rand_r(&random) % 2)
				try_remove(r.fd, r.offset, r.count);
			expect(try_munmap(addr, range_length(&r)), 0);
		}
		try_remove(r.fd, r.offset, r.count);
		try_remove(r.fd, rand_r(&random) % 64 * PAGE_SIZE, 0);
		nr_done++;
	} while (now_us() < end);
	free(frames);
	return (void *)(uintptr_t)nr_done;
}

static void stress(void)
{
	pthread_t threads[4];
	void *nr_done;

	fault_catch();
	shared_fd = open_node();
	for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
		check(!pthread_create(&threads[i], NULL, map_and_unmap, (void *)(i + 1)), "no thread");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		check(!pthread_join(threads[i], &nr_done), "a thread was lost");
		check(nr_done, "thread %zu did nothing", i);
	}
	check_file_has(shared_fd, 0, 0);
}

/* A second granter takes its time, and does not care what is done to VMAs: one strategy with pins, one without. */
static bool is_one_of_two(void)
{
	return strategy_is("mixedmap") || strategy_is("vmio");
}

static const struct suite_case cases[] = {
	{ "a pinned page outlives its range, and nothing else waits for it", pin_outlives_range },
	{ "a granter destroyed while mapped keeps what is mapped, and is gone once we let go, in whatever way; a pin holds one "
	  "page, and the core", no_zombie, .applies = is_one_of_two },
	{ "four threads that map, show, unmap and remove at once", stress },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
