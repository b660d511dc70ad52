// SPDX-License-Identifier: GPL-2.0
/*
 * Direct IO in flight while the mapping goes: nobody waits for it who need not, and until it has landed its pages are the
 * granter's pages, so that the device moves what it was told to move and nobody else's memory.
 *
 * What waits for whom is run with every kind of direct IO. The device is null_blk, which copies pages when it gets the bio, behind
 * blk-throttle, which gives it the bio when we say so.
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

#include "flight.h"
#include "gup_rules.h"
#include "module.h"
#include "range.h"
#include "suite.h"
#include "throttle.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 36u	    /* more than one batch of unmaps */
#define FIRST 3u    /* the granter's page that is our page 0 */
#define MOVED 31u   /* the first page that is moved */
#define NR_MOVED 3u /* across two batches */
#define HELD (FIRST + MOVED)
#define LENGTH (NR_MOVED * PAGE_SIZE)
/* Who waited for the IO would wait forever; a stalled machine needs its time. */
#define AT_ONCE_MS 10000

static enum transfer_kind kind;
static const char *node;
static char no_device[96];

/* What an IO into the grants finds on the device. */
static uint64_t on_device[LENGTH / 8];
#define DEVICE_SEED 1234

static void need_flights(void)
{
	if (!node)
		case_skip("%s", no_device);
	/* Left held by a case that failed */
	expect(throttle_release(), 0);
}

static int open_device(void)
{
	int fd = open(node, O_RDWR | O_DIRECT | O_CLOEXEC);

	check(fd >= 0, "%s: %s", node, strerror(errno));
	return fd;
}

static void *aligned_page(void)
{
	void *page;

	check(!posix_memalign(&page, PAGE_SIZE, LENGTH), "no memory");
	return page;
}

static void fill_device(void)
{
	uint64_t *words = aligned_page();
	int fd = open_device();

	for (uint64_t i = 0; i < LENGTH / 8; i++)
		on_device[i] = granter_word(DEVICE_SEED, HELD + i / 512, i % 512);
	memcpy(words, on_device, LENGTH);
	check(pwrite(fd, words, LENGTH, 0) == (ssize_t)LENGTH, "%s", strerror(errno));
	free(words);
	close(fd);
}

/* Joins the throttled and sends off some pages of the range. */
static void take_off(struct flight *f, const struct range *r, bool out)
{
	fill_device();
	expect(throttle_join(), 0);
	expect(throttle_hold(), 0);
	expect(flight_start(f, kind, node, out, range_page(r, MOVED), LENGTH), 0);
	/* The premise */
	sleep_ms(50);
	check(!flight_landed(f), "the IO ended at once: %zd", f->result);
}

static void check_device_has(uint64_t seed)
{
	char *words = aligned_page();
	int fd = open_device();

	check(pread(fd, words, LENGTH, 0) == (ssize_t)LENGTH, "%s", strerror(errno));
	check_pattern(words, HELD, NR_MOVED, seed);
	free(words);
	close(fd);
}

static void check_granter_has_device(void)
{
	uint64_t sum;

	check(!granter_sum_pages(suite.granter, HELD, NR_MOVED, &sum), "%s", strerror(errno));
	check(granter_sum(GRANTER_SUM_INIT, on_device, LENGTH / 8) == sum, "the granter has not got what was read");
}

/* Only its pages are not back. */
static void check_held(void)
{
	uint64_t first;

	wait_busy(FIRST, NR, NR_MOVED);
	check(granter_busy(suite.granter, FIRST, NR, &first) == NR_MOVED && first == HELD, "page %lu is held", first);
}

/* Lets the IO go; the granter is told first what an IO out shall find in its pages now. */
static void land(struct flight *f)
{
	ssize_t moved;

	check(!flight_landed(f), "it had ended: %zd", f->result);
	if (f->out)
		check(!granter_fill(suite.granter, HELD, NR_MOVED, 816), "%s", strerror(errno));
	expect(throttle_release(), 0);
	moved = flight_land(f);
	check(moved == (ssize_t)LENGTH, "it moved %zd bytes", moved);
	if (f->out)
		check_device_has(816);
	else
		check_granter_has_device();
	wait_busy(FIRST, NR, 0);
}

static void munmap_at_once(struct range *r)
{
	uint64_t start = now_us(), ms;

	range_munmap(r);
	ms = (now_us() - start) / 1000;
	check(ms < AT_ONCE_MS, "munmap took %lu ms", ms);
}

