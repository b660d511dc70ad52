// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that somebody holds on to while their mapping goes: each delays its own grant and nothing else.
 *
 * Every case is run with both kinds of pins. A kind that this kernel has not for a file's pages is left out: before 6.5
 * io_uring answers EOPNOTSUPP.
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

#include "module.h"
#include "pin.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 40u	   /* more than one batch of unmaps */
#define FIRST 3u   /* the granter's page that is our page 0 */
#define PINNED 35u /* in the second batch */
/* A wait for a pin would be forever; a stalled machine needs its time. */
#define AT_ONCE_MS 10000

static enum pin_kind kind;

/* Not to be had here: this kernel does not pin such pages so, or the strategy refuses it. */
static void pin_or_skip(struct pin *pin, void *addr)
{
	int ret = pin_page(pin, kind, addr);

	if (kind == PIN_URING && (ret == -EOPNOTSUPP || ret == -ENOSYS))
		case_skip("io_uring buffers of a file's pages");
	if (ret == -EFAULT && strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	check(!ret, "%s: %s", pin_name(kind), errno_name(ret));
}

/* Each kind in a child of its own, whose end unmaps what a pin that cannot be had leaves mapped. */
static void with_every_kind(void (*run)(void *unused))
{
	unsigned int nr_run = 0;

	for (kind = 0; kind < NR_PIN_KINDS; kind++) {
		int how = run_child(run, NULL, true);

		check(!how || how == EXIT_SKIP, "with %s (%d)", pin_name(kind), how);
		nr_run += !how;
		wait_busy(0, suite.granter->nr_refs, 0);
	}
	if (!nr_run)
		exit(EXIT_SKIP);
}

static void munmap_at_once(struct range *r)
{
	uint64_t start = now_us(), ms;

	range_munmap(r);
	ms = (now_us() - start) / 1000;
	check(ms < AT_ONCE_MS, "munmap took %lu ms", ms);
}

/* Only one of the range's pages is not back. */
static void check_one_is_held(const struct range *r, uint32_t page)
{
	uint64_t first;

	wait_busy(r->first, r->count, 1);
	check(granter_busy(suite.granter, r->first, r->count, &first) == 1, "%s", strerror(errno));
	check(first == r->first + page, "page %lu is held, not page %u", first, r->first + page);
}

static void run_only_its_own(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct granter *g = suite.granter;
	struct pin pin;
	uint64_t first;

	(void)unused;
	pin_or_skip(&pin, range_page(&r, PINNED));
	munmap_at_once(&r);
	check_one_is_held(&r, PINNED);
	check(granter_revoke(g, FIRST, NR, &first) == NR - 1 && first == FIRST + PINNED,
	      "the granter cannot revoke all the others; page %lu", first);
	check(!granter_grant(g, FIRST, PINNED, 0, false), "%s", strerror(errno));
	check(!granter_grant(g, FIRST + PINNED + 1, NR - PINNED - 1, 0, false), "%s", strerror(errno));
	expect(unpin_page(&pin, NULL), 0);
	wait_busy(FIRST, NR, 0);
}

static void only_its_own(void)
{
	with_every_kind(run_only_its_own);
}

static void run_content(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	uint64_t content[PAGE_SIZE / 8], sum;
	struct pin pin;

	(void)unused;
	if (kind != PIN_PIPE)
		case_skip("a way to look at the page");
	pin_or_skip(&pin, range_page(&r, PINNED));
	munmap_at_once(&r);
	/* The page is still the granter's: what it writes now is what the pin's holder reads. */
	check(!granter_fill(suite.granter, FIRST + PINNED, 1, 815), "%s", strerror(errno));
	expect(unpin_page(&pin, content), 0);
	check(!granter_sum_pages(suite.granter, FIRST + PINNED, 1, &sum), "%s", strerror(errno));
	check(granter_sum(GRANTER_SUM_INIT, content, ARRAY_SIZE(content)) == sum, "it is not what the granter has");
}

static void content(void)
{
	with_every_kind(run_content);
}

static void run_busy_until_unpinned(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct pin pin;
	void *addr;

	(void)unused;
	pin_or_skip(&pin, range_page(&r, 0));
	munmap_at_once(&r);
	for (int i = 0; i < 3; i++)
		expect(try_mmap(r.fd, r.offset, range_length(&r), RW, MAP_SHARED, &addr), -EBUSY);
	check_one_is_held(&r, 0);
	expect(unpin_page(&pin, NULL), 0);
	wait_busy(FIRST, NR, 0);
	range_mmap_drained(&r, RW);
	range_check_pages(&r, 0, 2);
	range_check_pages(&r, NR - 1, 1);
	range_unmap(&r);
}

static void busy_until_unpinned(void)
{
	with_every_kind(run_busy_until_unpinned);
}

static void run_several(void *unused)
{
	int fd = open_node();
	struct range a = range_map(fd, FIRST, NR, RW), b = range_map(fd, FIRST + NR, 2, RW);
	struct pin low, high, other;

	(void)unused;
	pin_or_skip(&low, range_page(&a, 0));
	pin_or_skip(&high, range_page(&a, NR - 1));
	pin_or_skip(&other, range_page(&b, 1));
	munmap_at_once(&a);
	munmap_at_once(&b);
	wait_busy(FIRST, NR, 2);
	wait_busy(FIRST + NR, 2, 1);
	expect(unpin_page(&high, NULL), 0);
	check_one_is_held(&a, 0);
	expect(unpin_page(&low, NULL), 0);
	wait_busy(FIRST, NR, 0);
	/* The other range waits for its own pin. */
	range_mmap_drained(&a, RW);
	range_munmap(&a);
	check_one_is_held(&b, 1);
	expect(unpin_page(&other, NULL), 0);
	wait_busy(FIRST + NR, 2, 0);
}

static void several(void)
{
	with_every_kind(run_several);
}

static void run_removed(void *unused)
{
	int fd = open_node();
	struct range r = range_map(fd, FIRST, NR, RW), next;
	struct pin pin;

	(void)unused;
	pin_or_skip(&pin, range_page(&r, PINNED));
	munmap_at_once(&r);
	range_remove(&r);
	/* Its offset is free, and so are its other pages. */
	next = range_map(fd, FIRST, PINNED, RW);
	check(next.offset == r.offset, "%#lx", next.offset);
	range_check_pages(&next, 0, 1);
	range_unmap(&next);
	close(fd);
	check_one_is_held(&r, PINNED);
	expect(unpin_page(&pin, NULL), 0);
	wait_busy(FIRST, NR, 0);
}

static void removed(void)
{
	with_every_kind(run_removed);
}

static void run_closed(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct pin pin;

	(void)unused;
	pin_or_skip(&pin, range_page(&r, PINNED));
	close(r.fd);
	munmap_at_once(&r);
	check_one_is_held(&r, PINNED);
	expect(unpin_page(&pin, NULL), 0);
	wait_busy(FIRST, NR, 0);
}

static void closed(void)
{
	with_every_kind(run_closed);
}

struct handover {
	int pipe[2];
	int ready[2];
};

static void pin_and_wait(void *arg)
{
	struct handover *h = arg;
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct pin pin;

	pin_or_skip(&pin, range_page(&r, PINNED));
	/* The page goes from the pipe here to the one that our parent has too. A ring goes with us. */
	if (kind == PIN_PIPE)
		check(tee(pin.fds[0], h->pipe[1], PAGE_SIZE, 0) == PAGE_SIZE, "%s", strerror(errno));
	check(write(h->ready[1], "", 1) == 1, "%s", strerror(errno));
	pause();
}

static void run_killed(void *unused)
{
	const struct range r = { .first = FIRST, .count = NR };
	char page[PAGE_SIZE];
	struct handover h;
	int status;
	pid_t child;
	char byte;

	(void)unused;
	check(!pipe(h.pipe) && !pipe(h.ready), "%s", strerror(errno));
	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		close(h.ready[0]);
		child_open_granter();
		pin_and_wait(&h);
		_exit(0);
	}
	close(h.ready[1]);
	if (read(h.ready[0], &byte, 1) != 1) {
		check(waitpid(child, &status, 0) == child, "%s", strerror(errno));
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	kill(child, SIGKILL);
	check(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child ended with %#x", status);
	if (kind == PIN_PIPE) {
		check_one_is_held(&r, PINNED);
		check(read(h.pipe[0], page, PAGE_SIZE) == PAGE_SIZE, "%s", strerror(errno));
	}
	wait_busy(FIRST, NR, 0);
}

static void killed(void)
{
	with_every_kind(run_killed);
}

/* The strategy's module may go while its last page is held: what holds it is the core's affair. */
static void run_unloaded(void *unused)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct pin pin;
	int ret;

	(void)unused;
	pin_or_skip(&pin, range_page(&r, PINNED));
	check_in_use(strategy_unload(), "an open and mapped module");
	munmap_at_once(&r);
	close(r.fd);
	check_in_use(core_unload(), "the core while others use it");
	ret = strategy_unload();
	if (ret)
		check_in_use(ret, "the strategy's module");
	check_one_is_held(&r, PINNED);
	expect(unpin_page(&pin, NULL), 0);
	wait_busy(FIRST, NR, 0);
	expect(strategy_load(), 0);
}

static void unloaded(void)
{
	char text[8];

	if (strategy_is("gntdev"))
		case_skip("a module that can be unloaded: the toolstack uses it");
	with_every_kind(run_unloaded);
	check(core_parameter("limit", text, sizeof(text)), "the core is gone");
}

static void refused_by_vmio(void)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct pin pin;
	int ret;

	ret = pin_page(&pin, PIN_URING, r.addr);
	if (strategy_is("vmio"))
		check(ret == -EFAULT, "io_uring: %s", errno_name(ret));
	else
		check(!ret || ret == -EOPNOTSUPP || ret == -ENOSYS, "io_uring: %s", errno_name(ret));
	if (!ret)
		expect(unpin_page(&pin, NULL), 0);
	if (suite.pv) {
		ret = pin_page(&pin, PIN_PIPE, r.addr);
		check(ret == (strategy_is("vmio") ? -EFAULT : 0), "vmsplice: %s", errno_name(ret));
		if (!ret)
			expect(unpin_page(&pin, NULL), 0);
	}
	range_check_pages(&r, 0, 2);
}

static const struct suite_case cases[] = {
	{ "pins are refused with EFAULT by vmio and by no other", refused_by_vmio },
	{ "a pinned page delays its own grant and no other, and munmap not at all", only_its_own, .revokes = true },
	{ "a pinned page stays the granter's page after munmap", content },
	{ "mmap gives EBUSY until the last pin is gone", busy_until_unpinned },
	{ "several pins of several ranges are waited for one by one", several },
	{ "a range can be removed while a page of it is pinned", removed },
	{ "a descriptor can be closed while a page is pinned", closed },
	{ "a process can be killed while a page of it is pinned", killed },
	{ "unloading modules while a page is pinned is refused or harmless", unloaded },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
