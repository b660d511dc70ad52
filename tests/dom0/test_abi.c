// SPDX-License-Identifier: GPL-2.0
/* What <xen/gntdev.h> promises, and what an unmodified libxengnttab makes of it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xengnttab.h>

#include "gntmap_node.h"
#include "library.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)

static void first_offset(void)
{
	for (int i = 0; i < 2; i++) {
		int fd = open_node();
		struct range r = range_add(fd, i, 1 + i);

		check(r.offset == 0, "%#lx", r.offset);
		close(fd);
	}
}

static void consecutive_offsets(void)
{
	int fd = open_node();
	uint64_t next = 0;

	for (uint32_t count = 1; count <= 5; count++) {
		struct range r = range_add(fd, 0, count);

		check(r.offset == next * PAGE_SIZE, "range of %u: %#lx", count, r.offset);
		next += count;
	}
}

static void lowest_free_offset(void)
{
	int fd = open_node();
	struct range a = range_add(fd, 0, 1), b = range_add(fd, 1, 4), c = range_add(fd, 5, 1), r;

	check(c.offset == 5 * PAGE_SIZE, "%#lx", c.offset);
	range_remove(&b);
	r = range_add(fd, 0, 5);
	check(r.offset == 6 * PAGE_SIZE, "5 pages do not fit into a hole of 4: %#lx", r.offset);
	r = range_add(fd, 0, 3);
	check(r.offset == 1 * PAGE_SIZE, "3 pages fit into the hole: %#lx", r.offset);
	r = range_add(fd, 0, 2);
	check(r.offset == 11 * PAGE_SIZE, "2 pages do not fit into the rest of it: %#lx", r.offset);
	r = range_add(fd, 0, 1);
	check(r.offset == 4 * PAGE_SIZE, "1 page fits just: %#lx", r.offset);
	range_remove(&a);
	r = range_add(fd, 0, 1);
	check(r.offset == 0, "the first offset is free again: %#lx", r.offset);
}

/* Adds and removes at random, next to a model that tries every offset from 0 on. */
static void offsets_by_the_model(void)
{
	enum { NR_SLOTS = 60, MODEL_PAGES = 2048, NR_STEPS = 3000 };
	static struct range slots[NR_SLOTS];
	static bool used[MODEL_PAGES];
	unsigned int seed = 20151;
	int fd = open_node();

	for (int step = 0; step < NR_STEPS; step++) {
		struct range *r = &slots[rand_r(&seed) % NR_SLOTS];
		uint32_t count = 1 + rand_r(&seed) % 12, at = 0, run = 0;

		if (r->count) {
			range_remove(r);
			memset(&used[r->offset / PAGE_SIZE], false, r->count);
			r->count = 0;
			continue;
		}
		for (; run < count; at++) {
			check(at < MODEL_PAGES, "the model is too small");
			run = used[at] ? 0 : run + 1;
		}
		*r = range_add(fd, 0, count);
		check(r->offset == (at - count) * PAGE_SIZE, "step %d, %u pages: %#lx, not %#lx", step, count,
		      r->offset, (at - count) * PAGE_SIZE);
		memset(&used[at - count], true, count);
	}
}

static void several_ranges(void)
{
	int fd = open_node();
	struct range a = range_map(fd, 10, 1, RW), b = range_map(fd, 20, 7, PROT_READ), c = range_map(fd, 30, 3, RW);

	check(c.offset > b.offset && b.offset > a.offset, "%#lx, %#lx, %#lx", a.offset, b.offset, c.offset);
	range_check(&a);
	range_check(&b);
	range_check(&c);
	range_munmap(&b);
	range_check(&a);
	range_check(&c);
	wait_busy(20, 7, 0);
}

static void granter_is_read(void)
{
	struct range r = range_map(open_node(), 0, 8, PROT_READ);

	range_check(&r);
}

static void granter_is_written(void)
{
	struct range r = range_map(open_node(), 0, 8, RW);

	range_check(&r);
}

static void words_both_ways(void)
{
	struct range r = range_map(open_node(), 4, 3, RW);
	volatile uint64_t *word = (uint64_t *)(range_page(&r, 2) + 4088);
	uint64_t seen;

	*word = 0x1122334455667788;
	check(!granter_peek(suite.granter, 6, 4088, &seen), "%s", strerror(errno));
	check(seen == 0x1122334455667788, "the granter sees %#lx", seen);
	check(!granter_poke(suite.granter, 6, 4088, 0x8877665544332211), "%s", strerror(errno));
	check(*word == 0x8877665544332211, "we see %#lx", *word);
}

