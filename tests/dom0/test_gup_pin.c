// SPDX-License-Identifier: GPL-2.0
/*
 * The cases of Documentation/core-api/pin_user_pages.rst, each as what it is for would use our mapping. Whatever was pinned,
 * the counts are afterwards what they were. For `vmio` each claim is that it is refused, with nothing held.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gup.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 4u
#define FIRST 2u

struct held {
	struct range r;
	int probe;
	struct gup_call call;
	struct gup_page pages[NR];
};

static int open_probe(void)
{
	int fd = gup_open();

	if (fd == -ENOENT)
		case_skip("gup_probe.ko");
	check(fd >= 0, "/dev/gup_probe: %s", errno_name(fd));
	return fd;
}

static void check_counts(const struct held *h, int refs, int pins)
{
	struct gup_page now[NR];

	expect(gup_look(h->probe, h->r.addr, NR, now), 0);
	for (unsigned int i = 0; i < NR; i++)
		check(now[i].before.refs == h->pages[i].before.refs + refs &&
		      now[i].before.pins == h->pages[i].before.pins + pins,
		      "page %u: %d references and %d pins, before it was %d and %d", i, now[i].before.refs,
		      now[i].before.pins, h->pages[i].before.refs, h->pages[i].before.pins);
}

/* VM_IO refuses, unless GUP-fast does not notice it (6.1, auto-translated); then nothing is held. */
static bool refused(struct held *h, long ret)
{
	if (ret != -EFAULT || !strategy_is("vmio"))
		return false;
	check_counts(h, 0, 0);
	range_check(&h->r);
	range_unmap(&h->r);
	return true;
}

/* Hold the pages of a new range by a call of this process. False: refused. */
static bool hold(struct held *h, unsigned int function, unsigned int flags)
{
	char name[64];

	h->probe = open_probe();
	h->r = range_map(open_node(), FIRST, NR, RW);
	expect(gup_call(h->probe, function, flags, h->r.addr, NR, true, &h->call, h->pages), 0);
	if (refused(h, h->call.ret))
		return false;
	check(h->call.status == GUP_CALLED && h->call.ret == NR, "%s: %ld",
	      gup_call_name(function, flags, name, sizeof(name)), (long)h->call.ret);
	for (unsigned int i = 0; i < NR; i++)
		check(h->pages[i].pfn == h->pages[i].pfn_before, "page %u is another one", i);
	return true;
}

static void let_go(struct held *h, bool dirty)
{
	check(gup_release(h->probe, dirty, h->pages, 0) == NR, "not %u pages", NR);
	check_counts(h, 0, 0);
	range_check(&h->r);
	range_unmap(&h->r);
	wait_busy(FIRST, NR, 0);
}

/* What the kernel reads at its own address is what the granter has now, and the other way round. */
static void check_data(const struct held *h)
{
	uint64_t seed = 0x910 + getpid(), word;

	check(!granter_fill(suite.granter, FIRST, NR, seed), "%s", strerror(errno));
	for (unsigned int i = 0; i < NR; i++) {
		expect(gup_read_word(h->probe, i, 8 * i, &word), 0);
		check(word == granter_word(seed, FIRST + i, i), "page %u: the kernel reads %#lx", i, word);
		expect(gup_write_word(h->probe, i, 64, ~word), 0);
		check(!granter_peek(suite.granter, FIRST + i, 64, &seed), "%s", strerror(errno));
		check(seed == ~word, "page %u: the granter does not see what the kernel wrote", i);
		check(*(volatile uint64_t *)(range_page(&h->r, i) + 64) == ~word, "page %u: nor does the user", i);
		seed = 0x910 + getpid();
	}
}

static void direct_io(void)
{
	struct held h;

	if (!hold(&h, GUP_PIN_FAST, GUP_WRITE))
		return;
	check_counts(&h, 0, 1);
	check_data(&h);
	let_go(&h, true);
}

static void rdma(void)
{
	struct held h;

	if (!hold(&h, GUP_PIN_FAST, GUP_WRITE | GUP_LONGTERM))
		return;
	check_counts(&h, 0, 1);
	check_data(&h);
	let_go(&h, true);
}

