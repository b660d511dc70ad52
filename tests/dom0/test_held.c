// SPDX-License-Identifier: GPL-2.0
/*
 * A granter that is paused, or destroyed, while pages of it are pinned or under direct IO. It has no say in when they go: nobody
 * waits for it, what is held stays its memory until it is let go, and then nothing keeps its domain.
 *
 * The granter of this is a second one (second_granter.h), which cannot be asked what is mapped: that its domain can go says so. What
 * keeps direct IO in flight is said in throttle.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domain_state.h"
#include "flight.h"
#include "pin.h"
#include "range.h"
#include "second_granter.h"
#include "suite.h"
#include "throttle.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 40u	   /* more than one batch of unmaps */
#define PINNED 35u /* in the second one */
#define MOVED 31u  /* the page under direct IO */
#define NR_MOVED 1u /* a bio may end before the next one */
#define LENGTH (NR_MOVED * PAGE_SIZE)
/* The granter's first fill */
#define SEED 1
#define DEVICE_SEED 1234
/* Who waited for the granter would wait forever; a stalled machine needs its time. */
#define AT_ONCE_MS 10000

static struct second_granter second;
static const char *node;
static char no_device[96];

static struct range second_map(int fd)
{
	struct range r = { .fd = fd, .count = NR };
	struct ioctl_gntdev_grant_ref refs[NR];

	for (uint32_t i = 0; i < NR; i++)
		refs[i] = (struct ioctl_gntdev_grant_ref){ second.domid, second.first_ref + i };
	expect(try_add(fd, refs, NR, &r.offset), 0);
	range_mmap(&r, RW);
	return r;
}

static void check_took(uint64_t start, const char *what)
{
	uint64_t ms = (now_us() - start) / 1000;

	check(ms < AT_ONCE_MS * suite_patience(), "%s took %lu ms", what, ms);
}

static void munmap_at_once(struct range *r)
{
	uint64_t start = now_us();

	range_munmap(r);
	check_took(start, "munmap");
}

static void map_and_exit(void *killed)
{
	struct range r = second_map(open_node());

	check_pattern(r.addr, 0, 1, SEED);
	if (killed)
		kill(getpid(), SIGKILL);
}

static void exit_at_once(bool killed)
{
	uint64_t start = now_us();

	expect(run_child(map_and_exit, killed ? &second : NULL, false), killed ? 256 + SIGKILL : 0);
	check_took(start, killed ? "kill -9" : "exit");
}

/* What is left is a dying domain with some pages. */
static void check_zombie(uint32_t nr_at_least, const char *who)
{
	struct domain_state state;

	sleep_ms(300);
	expect(domain_state(second.domid, &state), 1);
	check(state.dying, "it lives on");
	check(state.nr_pages >= nr_at_least, "%s holds %lu pages", who, (unsigned long)state.nr_pages);
}

static void check_gone(void)
{
	check(domain_is_gone(second.domid), "domain %u is a zombie after we let go", second.domid);
}

/* A domain that gets no CPU time answers nothing, and need not. */
static void paused(void)
{
	struct range r, again;
	bool pinned;
	struct pin p;
	int fd;

	second = second_start();
	second_pause();
	fd = open_node();
	r = second_map(fd);
	check_pattern(r.addr, 0, NR, SEED);
	pinned = range_pin(&r, PINNED, PIN_PIPE, &p);
	munmap_at_once(&r);
	again = second_map(fd);
	munmap_at_once(&again);
	exit_at_once(false);
	exit_at_once(true);
	close(fd);
	/* It goes as quickly as one that runs, but for what is pinned. */
	second_end();
	if (pinned) {
		check_zombie(1, "the pin");
		expect(unpin_page(&p, NULL), 0);
	}
	check_gone();
}

/* Both kinds of pins at once: a second granter takes its time. */
static void destroyed_while_pinned(void)
{
	struct ioctl_gntdev_grant_ref ref;
	uint64_t content[PAGE_SIZE / 8], offset;
	struct pin pipe, ring;
	struct range a, b;
	bool has_ring;
	void *addr;
	int fd;

	second = second_start();
	fd = open_node();
	a = second_map(fd);
	b = second_map(fd);
	check(range_pin(&a, PINNED, PIN_PIPE, &pipe), "vmsplice is refused");
	has_ring = range_pin(&b, 0, PIN_URING, &ring);
	munmap_at_once(&a);
	second_end();
	/* What is mapped shows the dead domain's pages, and Xen would map those again; the others are gone. */
	check_zombie(NR, "a mapping");
	check_pattern(b.addr, 0, NR, SEED);
	ref = (struct ioctl_gntdev_grant_ref){ second.domid, second.first_ref + NR };
	expect(try_add(fd, &ref, 1, &offset), 0);
	expect(try_mmap(fd, offset, PAGE_SIZE, RW, MAP_SHARED, &addr), -EINVAL);
	expect(try_mmap(fd, a.offset, range_length(&a), RW, MAP_SHARED, &addr), -EBUSY);
	munmap_at_once(&b);
	close(fd);

	check_zombie(has_ring ? 2 : 1, "who pins");
	if (has_ring)
		expect(unpin_page(&ring, NULL), 0);
	check_zombie(1, "the pipe");
	expect(unpin_page(&pipe, content), 0);
	for (uint64_t word = 0; word < ARRAY_SIZE(content); word++)
		check(content[word] == granter_word(SEED, PINNED, word), "word %lu", word);
	check_gone();
}