static void read_only_grant(void)
{
	struct range r = range_map(open_node(), suite.nr_rw, 2, PROT_READ);

	range_check(&r);
}

static void same_page_twice(void)
{
	struct ioctl_gntdev_grant_ref refs[3];
	struct range r = { .fd = open_node(), .first = 7, .count = 3 }, other;

	for (int i = 0; i < 3; i++)
		fill_refs(&refs[i], 7, 1);
	expect(try_add(r.fd, refs, 3, &r.offset), 0);
	range_mmap(&r, RW);
	other = range_map(r.fd, 7, 1, RW);
	for (uint32_t i = 0; i < 3; i++) {
		check_reads(range_page(&r, i), 7, 1);
		check_writes(range_page(&r, i), 7, 1);
	}
	range_unmap(&r);
	wait_busy(7, 1, 1);
	range_check(&other);
}

static void mapped_again(void)
{
	static const int prots[] = { RW, RW, PROT_READ, PROT_READ, RW };
	struct range r = range_add(open_node(), 3, 5);

	for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
		range_mmap(&r, prots[i]);
		range_check(&r);
		range_munmap(&r);
		wait_busy(3, 5, 0);
	}
}

static void removed_while_mapped(void)
{
	int fd = open_node();
	struct range a = range_map(fd, 0, 4, RW), b, c;
	void *addr;

	range_remove(&a);
	range_check(&a);
	expect(try_remove(fd, a.offset, 4), -ENOENT);
	expect(try_mmap(fd, a.offset, range_length(&a), RW, MAP_SHARED, &addr), -EINVAL);
	/* In PV mremap() must be able to tell it by its offset. */
	b = range_map(fd, 8, 2, RW);
	check(b.offset == (suite.pv ? 4 * PAGE_SIZE : 0), "%#lx", b.offset);
	range_check(&a);
	range_check(&b);
	range_munmap(&a);
	wait_busy(0, 4, 0);
	range_check(&b);
	c = range_add(fd, 0, 1);
	check(c.offset == (suite.pv ? 0 : 2 * PAGE_SIZE), "%#lx", c.offset);
}

static void offset_for_vaddr(void)
{
	int fd = open_node();
	struct range a = range_map(fd, 0, 2, RW), b = range_map(fd, 2, 5, PROT_READ);
	uint32_t count;
	uint64_t offset;

	expect(node_offset_for_vaddr(fd, a.addr, &offset, &count), 0);
	check(offset == a.offset && count == 2, "%#lx, %u", offset, count);
	for (int page = 0; page < 5; page++) {
		expect(node_offset_for_vaddr(fd, range_page(&b, page) + 17 * page, &offset, &count), 0);
		check(offset == b.offset && count == 5, "%#lx, %u", offset, count);
	}
}

static void offset_of_nothing(void)
{
	struct range r = range_map(open_node(), 0, 1, RW), away;
	char *anonymous, *hole;
	uint32_t count;
	uint64_t offset;
	void *other;

	away = range_map(open_node(), 1, 1, RW);
	expect(node_offset_for_vaddr(r.fd, away.addr, &offset, &count), -EINVAL);

	expect(try_mmap(-1, 0, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, &other), 0);
	anonymous = other;
	expect(node_offset_for_vaddr(r.fd, anonymous, &offset, &count), -EINVAL);
	expect(node_offset_for_vaddr(r.fd, NULL, &offset, &count), -EINVAL);
	expect(node_offset_for_vaddr(r.fd, (void *)-1ul, &offset, &count), -EINVAL);

	/* find_vma() gives the next mapping above an address: here ours. */
	expect(try_mmap(-1, 0, 3 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, &other), 0);
	hole = other;
	range_munmap(&r);
	r.addr = mmap(hole + 2 * PAGE_SIZE, PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, r.fd, r.offset);
	check(r.addr != MAP_FAILED, "%s", strerror(errno));
	expect(try_munmap(hole, 2 * PAGE_SIZE), 0);
	expect(node_offset_for_vaddr(r.fd, hole + PAGE_SIZE, &offset, &count), -EINVAL);
	expect(node_offset_for_vaddr(r.fd, r.addr, &offset, &count), 0);
}