/* vfio pins another process's memory, with mmap_lock held all the while; here another process pins ours. */
static void vfio(void)
{
	int to_child[2], to_us[2], status;
	struct held h = { 0 };
	pid_t child, us = getpid();
	long ret = 0;
	char byte;

	h.probe = open_probe();
	h.r = range_map(open_node(), FIRST, NR, RW);
	expect(gup_look(h.probe, h.r.addr, NR, h.pages), 0);
	check(!madvise(h.r.addr, range_length(&h.r), MADV_DONTFORK), "%s", strerror(errno));
	check(!pipe(to_child) && !pipe(to_us), "%s", strerror(errno));
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		int probe = gup_open();

		close(to_child[1]);
		ret = gup_call_pid(probe, us, GUP_PIN_REMOTE, GUP_WRITE | GUP_LONGTERM, h.r.addr, NR, true, &h.call, h.pages);
		ret = ret ? ret : h.call.ret;
		if (write(to_us[1], &ret, sizeof(ret)) != sizeof(ret) || read(to_child[0], &byte, 1) != 1)
			_exit(1);
		/* Closing lets go. */
		_exit(0);
	}
	check(read(to_us[0], &ret, sizeof(ret)) == sizeof(ret), "the child died");
	if (ret == NR)
		check_counts(&h, 0, 1);
	check(write(to_child[1], "", 1) == 1, "%s", strerror(errno));
	check(waitpid(child, &status, 0) == child && !status, "the child ended with %#x", status);
	if (refused(&h, ret))
		return;
	check(ret == NR, "pin_user_pages_remote(WRITE|LONGTERM): %ld", ret);
	check_counts(&h, 0, 0);
	range_unmap(&h.r);
}

/* No pin: such hardware maps the page, lets go of it, and relies on being told. */
static void page_faults(void)
{
	struct gup_event events[GUP_MAX_EVENTS];
	bool told = false;
	uintptr_t start;
	struct held h;
	int nr;

	if (!hold(&h, GUP_GET_UNLOCKED, GUP_WRITE))
		return;
	expect(gup_watch(h.probe, h.r.addr, range_length(&h.r), true), 0);
	check(gup_release(h.probe, false, h.pages, 0) == NR, "not %u pages", NR);
	check_counts(&h, 0, 0);
	start = (uintptr_t)h.r.addr;
	range_munmap(&h.r);
	nr = gup_events(h.probe, events, GUP_MAX_EVENTS);
	check(nr > 0, "no event: %s", errno_name(nr));
	for (int i = 0; i < nr; i++)
		told |= events[i].kind == GUP_EVENT_START && events[i].reason == GUP_REASON_UNMAP &&
			events[i].start <= start && events[i].end >= start + range_length(&h.r);
	check(told, "%d events, none says that the range is unmapped", nr);
	/* Nobody holds it. */
	wait_busy(FIRST, NR, 0);
	range_remove(&h.r);
}

static void struct_page_only(void)
{
	struct held h;

	if (!hold(&h, GUP_GET, 0))
		return;
	check_counts(&h, 1, 0);
	let_go(&h, false);
}

static void write_to_it(void)
{
	struct held h;

	if (!hold(&h, GUP_PIN, GUP_WRITE))
		return;
	check_counts(&h, 0, 1);
	check_data(&h);
	let_go(&h, true);
}

static void twice(void)
{
	struct held h;
	struct gup_page again[NR];
	struct gup_call call;
	int second = open_probe();

	if (!hold(&h, GUP_PIN_FAST, GUP_WRITE))
		return;
	expect(gup_call(second, GUP_PIN, GUP_WRITE | GUP_LONGTERM, h.r.addr, NR, true, &call, again), 0);
	check(call.ret == NR, "%ld", (long)call.ret);
	check_counts(&h, 0, 2);
	/* Who goes away lets go. */
	close(second);
	check_counts(&h, 0, 1);
	let_go(&h, false);
}

static const struct suite_case cases[] = {
	{ "case 1, direct IO: FOLL_PIN, both ways, and the pins are gone afterwards", direct_io },
	{ "case 2, RDMA: FOLL_PIN|FOLL_LONGTERM of our own memory", rdma },
	{ "case 2, vfio: FOLL_PIN|FOLL_LONGTERM of another process's memory, until that ends", vfio },
	{ "case 3, hardware that takes page faults: no pin, and it is told when the pages go", page_faults },
	{ "case 4, struct page only: a reference and no pin", struct_page_only },
	{ "case 5, writing to the data: FOLL_PIN, and granter and user see it", write_to_it },
	{ "two pins of one page are counted, and each goes by itself", twice },
};

static const struct suite_case vmio_cases[] = {
	{ "VM_IO refuses case 1, direct IO, and nothing is held; where GUP-fast misses it (6.1) it works", direct_io },
	{ "VM_IO refuses case 2, RDMA, and nothing is held; where GUP-fast misses it (6.1) it works", rdma },
	{ "VM_IO refuses case 2, vfio, and nothing is held", vfio },
	{ "VM_IO refuses case 3, hardware that takes page faults, and nothing is held", page_faults },
	{ "VM_IO refuses case 4, struct page only, and nothing is held", struct_page_only },
	{ "VM_IO refuses case 5, writing to the data, and nothing is held", write_to_it },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "vmio"))
		return suite_main(vmio_cases, ARRAY_SIZE(vmio_cases), argc, argv);
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
