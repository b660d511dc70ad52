// SPDX-License-Identifier: GPL-2.0
/*
 * What is done at once: by threads, by processes that share a descriptor, by the granter, by whoever sets parameters. Each side
 * may win; what must hold is that every answer is one of those that make sense, that content is right whenever there is some, and
 * that nothing is left behind. A race takes RACE_MS, or longer where that was too short for enough rounds of each side.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/uapi/xen/gntmap.h"
#include "fault.h"
#include "foreign.h"
#include "module.h"
#include "pin.h"
#include "range.h"
#include "slow.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIRST 17u
#define SEED 4711

static atomic_bool over;

static uint64_t race_us(void)
{
	const char *ms = getenv("RACE_MS");

	return (ms ? strtoul(ms, NULL, 10) : 400) * 1000;
}

/* Of each side, unless that takes five times as long. */
#define ENOUGH 50
#define ENOUGH_PROCESSES 15

/* Asked before each round. nr_done: by whoever has done the least */
static bool goes_on(uint64_t start, unsigned int nr_done, unsigned int enough)
{
	uint64_t us = now_us() - start;

	return us < race_us() || !nr_done || (nr_done < enough && us < 5 * race_us());
}

struct racer {
	pthread_t thread;
	atomic_uint nr_done;
	void (*once)(struct racer *racer);
	int fd;
	uint64_t offset;
	_Atomic(char *) addr;
};

static void *race_on(void *arg)
{
	struct racer *racer = arg;

	while (!atomic_load(&over)) {
		racer->once(racer);
		atomic_fetch_add(&racer->nr_done, 1);
	}
	return NULL;
}

static void start(struct racer *racer)
{
	check(!pthread_create(&racer->thread, NULL, race_on, racer), "no thread");
}

static unsigned int less(unsigned int nr, const struct racer *racer)
{
	unsigned int theirs = atomic_load(&racer->nr_done);

	return nr < theirs ? nr : theirs;
}

static void stop(struct racer *racers, size_t nr)
{
	atomic_store(&over, true);
	for (size_t i = 0; i < nr; i++)
		pthread_join(racers[i].thread, NULL);
	atomic_store(&over, false);
}

static void fill(void)
{
	check(!granter_fill(suite.granter, FIRST, 8, SEED), "%s", strerror(errno));
}

/* The first word of each page that is shown. */
static void look(const char *addr, uint32_t first, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t got = *(volatile uint64_t *)(addr + i * PAGE_SIZE), want = granter_word(SEED, first + i, 0);

		check(got == want, "page %u: %#lx, not %#lx", i, got, want);
	}
}

/* Have all ranges of a file been freed? A cap cannot be lower than what is charged. */
static int try_no_pages(int fd)
{
	struct gntmap_set_max_pages cap = { .size = sizeof(cap) };

	return ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &cap) ? -errno : 0;
}

static void check_freed(int fd)
{
	expect(try_no_pages(fd), 0);
}

/* ---- one range, two who map it ---- */

/* How many have it, for certain: memory that processes share. */
static atomic_int *holders;

static void make_holders(void)
{
	void *memory = mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(memory != MAP_FAILED, "%s", strerror(errno));
	holders = memory;
}

static void map_one_range(int fd, uint64_t offset, unsigned int enough)
{
	uint64_t start = now_us();
	unsigned int nr = 0;
	void *addr;
	int ret;

	while (goes_on(start, nr, enough)) {
		ret = try_mmap(fd, offset, 3 * PAGE_SIZE, RW, MAP_SHARED, &addr);
		/* EBUSY: the other one's pages are just going back. */
		check(!ret || ret == -EINVAL || ret == -EBUSY, "%s", errno_name(ret));
		if (ret)
			continue;
		check(!atomic_fetch_add(holders, 1), "both have it");
		look(addr, FIRST, 3);
		atomic_fetch_sub(holders, 1);
		expect(try_munmap(addr, 3 * PAGE_SIZE), 0);
		nr++;
	}
}

static struct range one_range(void)
{
	make_holders();
	fill();
	return range_add(open_node(), FIRST, 3);
}

static void one_range_two_processes(void)
{
	struct range r = one_range();
	int status;
	pid_t child;

	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		map_one_range(r.fd, r.offset, ENOUGH);
		_exit(0);
	}
	map_one_range(r.fd, r.offset, ENOUGH);
	check(waitpid(child, &status, 0) == child && !status, "the other one ended with %#x", status);
	range_mmap(&r, RW);
	range_check(&r);
}