static void closed_before_munmap(void)
{
	struct range a, b;
	int fd = open_node();

	a = range_map(fd, 0, 3, RW);
	b = range_map(fd, 3, 2, PROT_READ);
	close(fd);
	range_check(&a);
	range_check(&b);
	range_munmap(&a);
	wait_busy(0, 3, 0);
	range_check(&b);
	range_munmap(&b);
	wait_busy(3, 2, 0);
}

static void closed_without_remove(void)
{
	struct range r = range_map(open_node(), 0, 3, RW);

	range_munmap(&r);
	range_mmap(&r, RW);
	range_munmap(&r);
	close(r.fd);
	wait_busy(0, 3, 0);
}

static void close_in_child(void *arg)
{
	struct range *r = arg;

	close(r->fd);
}

static void add_in_child(void *arg)
{
	struct range *r = arg, own;

	own = range_map(r->fd, 9, 2, RW);
	range_check(&own);
}

static void inherited_descriptor(void)
{
	struct range r = range_map(open_node(), 0, 3, RW), next;

	check(run_child(close_in_child, &r, false) == 0, "the child failed");
	range_check(&r);
	check(run_child(add_in_child, &r, true) == 0, "the child failed");
	range_check(&r);
	wait_busy(9, 2, 0);
	/* The child's range is one of the descriptor's, and outlives the child. */
	next = range_add(r.fd, 11, 1);
	check(next.offset == 5 * PAGE_SIZE, "%#lx", next.offset);
	check(try_remove(r.fd, 3 * PAGE_SIZE, 2) == 0, "the child's range is gone");
}

struct passed {
	int sockets[2];
};

static void receive_descriptor(void *arg)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct passed *p = arg;
	struct range r = { .first = 5, .count = 3, .offset = 0 }, own;
	int fd;

	check(recvmsg(p->sockets[1], &msg, 0) == 1, "%s", strerror(errno));
	check(CMSG_FIRSTHDR(&msg) && CMSG_FIRSTHDR(&msg)->cmsg_type == SCM_RIGHTS, "no descriptor came");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));

	/* The range that the sender added, and one that we add. */
	r.fd = fd;
	range_mmap(&r, RW);
	range_check(&r);
	own = range_map(fd, 20, 2, RW);
	range_check(&own);
	range_unmap(&r);
	range_unmap(&own);
}

static void passed_descriptor(void)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	struct passed p;
	struct range r;
	int status;
	pid_t child;

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, p.sockets), "%s", strerror(errno));
	/* The child must get the descriptor by the message and no other way. */
	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		child_open_granter();
		receive_descriptor(&p);
		_exit(0);
	}
	r = range_add(open_node(), 5, 3);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &r.fd, sizeof(int));
	check(sendmsg(p.sockets[0], &msg, 0) == 1, "%s", strerror(errno));
	close(r.fd);
	check(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status),
	      "the receiver ended with %#x", status);
	wait_busy(0, suite.granter->nr_refs, 0);
}

static void many_ranges(void)
{
	uint32_t nr = suite.pv ? 2000 : 200;
	int fd = open_node();
	struct range *r;

	if (nr > suite.nr_rw)
		nr = suite.nr_rw;
	r = calloc(nr, sizeof(*r));
	check(r, "no memory");
	check(!granter_fill(suite.granter, 0, nr, 4711), "%s", strerror(errno));
	for (uint32_t i = 0; i < nr; i++) {
		r[i] = range_map(fd, i, 1, i % 2 ? PROT_READ : RW);
		check(r[i].offset == i * PAGE_SIZE, "range %u: %#lx", i, r[i].offset);
	}
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t count;
		uint64_t offset;

		check_pattern(r[i].addr, i, 1, 4711);
		expect(node_offset_for_vaddr(fd, r[i].addr, &offset, &count), 0);
		check(offset == r[i].offset && count == 1, "range %u: %#lx, %u", i, offset, count);
	}
	/* Every third one goes, and comes again at the lowest free offset. */
	for (uint32_t i = 0; i < nr; i += 3)
		range_unmap(&r[i]);
	for (uint32_t i = 0; i < nr; i += 3) {
		struct range again = range_add(fd, i, 1);

		check(again.offset == i * PAGE_SIZE, "range %u: %#lx", i, again.offset);
	}
	for (uint32_t i = 0; i < nr; i++) {
		if (i % 3)
			range_munmap(&r[i]);
		range_remove(&r[i]);
	}
	wait_busy(0, nr, 0);
}

