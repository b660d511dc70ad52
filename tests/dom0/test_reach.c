// SPDX-License-Identifier: GPL-2.0
/*
 * Who in the kernel asks for a mapped page gets it, and only then costs a PV grant a second mapping, at the kernel's address.
 *
 * Xen tells how often a grant is mapped: its counter of writable mappings has eight bits, and once the highest of them is set
 * it refuses another. So what a range that shows one page many times leaves room for says how often it has it mapped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fault.h"
#include "pin.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIRST 2u
#define MOST 128u

/* What a case maps besides the range it is about. */
static int other_fd = -1;

static int map_same(int fd, uint32_t nr, struct range *r)
{
	struct ioctl_gntdev_grant_ref refs[MOST + 1];
	void *addr;
	int ret;

	for (uint32_t i = 0; i < nr; i++)
		fill_refs(&refs[i], FIRST, 1);
	*r = (struct range){ .fd = fd, .first = FIRST, .count = nr };
	expect(try_add(fd, refs, nr, &r->offset), 0);
	ret = try_mmap(fd, r->offset, range_length(r), RW, MAP_SHARED, &addr);
	if (!ret) {
		r->addr = addr;
		r->prot = RW;
	} else {
		expect(try_remove(fd, r->offset, nr), 0);
	}
	return ret;
}

/* Xen lets the grant be mapped just nr times more. */
static void check_room(uint32_t nr)
{
	struct range r;

	expect(map_same(other_fd, nr + 1, &r), -EINVAL);
	if (!nr)
		return;
	expect(map_same(other_fd, nr, &r), 0);
	range_unmap(&r);
}

/* A range of nr pages, all of which show the same one. */
static struct range many(uint32_t nr)
{
	struct range r;
	int ret;

	other_fd = open_node();
	check_room(MOST);
	ret = map_same(open_node(), nr, &r);
	check(!ret, "%u mappings of a grant: %s", nr, errno_name(ret));
	check_room(MOST - nr);
	return r;
}

static void done(struct range *r)
{
	range_unmap(r);
	wait_busy(FIRST, 1, 0);
	check_room(MOST);
	close(other_fd);
	close(r->fd);
}

/* The kernel asks for nr pages and reads them: how many it could, or a negative errno. */
static long ask(const struct range *r, uint32_t page, uint32_t nr)
{
	static char copy[MOST * PAGE_SIZE];
	struct iovec ours = { copy, nr * PAGE_SIZE }, theirs = { range_page(r, page), nr * PAGE_SIZE };
	ssize_t ret = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);

	if (ret < 0)
		return -errno;
	check(!memcmp(copy, range_page(r, page), ret), "the kernel reads something else");
	return ret / (long)PAGE_SIZE;
}

/* VM_IO keeps everybody from asking. */
static bool refused(const struct range *r)
{
	if (!strategy_is("vmio"))
		return false;
	expect(ask(r, 1, 1), -EFAULT);
	check_room(MOST - r->count);
	return true;
}

static void unasked(void)
{
	struct range r = many(MOST);

	for (uint32_t i = 0; i < MOST; i += 50) {
		check_reads(range_page(&r, i), FIRST, 1);
		check_writes(range_page(&r, i), FIRST, 1);
	}
	done(&r);
}

static void asked(void)
{
	struct range r = many(10);

	if (!refused(&r)) {
		expect(ask(&r, 4, 1), 1);
		check_room(MOST - 11);
		expect(ask(&r, 4, 1), 1);
		check_room(MOST - 11);
		expect(ask(&r, 0, 10), 10);
		check_room(MOST - 20);
	}
	done(&r);
}

static void asked_in_turn(void)
{
	struct range r = many(60);

	if (!refused(&r)) {
		for (uint32_t i = 0; i < 60; i++)
			expect(ask(&r, i, 1), 1);
		check_room(MOST - 120);
	}
	done(&r);
}

static void pinned(void)
{
	struct range r = many(8);
	struct pin pin;

	if (refused(&r)) {
		done(&r);
		return;
	}
	expect(pin_page(&pin, PIN_PIPE, range_page(&r, 5)), 0);
	check_room(MOST - 9);
	range_munmap(&r);
	check_room(MOST - 1);
	expect(unpin_page(&pin, NULL), 0);
	expect(try_remove(r.fd, r.offset, r.count), 0);
	wait_busy(FIRST, 1, 0);
	check_room(MOST);
}

/* The last ones that Xen has no room for: the kernel does not get them, the user has them still. */
static void no_room(void)
{
	struct range r = many(MOST - 1);

	if (!refused(&r)) {
		expect(ask(&r, 7, 1), 1);
		for (uint32_t i = 0; i < MOST - 1; i++)
			expect(ask(&r, i, 1), i == 7 ? 1 : -EFAULT);
		/* Asks for them in another way, in which mm looks at the PTEs more closely. */
		if (madvise(range_page(&r, 20), 30 * PAGE_SIZE, MADV_POPULATE_WRITE))
			check(errno == EFAULT || errno == EINVAL, "%s", strerror(errno));
		check_reads(range_page(&r, 40), FIRST, 1);
		check_writes(range_page(&r, 40), FIRST, 1);
	}
	done(&r);
}