/* In a child, which leaves the cgroup when it ends. */
static void with_this_kind(void (*run)(void *out), bool out)
{
	int how = run_child(run, out ? &kind : NULL, true);

	throttle_release();
	check(!how, "with %s, %s (%d)", transfer_name(kind), out ? "out" : "in", how);
	wait_busy(0, suite.granter->nr_refs, 0);
}

static void with_every_kind(void (*run)(void *out), bool out_too)
{
	need_flights();
	for (kind = 0; kind < NR_TRANSFER_KINDS; kind++) {
		with_this_kind(run, false);
		if (out_too)
			with_this_kind(run, true);
	}
}

/* Where only the pin counts, and not who waits for the IO. */
static void with_one_kind(void (*run)(void *out))
{
	need_flights();
	kind = TRANSFER_URING;
	with_this_kind(run, false);
}

static void run_munmap(void *out)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct flight f;

	take_off(&f, &r, out);
	munmap_at_once(&r);
	check_held();
	land(&f);
	range_mmap_drained(&r, RW);
	range_check_pages(&r, MOVED, NR_MOVED);
	range_unmap(&r);
}

static void unmapped(void)
{
	with_every_kind(run_munmap, true);
}

static void run_revoke(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct granter *g = suite.granter;
	struct flight f;
	uint64_t first;

	(void)unused;
	take_off(&f, &r, false);
	munmap_at_once(&r);
	check_held();
	check(granter_revoke(g, FIRST, NR, &first) == NR - NR_MOVED && first == HELD, "page %lu", first);
	land(&f);
	check(granter_revoke(g, HELD, NR_MOVED, &first) == NR_MOVED, "page %lu", first);
	check(!granter_grant(g, FIRST, NR, 0, false), "%s", strerror(errno));
}

static void revoked(void)
{
	with_one_kind(run_revoke);
}

static void run_removed(void *unused)
{
	int fd = open_node();
	struct range r = range_map(fd, FIRST, NR, RW), again;
	struct flight f;

	(void)unused;
	take_off(&f, &r, false);
	/* UNMAP_GRANT_REF of a range that is mapped leaves the mapping alone. */
	range_remove(&r);
	range_check_pages(&r, 0, 1);
	munmap_at_once(&r);
	check_held();
	/* Its offset is nobody's. */
	again = range_map(fd, FIRST, MOVED, RW);
	range_check_pages(&again, 0, 1);
	range_unmap(&again);
	land(&f);
}

static void removed(void)
{
	with_one_kind(run_removed);
}

static void run_closed(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct flight f;

	(void)unused;
	take_off(&f, &r, false);
	close(r.fd);
	range_check_pages(&r, 0, 1);
	munmap_at_once(&r);
	check_held();
	land(&f);
}

static void closed(void)
{
	with_one_kind(run_closed);
}

static void run_dontneed(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct flight f;

	(void)unused;
	take_off(&f, &r, false);
	check(!madvise(r.addr, range_length(&r), MADV_DONTNEED), "%s", strerror(errno));
	/* The grants stay with the mapping. */
	munmap_at_once(&r);
	check_held();
	land(&f);
}

static void dontneed(void)
{
	with_one_kind(run_dontneed);
}

static void nothing(void *unused)
{
	(void)unused;
}

/* A fork must not come between a pin and its page. */
static void run_fork(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct flight f;

	(void)unused;
	take_off(&f, &r, false);
	check(run_child(nothing, NULL, false) == 0, "the child failed");
	expect(throttle_release(), 0);
	check(flight_land(&f) == (ssize_t)LENGTH, "it moved %zd bytes", f.result);
	check_granter_has_device();
	check_pattern(range_page(&r, MOVED), HELD, NR_MOVED, DEVICE_SEED);
	range_unmap(&r);
}

static void forked(void)
{
	with_every_kind(run_fork, false);
}

/* ---- the end of the process ---- */

struct pilot {
	bool pauses; /* else it exits by itself */
	int ready[2];
	pid_t pid;
};

static void start_pilot(struct pilot *p)
{
	struct flight f;
	struct range r;
	char byte;

	check(!pipe(p->ready), "%s", strerror(errno));
	fflush(NULL);
	p->pid = fork();
	check(p->pid >= 0, "%s", strerror(errno));
	if (!p->pid) {
		child_open_granter();
		r = range_map(open_node(), FIRST, NR, RW);
		take_off(&f, &r, false);
		check(write(p->ready[1], "", 1) == 1, "%s", strerror(errno));
		while (p->pauses)
			pause();
		_exit(0);
	}
	close(p->ready[1]);
	check(read(p->ready[0], &byte, 1) == 1, "the child failed");
}