static void far_offsets(void)
{
	const uint32_t each = 16384;
	struct ioctl_gntdev_grant_ref *refs = calloc(each, sizeof(*refs));
	int fd = open_node(), ret;
	uint64_t offset;
	struct range r;

	check(refs, "no memory");
	/* No page of these is ever mapped: the references need not exist. From 2 GiB on in-tree's index is negative. */
	for (uint32_t nr = 0; nr < (1ull << 31) / PAGE_SIZE; nr += each) {
		ret = try_add(fd, refs, each, &offset);
		if (ret == -ENOMEM)
			case_skip("memory for ranges of %lu MiB", nr * PAGE_SIZE >> 20);
		expect(ret, 0);
		check(offset == nr * PAGE_SIZE, "%#lx, not %#lx", offset, nr * PAGE_SIZE);
	}
	r = range_map(fd, 0, 2, RW);
	check(r.offset == 1ull << 31, "%#lx", r.offset);
	range_check(&r);
	range_unmap(&r);
	expect(try_remove(fd, 1ull << 30, each), 0);
}

static void big_range(void)
{
	struct range r;
	uint32_t nr = suite.pv ? 1024 : 64;

	if (nr > suite.nr_rw)
		nr = suite.nr_rw;
	r = range_map(open_node(), 0, nr, RW);
	range_check(&r);
	range_unmap(&r);
	wait_busy(0, nr, 0);
}

/* ---- threads ---- */

#define NR_MAPPERS 4

struct mapper {
	pthread_t thread;
	int fd;
	uint32_t first;
	uint64_t end_us;
	unsigned int nr_done;
};

static atomic_flag offset_used[64];
static atomic_uint nr_turns; /* threads that have been through */

static void *map_and_unmap(void *arg)
{
	struct mapper *m = arg;

	do {
		struct range r = range_add(m->fd, m->first, 1 + m->nr_done % 4);
		uint64_t page = r.offset / PAGE_SIZE;

		check(page + r.count <= ARRAY_SIZE(offset_used), "%#lx", r.offset);
		for (uint32_t i = 0; i < r.count; i++)
			check(!atomic_flag_test_and_set(&offset_used[page + i]), "offset %#lx twice", r.offset);
		range_mmap(&r, RW);
		for (uint32_t i = 0; i < r.count; i++) {
			volatile uint64_t *word = (uint64_t *)range_page(&r, i);

			check(*word == granter_word(99, m->first + i, 0), "page %u: %#lx", m->first + i, *word);
		}
		range_munmap(&r);
		for (uint32_t i = 0; i < r.count; i++)
			atomic_flag_clear(&offset_used[page + i]);
		range_remove(&r);
		if (!m->nr_done++)
			atomic_fetch_add(&nr_turns, 1);
		/* On a slow machine one's first turn comes late: nobody leaves before it. */
	} while (now_us() < m->end_us || atomic_load(&nr_turns) < NR_MAPPERS);
	return NULL;
}

static void threads_on_one_descriptor(void)
{
	struct mapper mappers[NR_MAPPERS];
	int fd = open_node();

	check(!granter_fill(suite.granter, 0, 64, 99), "%s", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(mappers); i++) {
		mappers[i] = (struct mapper){ .fd = fd, .first = 8 * i, .end_us = now_us() + 1000000 };
		check(!pthread_create(&mappers[i].thread, NULL, map_and_unmap, &mappers[i]), "no thread");
	}
	for (size_t i = 0; i < ARRAY_SIZE(mappers); i++)
		pthread_join(mappers[i].thread, NULL);
}