static void byte_named(void)
{
	struct ioctl_gntdev_unmap_notify op = { .action = UNMAP_NOTIFY_CLEAR_BYTE };
	struct range r = many(6);
	uint64_t word;

	op.index = r.offset + 3 * PAGE_SIZE + 16;
	check(!ioctl(r.fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op), "%s", strerror(errno));
	check_room(MOST - 7);
	*(volatile uint64_t *)(r.addr + 16) = ~0ull;
	range_munmap(&r);
	check(!granter_peek(suite.granter, FIRST, 16, &word), "%s", strerror(errno));
	check(word == (uint64_t)~0xff, "%#lx", word);
	check_room(MOST);

	/* Before it is mapped. */
	check(!ioctl(r.fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op), "%s", strerror(errno));
	check_room(MOST);
	range_mmap(&r, RW);
	check_room(MOST - 7);
	*(volatile uint64_t *)(r.addr + 16) = ~0ull;
	range_munmap(&r);
	check(!granter_peek(suite.granter, FIRST, 16, &word), "%s", strerror(errno));
	check(word == (uint64_t)~0xff, "%#lx", word);
	expect(try_remove(r.fd, r.offset, r.count), 0);
	check_room(MOST);
}

static void byte_without_room(void)
{
	struct ioctl_gntdev_unmap_notify op = { .action = UNMAP_NOTIFY_CLEAR_BYTE };
	struct range r = many(MOST);
	void *addr;

	op.index = r.offset + 16;
	check(ioctl(r.fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op) && errno == ENOSPC, "%s", strerror(errno));
	range_munmap(&r);
	check(!ioctl(r.fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op), "%s", strerror(errno));
	expect(try_mmap(r.fd, r.offset, range_length(&r), RW, MAP_SHARED, &addr), -ENOSPC);
	check_room(MOST);
	op.action = 0;
	check(!ioctl(r.fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op), "%s", strerror(errno));
	range_mmap(&r, RW);
	done(&r);
}

static void taken_away(void)
{
	struct range r = many(9);
	bool asked = !refused(&r);

	if (asked)
		expect(ask(&r, 4, 1), 1);
	check(!madvise(r.addr, range_length(&r), MADV_DONTNEED), "%s", strerror(errno));
	/* The kernel keeps what it has asked for. */
	check_room(asked ? MOST - 1 : MOST);
	expect(ask(&r, 2, 1), -EFAULT);
	expect(ask(&r, 4, 1), -EFAULT);
	done(&r);
}

static struct {
	struct range r;
	atomic_bool stop;
	atomic_long nr_read;
} race;

static void *ask_and_ask(void *arg)
{
	static __thread char copy[4 * PAGE_SIZE];
	struct iovec ours = { copy, sizeof(copy) }, theirs = { race.r.addr, sizeof(copy) };

	(void)arg;
	while (!race.stop) {
		ssize_t ret = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);

		if (ret > 0)
			race.nr_read += ret / (long)PAGE_SIZE;
		/* Reads into the range: the kernel asks for pages to write to. */
		ret = process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0);
		(void)ret;
	}
	return NULL;
}

/* What was read, and for how long, is of no importance: no log may say anything, and all goes back. */
static void race_of_looks(void)
{
	uint64_t until = now_us() + 2000000;
	int fd = open_node();

	while (now_us() < until) {
		pthread_t threads[2];

		race.r = range_map(fd, FIRST, 4, RW);
		race.stop = false;
		for (int i = 0; i < 2; i++)
			check(!pthread_create(&threads[i], NULL, ask_and_ask, NULL), "no thread");
		for (int i = 0; i < 4; i++) {
			sleep_ms(1);
			check(!madvise(range_page(&race.r, i), PAGE_SIZE, MADV_DONTNEED), "%s", strerror(errno));
		}
		race.stop = true;
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		range_unmap(&race.r);
		wait_busy(FIRST, 4, 0);
	}
	check(race.nr_read || strategy_is("vmio"), "premise: nothing was ever read");
}

static const struct suite_case cases[] = {
	{ "a grant that nobody in the kernel asks for is mapped once", unasked, MODE_PV },
	{ "one that is asked for is mapped twice, its neighbours are not", asked, MODE_PV },
	{ "all of a range can be asked for, one after the other", asked_in_turn, MODE_PV },
	{ "a pinned page keeps the kernel's mapping only", pinned, MODE_PV },
	{ "a page that Xen has no room for stays the user's alone", no_room, MODE_PV },
	{ "the page of a byte to clear is the kernel's from when it is named", byte_named, MODE_PV },
	{ "no byte is promised to be cleared where Xen has no room", byte_without_room, MODE_PV },
	{ "pages taken away from under the VMA are back, but for those asked for", taken_away, MODE_PV },
	{ "pages may be asked for while they are taken away", race_of_looks },
};

int main(int argc, char **argv)
{
	fault_catch();
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