/* ---- direct IO ---- */

static char *aligned_pages(void)
{
	void *pages;

	check(!posix_memalign(&pages, PAGE_SIZE, LENGTH), "no memory");
	return pages;
}

static int open_device(void)
{
	int fd = open(node, O_RDWR | O_DIRECT | O_CLOEXEC);

	check(fd >= 0, "%s: %s", node, strerror(errno));
	return fd;
}

static void fill_device(void)
{
	uint64_t *words = (uint64_t *)aligned_pages();
	int fd = open_device();

	for (uint64_t i = 0; i < LENGTH / 8; i++)
		words[i] = granter_word(DEVICE_SEED, i / 512, i % 512);
	check(pwrite(fd, words, LENGTH, 0) == (ssize_t)LENGTH, "%s", strerror(errno));
	free(words);
	close(fd);
}

static void check_device_has(uint32_t first, uint64_t seed)
{
	char *pages = aligned_pages();
	int fd = open_device();

	check(pread(fd, pages, LENGTH, 0) == (ssize_t)LENGTH, "%s", strerror(errno));
	check_pattern(pages, first, NR_MOVED, seed);
	free(pages);
	close(fd);
}

static void take_off(struct flight *f, const struct range *r, bool out)
{
	expect(throttle_join(), 0);
	expect(throttle_hold(), 0);
	expect(flight_start(f, TRANSFER_URING, node, out, range_page(r, MOVED), LENGTH), 0);
	sleep_ms(50);
	check(!flight_landed(f), "premise: the IO ended at once: %zd", f->result);
}

static void land(struct flight *f)
{
	ssize_t moved;

	check(!flight_landed(f), "it had ended: %zd", f->result);
	expect(throttle_release(), 0);
	moved = flight_land(f);
	check(moved == (ssize_t)LENGTH, "it moved %zd bytes", moved);
}

/* The child leaves the cgroup when it ends. */
static void in_flight(void (*run)(void *out), bool out)
{
	int how;

	if (!node)
		case_skip("%s", no_device);
	expect(throttle_release(), 0);
	fill_device();
	second = second_start();
	how = run_child(run, out ? &second : NULL, false);
	throttle_release();
	check(!how, "the child ended with %d", how);
	check_gone();
}

static void run_out(void *out)
{
	struct range r = second_map(open_node());
	struct flight f;

	take_off(&f, &r, out);
	second_pause();
	munmap_at_once(&r);
	close(r.fd);
	second_end();
	check_zombie(NR_MOVED, "the IO");
	land(&f);
	check_device_has(MOVED, SEED);
}

static void out_of_the_dead(void)
{
	in_flight(run_out, true);
}

static void run_in(void *out)
{
	int fd = open_node();
	struct range r = second_map(fd), other = second_map(fd);
	struct flight f;

	take_off(&f, &r, out);
	second_end();
	munmap_at_once(&r);
	land(&f);
	/* A mapping of the same pages shows what came. */
	check_pattern(range_page(&other, MOVED), 0, NR_MOVED, DEVICE_SEED);
	check_pattern(other.addr, 0, 1, SEED);
	munmap_at_once(&other);
}

static void into_the_dead(void)
{
	in_flight(run_in, false);
}

static void fly_and_wait(int ready)
{
	struct range r = second_map(open_node());
	struct flight f;

	take_off(&f, &r, true);
	check(write(ready, "", 1) == 1, "%s", strerror(errno));
	pause();
}

static void run_kill(void *out)
{
	uint64_t start;
	int ready[2];
	pid_t child;
	char byte;

	(void)out;
	check(!pipe(ready), "%s", strerror(errno));
	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		fly_and_wait(ready[1]);
		_exit(0);
	}
	close(ready[1]);
	check(read(ready[0], &byte, 1) == 1, "the child failed");
	second_end();
	start = now_us();
	kill(child, SIGKILL);
	check(waitpid(child, NULL, 0) == child, "%s", strerror(errno));
	check_took(start, "kill -9");
	check_zombie(NR_MOVED, "the IO");
	expect(throttle_release(), 0);
}

static void killed_in_flight(void)
{
	in_flight(run_kill, true);
}

/*
 * A second granter takes its time, and does not care what is done to VMAs: one strategy that lets everybody
 * pin, and in PV, where it takes less, one that does not.
 */
static bool is_one_of_two(void)
{
	return strategy_is("mixedmap") || (suite.pv && strategy_is("vmio"));
}

static bool is_the_one(void)
{
	return strategy_is("mixedmap");
}

static const struct suite_case cases[] = {
	{ "a paused granter is mapped, pinned, unmapped and destroyed without its help", paused, .applies = is_one_of_two },
	{ "a granter destroyed while pages are pinned is gone when the last pin is, and its memory until then",
	  destroyed_while_pinned, .applies = is_the_one },
	{ "a granter paused and destroyed under direct IO out of its pages: the IO ends well", out_of_the_dead,
	  .applies = is_the_one },
	{ "a granter destroyed under direct IO into its pages: the IO ends well", into_the_dead, .applies = is_the_one },
	{ "a process killed under direct IO of a destroyed granter goes at once", killed_in_flight, MODE_PV,
	  .applies = is_the_one },
};

int main(int argc, char **argv)
{
	int ret;

	node = flight_device_create(4, no_device, sizeof(no_device));
	ret = suite_main(cases, ARRAY_SIZE(cases), argc, argv);
	flight_device_remove();
	return ret;
}