static void *close_descriptor(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

/* The oldest fault of gntdev: its list of maps was emptied by close while a notifier walked it. */
static void close_against_munmap(void)
{
	unsigned int nr = suite.pv ? 100 : 30;

	for (unsigned int i = 0; i < nr; i++) {
		int fd = open_node();
		struct range r = range_map(fd, i % 16, 2, RW);
		pthread_t thread;

		check(!pthread_create(&thread, NULL, close_descriptor, &fd), "no thread");
		range_munmap(&r);
		pthread_join(thread, NULL);
	}
}

/* ---- libxengnttab ---- */

static void library_one_page(void)
{
	struct granter *g = suite.granter;
	xengnttab_handle *h = open_library();
	char *page = xengnttab_map_grant_ref(h, g->domid, g->first_ref + 3, RW), *other;

	check(page, "%s", strerror(errno));
	other = xengnttab_map_grant_ref(h, g->domid, g->first_ref + 4, PROT_READ);
	check(other, "%s", strerror(errno));
	check_reads(page, 3, 1);
	check_writes(page, 3, 1);
	check_reads(other, 4, 1);
	check(!xengnttab_unmap(h, page, 1), "%s", strerror(errno));
	wait_busy(3, 1, 0);
	check_reads(other, 4, 1);
	check(!xengnttab_unmap(h, other, 1), "%s", strerror(errno));
	wait_busy(4, 1, 0);
	check(!xengnttab_close(h), "%s", strerror(errno));
}

static void library_many_pages(void)
{
	struct granter *g = suite.granter;
	xengnttab_handle *h = open_library();
	uint32_t domids[5], refs[5];
	char *a, *b;

	for (uint32_t i = 0; i < 5; i++) {
		domids[i] = g->domid;
		refs[i] = g->first_ref + 10 + i;
	}
	a = xengnttab_map_grant_refs(h, 5, domids, refs, RW);
	check(a, "%s", strerror(errno));
	b = xengnttab_map_domain_grant_refs(h, 5, g->domid, refs, PROT_READ);
	check(b, "%s", strerror(errno));
	check_reads(a, 10, 5);
	check_reads(b, 10, 5);
	check_writes(a, 10, 5);
	check(!xengnttab_unmap(h, a, 5), "%s", strerror(errno));
	check_reads(b, 10, 5);
	check(!xengnttab_unmap(h, b, 5), "%s", strerror(errno));
	wait_busy(10, 5, 0);
	xengnttab_close(h);
}

static void library_bad_reference(void)
{
	struct granter *g = suite.granter;
	xengnttab_handle *h = open_library();
	uint32_t refs[3] = { g->first_ref, g->first_ref + 1, g->first_ref + 2 };
	char *page;

	check(granter_revoke(g, 1, 1, NULL) == 1, "%s", strerror(errno));
	page = xengnttab_map_domain_grant_refs(h, 3, g->domid, refs, RW);
	check(!page && errno == EINVAL, "%p: %s", (void *)page, strerror(errno));
	wait_busy(0, 3, 0);
	refs[1] = g->first_ref + 3;
	page = xengnttab_map_domain_grant_refs(h, 3, g->domid, refs, RW);
	check(page, "%s", strerror(errno));
	xengnttab_unmap(h, page, 3);
}

static void library_set_max_grants(void)
{
	xengnttab_handle *h = open_library();

	/* On Linux the library answers by itself: the drivers have no such limit. */
	check(!xengnttab_set_max_grants(h, 1 << 20), "%s", strerror(errno));
}

static const struct suite_case cases[] = {
	{ "the first range of a descriptor has offset 0", first_offset },
	{ "a further range starts where the last one ends", consecutive_offsets },
	{ "a new range takes the lowest free offset where it fits", lowest_free_offset },
	{ "offsets are those of a simple model for thousands of ranges", offsets_by_the_model },
	{ "ranges of one descriptor show each its own pages", several_ranges },
	{ "a read-only map shows what the granter writes", granter_is_read },
	{ "a writable map shows what the granter writes, and the granter sees our writes", granter_is_written },
	{ "a single word is seen on the other side at once, both ways", words_both_ways },
	{ "a read-only grant can be mapped read-only", read_only_grant },
	{ "one reference can be mapped several times", same_page_twice },
	{ "a range can be mapped again after munmap, with another protection too", mapped_again },
	{ "UNMAP of a mapped range leaves the mapping alone", removed_while_mapped },
	{ "GET_OFFSET_FOR_VADDR tells range and size for every page of a mapping", offset_for_vaddr },
	{ "GET_OFFSET_FOR_VADDR refuses other descriptors' mappings, memory and holes", offset_of_nothing },
	{ "a mapping outlives its descriptor", closed_before_munmap },
	{ "close takes ranges that were not removed", closed_without_remove },
	{ "a descriptor is shared with a child after fork", inherited_descriptor },
	{ "a descriptor works in the process that it was passed to", passed_descriptor },
	{ "many ranges fit into one descriptor", many_ranges },
	{ "offsets past 2 GiB are right", far_offsets },
	{ "a big range is mapped right", big_range },
	{ "four threads can use one descriptor at once", threads_on_one_descriptor },
	{ "close and munmap can happen at once", close_against_munmap },
	{ "libxengnttab maps and unmaps single pages", library_one_page },
	{ "libxengnttab maps and unmaps several pages", library_many_pages },
	{ "libxengnttab reports a bad reference", library_bad_reference, .revokes = true },
	{ "libxengnttab's set_max_grants succeeds", library_set_max_grants },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