static bool gone_within(pid_t pid, unsigned int ms)
{
	uint64_t start = now_us();
	int ret;

	while (!(ret = waitpid(pid, NULL, WNOHANG)) && now_us() - start < ms * 1000ull)
		sleep_ms(5);
	return ret == pid;
}

/*
 * io_uring lets a process go whose requests are under way: io_uring_files_cancel() waits only for those that would keep the
 * process's files. libaio does not (exit_aio()), nor can a thread that waits in preadv() be killed: there the kernel waits,
 * whatever is mapped, and the address space goes after the IO.
 */
static void check_end(struct pilot *p)
{
	if (kind == TRANSFER_URING) {
		check(gone_within(p->pid, AT_ONCE_MS), "the process waits for its IO");
		check_held();
	} else {
		check(!gone_within(p->pid, 300), "the kernel did not wait for the IO");
	}
	expect(throttle_release(), 0);
	if (kind != TRANSFER_URING)
		check(gone_within(p->pid, AT_ONCE_MS), "the process is still there");
	wait_busy(FIRST, NR, 0);
	for (uint64_t i = 0; i < LENGTH / 8; i++)
		on_device[i] = granter_word(DEVICE_SEED, HELD + i / 512, i % 512);
	check_granter_has_device();
}

static void run_exit(void *unused)
{
	struct pilot p = { .pauses = false };

	(void)unused;
	start_pilot(&p);
	check_end(&p);
}

static void exited(void)
{
	with_every_kind(run_exit, false);
}

static void run_kill(void *unused)
{
	struct pilot p = { .pauses = true };

	(void)unused;
	start_pilot(&p);
	kill(p.pid, SIGKILL);
	check_end(&p);
}

static void killed(void)
{
	with_every_kind(run_kill, false);
}

/* ---- the modules ---- */

static void run_unload(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct flight f;
	int ret;

	(void)unused;
	take_off(&f, &r, false);
	check_in_use(strategy_unload(), "a module that is mapped");
	munmap_at_once(&r);
	close(r.fd);
	ret = strategy_unload();
	if (ret)
		check_in_use(ret, "the strategy's module");
	check_in_use(core_unload(), "the core while pages are held");
	check_held();
	land(&f);
	expect(strategy_load(), 0);
}

static void unloaded(void)
{
	if (strategy_is("gntdev"))
		case_skip("a module that can be unloaded: the toolstack uses it");
	with_one_kind(run_unload);
}

/* Where GUP is refused, nothing flies. */
static bool flies(void)
{
	return !gup_fast_rule();
}

static bool is_grounded(void)
{
	return !flies();
}

static void grounded(void)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);

	need_flights();
	for (kind = 0; kind < NR_TRANSFER_KINDS; kind++) {
		struct flight f;
		int ret = flight_start(&f, kind, node, false, range_page(&r, MOVED), LENGTH);

		expect(ret ? ret : flight_land(&f), -EFAULT);
	}
	munmap_at_once(&r);
	wait_busy(FIRST, NR, 0);
}

static const struct suite_case cases[] = {
	{ "direct IO never gets off the ground", grounded, .applies = is_grounded },
	{ "munmap: at once, and the IO moves the granter's pages", unmapped, .applies = flies },
	{ "munmap: the granter can revoke all other pages at once, these after the IO", revoked, .revokes = true,
	  .applies = flies },
	{ "UNMAP_GRANT_REF: the IO goes on", removed, .applies = flies },
	{ "close: the IO goes on", closed, .applies = flies },
	{ "MADV_DONTNEED: the IO moves the granter's pages", dontneed, .applies = flies },
	{ "fork: the IO moves the granter's pages", forked, .applies = flies },
	{ "exit: waits for no IO that the kernel does not wait for itself", exited, .applies = flies },
	{ "kill -9: waits for no IO that the kernel does not wait for itself", killed, .applies = flies },
	{ "rmmod: is refused or harmless", unloaded, .applies = flies },
};

int main(int argc, char **argv)
{
	int ret;

	node = flight_device_create(4, no_device, sizeof(no_device));
	ret = suite_main(cases, ARRAY_SIZE(cases), argc, argv);
	flight_device_remove();
	return ret;
}