static void *map_it_too(void *range)
{
	const struct range *r = range;

	map_one_range(r->fd, r->offset, ENOUGH);
	return NULL;
}

static void one_range_two_threads(void)
{
	struct range r = one_range();
	pthread_t other;

	check(!pthread_create(&other, NULL, map_it_too, &r), "no thread");
	map_it_too(&r);
	pthread_join(other, NULL);
	range_mmap(&r, RW);
	range_check(&r);
}

/* ---- ioctls against mmap ---- */

static void remove_lowest(struct racer *racer)
{
	int ret = try_remove(racer->fd, 0, 0);

	check(!ret || ret == -ENOENT, "%s", errno_name(ret));
}

/* In PV a mapping cannot move, removed or not: its PTEs are Xen's. */
static void check_stays(void *addr, void *elsewhere)
{
	if (!suite.pv)
		return;
	check(mremap(addr, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == MAP_FAILED &&
	      errno == EINVAL, "it moved");
}

/* Somebody removes the range before, while and after it is mapped. */
static void removed_at_any_time(void)
{
	void *elsewhere = mmap(NULL, 2 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct racer racer = { .once = remove_lowest, .fd = open_node() };
	uint64_t begun = now_us(), offset;
	unsigned int nr_mapped = 0, nr_gone = 0;
	struct ioctl_gntdev_grant_ref refs[2];
	void *addr;
	int ret;

	fill();
	fill_refs(refs, FIRST, 2);
	start(&racer);
	while (goes_on(begun, nr_mapped > nr_gone ? nr_gone + 1 : nr_mapped, ENOUGH / 5)) {
		expect(try_add(racer.fd, refs, 2, &offset), 0);
		check(!offset, "a removed range keeps its place: the next one is at %#lx", offset);
		ret = try_mmap(racer.fd, offset, 2 * PAGE_SIZE, RW, MAP_SHARED, &addr);
		check(!ret || ret == -EINVAL, "%s", errno_name(ret));
		if (!ret) {
			check_stays(addr, elsewhere);
			look(addr, FIRST, 2);
			expect(try_munmap(addr, 2 * PAGE_SIZE), 0);
		}
		nr_mapped += !ret;
		nr_gone += !!ret;
		while (!(ret = try_remove(racer.fd, 0, 0)))
			;
		check(ret == -ENOENT, "%s", errno_name(ret));
	}
	stop(&racer, 1);
	tap_diag("%u times mapped, %u times removed before", nr_mapped, nr_gone);
	wait_busy(FIRST, 2, 0);
	check_freed(racer.fd);
}

/* A mapping that stays, whose size is another one */
#define ABOVE 5

static void ask(struct racer *racer)
{
	struct ioctl_gntdev_get_offset_for_vaddr op = { .vaddr = (uintptr_t)atomic_load(&racer->addr) };
	struct gntmap_info info = { .size = sizeof(info) };
	int ret;

	if (!op.vaddr)
		return; /* not yet */
	ret = ioctl(racer->fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &op) ? -errno : 0;
	check(ret == -EINVAL || (!ret && op.count == 2), "%s, %u pages", errno_name(ret), op.count);
	expect(ioctl(racer->fd, GNTMAP_IOCTL_INFO, &info) ? -errno : 0, 0);
	check(info.nr_ranges - 1 <= 1 && info.nr_mapped_pages - ABOVE <= 2, "%llu ranges, %llu pages",
	      (unsigned long long)info.nr_ranges, (unsigned long long)info.nr_mapped_pages);
}

static void asked_at_any_time(void)
{
	struct racer racer = { .once = ask, .fd = open_node() };
	uint64_t begun = now_us();
	bool is_below = false;
	struct range above;

	fill();
	/* A thread's stack is mapped too: first. */
	start(&racer);
	above = range_map(racer.fd, FIRST + 2, ABOVE, RW);
	for (unsigned int nr = 0; goes_on(begun, less(nr, &racer), ENOUGH); nr++) {
		struct range r = range_map(racer.fd, FIRST, 2, RW);

		is_below |= range_page(&r, 2) == above.addr;
		atomic_store(&racer.addr, r.addr);
		look(r.addr, FIRST, 2);
		range_unmap(&r);
	}
	stop(&racer, 1);
	/* Then it was the next one to be found whenever nothing was mapped below it. */
	check(is_below, "premise: another mapping of the file follows");
	range_unmap(&above);
	check_freed(racer.fd);
}

static atomic_int shared_fd;

static void close_it(struct racer *racer)
{
	int fd = atomic_exchange(&shared_fd, -1);

	(void)racer;
	if (fd >= 0)
		close(fd);
}

/*
 * A descriptor goes at any moment; what was mapped by then stays. Every other time it is one of two of the same file, and nothing
 * ends with it.
 */
static void closed_at_any_time(void)
{
	struct racer racer = { .once = close_it };
	struct ioctl_gntdev_grant_ref refs[2];
	uint64_t begun = now_us(), offset;
	void *addr;
	int fd, ret;

	fill();
	fill_refs(refs, FIRST, 2);
	atomic_store(&shared_fd, -1);
	start(&racer);
	for (unsigned int nr = 0; goes_on(begun, nr, ENOUGH); nr++) {
		bool has_another = nr % 2;

		fd = open_node();
		atomic_store(&shared_fd, has_another ? dup(fd) : fd);
		ret = try_add(fd, refs, 2, &offset);
		if (!ret)
			ret = try_mmap(fd, offset, 2 * PAGE_SIZE, RW, MAP_SHARED, &addr);
		check(!ret || (!has_another && ret == -EBADF), "%s", errno_name(ret));
		if (!ret) {
			look(addr, FIRST, 2);
			expect(try_munmap(addr, 2 * PAGE_SIZE), 0);
		}
		while (atomic_load(&shared_fd) >= 0)
			;
		if (has_another)
			close(fd);
	}
	stop(&racer, 1);
}

/* ---- processes that come and go ---- */

static void fork_and_exit(struct racer *racer)
{
	pid_t child = fork();

	(void)racer;
	check(child >= 0, "%s", strerror(errno));
	if (!child)
		_exit(0);
	check(waitpid(child, NULL, 0) == child, "%s", strerror(errno));
}

static void fork_while_mapping(void)
{
	struct racer racer = { .once = fork_and_exit };
	uint64_t begun = now_us();
	int fd = open_node();

	fill();
	start(&racer);
	for (unsigned int nr = 0; goes_on(begun, less(nr, &racer), ENOUGH_PROCESSES); nr++) {
		struct range r = range_map(fd, FIRST, 3, RW);

		look(r.addr, FIRST, 3);
		range_unmap(&r);
	}
	stop(&racer, 1);
	wait_busy(FIRST, 8, 0);
}

static void hold_and_wait(int out, int ready)
{
	struct range r = range_map(open_node(), FIRST, 2, RW);
	const struct iovec iov = { r.addr, PAGE_SIZE };

	check(vmsplice(out, &iov, 1, 0) == PAGE_SIZE, "%s", strerror(errno));
	check(write(ready, "", 1) == 1, "%s", strerror(errno));
	pause();
}

/* The mapping goes with its process while its last pin goes elsewhere. */
static void last_pin_against_exit(void)
{
	uint64_t begun = now_us();
	char page[PAGE_SIZE], byte;
	int pins[2], ready[2];
	unsigned int nr = 0;
	pid_t child;

	if (strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	fill();
	check(!pipe2(pins, O_CLOEXEC) && !pipe2(ready, O_CLOEXEC), "%s", strerror(errno));
	do {
		child = fork();
		check(child >= 0, "%s", strerror(errno));
		if (!child) {
			hold_and_wait(pins[1], ready[1]);
			_exit(0);
		}
		check(read(ready[0], &byte, 1) == 1, "%s", strerror(errno));
		/* Which is first changes from time to time. */
		kill(child, SIGKILL);
		for (volatile unsigned int i = 0; i < nr % 8 * 2000; i++)
			;
		check(read(pins[0], page, PAGE_SIZE) == PAGE_SIZE, "%s", strerror(errno));
		look(page, FIRST, 1);
		check(waitpid(child, NULL, 0) == child, "%s", strerror(errno));
		wait_busy(FIRST, 2, 0);
		nr++;
	} while (goes_on(begun, nr, ENOUGH_PROCESSES));
	tap_diag("%u times", nr);
}

static void read_the_pipe(struct racer *racer)
{
	char page[PAGE_SIZE];

	/* Its end is the last one's: nothing waits in it any more. */
	if (read(racer->fd, page, sizeof(page)) == PAGE_SIZE)
		look(page, FIRST, 1);
}

/* Whoever removes a range has given it away to its last pin's end. */
static void last_pin_against_removal(void)
{
	int fd = open_node(), pipe_fds[2];
	struct racer racer = { .once = read_the_pipe };
	uint64_t begun = now_us();

	if (strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	fill();
	check(!pipe2(pipe_fds, O_CLOEXEC), "%s", strerror(errno));
	racer.fd = pipe_fds[0];
	start(&racer);
	for (unsigned int nr = 0; goes_on(begun, less(nr, &racer), ENOUGH); nr++) {
		struct range r = foreign_map(fd, FIRST, 3, RW);
		struct iovec iov = { r.addr, PAGE_SIZE };

		check(vmsplice(pipe_fds[1], &iov, 1, 0) == PAGE_SIZE, "%s", strerror(errno));
		range_munmap(&r);
		range_remove(&r);
	}
	atomic_store(&over, true);
	close(pipe_fds[1]);
	stop(&racer, 1);
	/* What was not read. */
	close(pipe_fds[0]);
	/* The last ones are found to have no pin a little later. */
	begun = now_us();
	while (try_no_pages(fd))
		check(now_us() - begun < 2000000 * suite_patience(), "a range is there still");
}

#define SLOW_MS 2000

static void *invalidate(void *slow)
{
	slow_invalidate(slow);
	return NULL;
}

/*
 * A notifier that comes while something else is invalidated may have to wait for its place, and hears of nothing until then
 * (__mmu_interval_notifier_insert()): all but the first, once there has been one in the address space.
 */
static void mapped_during_an_invalidation(void)
{
	struct slow slow = slow_open();
	int fd = open_node();
	struct range r = range_map(fd, FIRST, 2, RW), other;
	pthread_t thread;

	range_unmap(&r);
	fill();
	slow_prepare(&slow, SLOW_MS);
	check(!pthread_create(&thread, NULL, invalidate, &slow), "no thread");
	slow_wait(&slow);

	r = range_map(fd, FIRST, 2, RW);
	other = range_map(fd, FIRST + 2, 3, RW);
	look(other.addr, FIRST + 2, 3);
	range_unmap(&other);
	wait_busy(FIRST, 5, 2);
	pthread_join(thread, NULL);
	look(r.addr, FIRST, 2);
	range_unmap(&r);
	wait_busy(FIRST, 5, 0);
	close(slow.probe);
}

static void use_and_exit(void *arg)
{
	struct range r;
	int fd = open(suite.node, O_RDWR | O_CLOEXEC);

	/* The module may be gone, or going. */
	(void)arg;
	if (fd < 0)
		return;
	atomic_store(holders, 1);
	r = range_map(fd, FIRST, 2, RW);
	look(r.addr, FIRST, 2);
	/* A mapping is enough. The other one has its turn. */
	close(fd);
	sleep_ms(5);
	look(r.addr, FIRST, 2);
	atomic_store(holders, 0);
}

/* Its module is unloaded whenever that is possible. */
static void unloaded_at_any_time(void)
{
	uint64_t begun = now_us();
	unsigned int nr = 0, nr_gone = 0, nr_held = 0;
	int ret, status;
	pid_t child;

	if (strategy_is("gntdev"))
		case_skip("a module that can be unloaded: the toolstack uses it");
	make_holders();
	fill();
	do {
		fflush(NULL);
		child = fork();
		check(child >= 0, "%s", strerror(errno));
		if (!child) {
			use_and_exit(NULL);
			_exit(0);
		}
		/* Once the one is first, once the other. */
		sleep_ms(nr % 4 * 2);
		do {
			int held = atomic_load(holders);

			ret = strategy_unload();
			held &= atomic_load(holders);
			check(ret || !held, "it is gone, and somebody has it open or mapped");
			nr_held += held;
			check(!ret || ret == -EWOULDBLOCK || ret == -EBUSY || ret == -ENOENT, "%s", errno_name(ret));
			nr_gone += !ret;
		} while (!waitpid(child, &status, WNOHANG));
		check(!status, "the child ended with %#x", status);
		expect(strategy_load(), 0);
		nr++;
	} while (goes_on(begun, nr, ENOUGH_PROCESSES) || !nr_gone || !nr_held);
	tap_diag("%u rounds, unloaded %u times, in use %u times", nr, nr_gone, nr_held);
}

/* ---- the others ---- */

static void change_limit(struct racer *racer)
{
	set_core_parameter("limit", atomic_load(&racer->nr_done) % 2 ? "65536" : "2");
	set_core_parameter("provider", atomic_load(&racer->nr_done) % 4 == 3 ? "ballooned" : "unpopulated");
	set_core_parameter("keep", atomic_load(&racer->nr_done) % 4 < 2 ? "4096" : "1");
}

static void limits_change(void)
{
	struct racer racer = { .once = change_limit };
	uint64_t begun = now_us();
	struct ioctl_gntdev_grant_ref refs[3];
	struct range r = { .fd = open_node(), .first = FIRST, .count = 3 };
	unsigned int nr = 0;
	int ret;

	if (strategy_is("gntdev"))
		case_skip("parameters of gntmap");
	fill();
	fill_refs(refs, FIRST, 3);
	start(&racer);
	do {
		ret = try_add(r.fd, refs, 3, &r.offset);
		check(!ret || ret == -EINVAL, "%s", errno_name(ret));
		if (ret)
			continue;
		range_mmap(&r, RW);
		look(r.addr, FIRST, 3);
		range_unmap(&r);
		nr++;
	} while (goes_on(begun, less(nr, &racer), ENOUGH));
	stop(&racer, 1);
}

/* The granter takes its pages back whenever nobody has them, and grants them anew. */
static void revoke_and_grant(void *arg)
{
	uint64_t until = *(uint64_t *)arg;

	while (now_us() < until) {
		for (uint32_t page = FIRST; page < FIRST + 3; page++)
			if (granter_revoke(suite.granter, page, 1, NULL) == 1)
				check(!granter_grant(suite.granter, page, 1, 0, false), "%s", strerror(errno));
	}
}

static void revoked_at_any_time(void)
{
	uint64_t until = now_us() + race_us();
	unsigned int nr_mapped = 0, nr_refused = 0;
	struct ioctl_gntdev_grant_ref refs[3];
	int fd = open_node(), ret, status;
	uint64_t offset;
	pid_t child;
	void *addr;

	fill();
	fill_refs(refs, FIRST, 3);
	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		child_open_granter();
		revoke_and_grant(&until);
		_exit(0);
	}
	expect(try_add(fd, refs, 3, &offset), 0);
	while (now_us() < until || !nr_mapped) {
		ret = try_mmap(fd, offset, 3 * PAGE_SIZE, RW, MAP_SHARED, &addr);
		check(!ret || ret == -EINVAL, "%s", errno_name(ret));
		nr_mapped += !ret;
		nr_refused += !!ret;
		if (ret)
			continue;
		look(addr, FIRST, 3);
		expect(try_munmap(addr, 3 * PAGE_SIZE), 0);
	}
	check(waitpid(child, &status, 0) == child && !status, "the granter's side ended with %#x", status);
	tap_diag("mapped %u times, refused %u times", nr_mapped, nr_refused);
}

static const struct suite_case cases[] = {
	{ "two processes map one range: one at a time gets it", one_range_two_processes },
	{ "two threads map one range: one at a time gets it", one_range_two_threads },
	{ "UNMAP_GRANT_REF at any time around mmap", removed_at_any_time },
	{ "GET_OFFSET_FOR_VADDR and INFO at any time around mmap and munmap", asked_at_any_time },
	{ "close at any time around MAP_GRANT_REF and mmap", closed_at_any_time },
	{ "fork while another thread maps and unmaps", fork_while_mapping },
	{ "the last pin goes while its process ends", last_pin_against_exit },
	{ "the last pin goes while its range is removed", last_pin_against_removal },
	{ "mmap and munmap while another mapping of the process is invalidated", mapped_during_an_invalidation },
	{ "a module unloaded at any time", unloaded_at_any_time },
	{ "limit and provider changed at any time", limits_change },
	{ "grants revoked at any time", revoked_at_any_time, .revokes = true },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
