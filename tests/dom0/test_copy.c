// SPDX-License-Identifier: GPL-2.0
/* GRANT_COPY: Xen copies between the granter's pages and our memory, and says of each segment how it went. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <xengnttab.h>

#include "blocks.h"
#include "huge.h"
#include "library.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define FROM GNTCOPY_source_gref
#define TO GNTCOPY_dest_gref
/* More than one hypercall's worth, and not a multiple of it. */
#define MANY 203u
/* A value that no status has, to see whether it was written. */
#define UNTOUCHED 4711

typedef struct gntdev_grant_copy_segment segment;

static int try_copy(int fd, segment *segments, unsigned int nr)
{
	struct ioctl_gntdev_grant_copy op = { .count = nr, .segments = segments };

	for (unsigned int i = 0; i < nr; i++)
		segments[i].status = UNTOUCHED;
	return ioctl(fd, IOCTL_GNTDEV_GRANT_COPY, &op) ? -errno : 0;
}

static uint32_t ref_of(uint32_t page)
{
	return suite.granter->first_ref + page;
}

/* From byte `offset` of the granter's page to our memory, the other way round, and from one of its pages to another. */
static segment from_page(uint32_t page, uint16_t offset, void *to, uint16_t len)
{
	return (segment){ .source.foreign = { ref_of(page), offset, suite.granter->domid },
			  .dest.virt = to, .len = len, .flags = FROM };
}

static segment to_page(uint32_t page, uint16_t offset, void *from, uint16_t len)
{
	return (segment){ .dest.foreign = { ref_of(page), offset, suite.granter->domid },
			  .source.virt = from, .len = len, .flags = TO };
}

static segment between(uint32_t from, uint16_t from_offset, uint32_t to, uint16_t to_offset, uint16_t len)
{
	return (segment){ .source.foreign = { ref_of(from), from_offset, suite.granter->domid },
			  .dest.foreign = { ref_of(to), to_offset, suite.granter->domid },
			  .len = len, .flags = FROM | TO };
}

static void check_ok(const segment *segments, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		check(segments[i].status == GNTST_okay, "segment %u of %u: %d", i, nr, segments[i].status);
}

static char *memory(size_t nr_pages)
{
	char *addr = mmap(NULL, nr_pages * PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(addr != MAP_FAILED, "%s", strerror(errno));
	memset(addr, 0xaa, nr_pages * PAGE_SIZE);
	return addr;
}

/* The granter's pages hold the pattern with `seed`, and so does what is returned. */
static char *pattern(uint32_t first, uint32_t nr, uint64_t seed)
{
	char *words = memory(nr);

	check(!granter_fill(suite.granter, first, nr, seed), "%s", strerror(errno));
	for (uint64_t i = 0; i < nr * PAGE_SIZE / 8; i++)
		((uint64_t *)words)[i] = granter_word(seed, first + i / 512, i % 512);
	return words;
}

/* The granter's pages hold what is here. */
static void check_granter(uint32_t first, uint32_t nr, const char *content)
{
	uint64_t sum;

	check(!granter_sum_pages(suite.granter, first, nr, &sum), "%s", strerror(errno));
	check(sum == granter_sum(GRANTER_SUM_INIT, (const uint64_t *)content, nr * PAGE_SIZE / 8),
	      "pages %u to %u of the granter are not as expected", first, first + nr - 1);
}

static void check_same(const char *got, const char *want, size_t len)
{
	for (size_t i = 0; i < len; i++)
		check(got[i] == want[i], "byte %zu is %#x, not %#x", i, (uint8_t)got[i], (uint8_t)want[i]);
}

static void copy_from(void)
{
	char *want = pattern(0, 2, 31), *got = memory(2);
	segment s[2] = { from_page(0, 0, got, PAGE_SIZE), from_page(1, 0, got + PAGE_SIZE, PAGE_SIZE) };

	expect(try_copy(open_node(), s, 2), 0);
	check_ok(s, 2);
	check_same(got, want, 2 * PAGE_SIZE);
}

static void copy_to(void)
{
	char *want = pattern(0, 3, 32);

	memset(want + PAGE_SIZE, 0x17, PAGE_SIZE);
	segment s = to_page(1, 0, want + PAGE_SIZE, PAGE_SIZE);

	expect(try_copy(open_node(), &s, 1), 0);
	check_ok(&s, 1);
	check_granter(0, 3, want);
}

static void copy_between(void)
{
	char *want = pattern(0, 3, 33);
	segment s = between(0, 100, 2, 1001, 3000);

	memcpy(want + 2 * PAGE_SIZE + 1001, want + 100, 3000);
	expect(try_copy(open_node(), &s, 1), 0);
	check_ok(&s, 1);
	check_granter(0, 3, want);
}

/* A page of ours to the granter and back to the next one. */
static void copy_back_and_forth(char *ours)
{
	int fd = open_node();
	segment s = to_page(0, 0, ours, PAGE_SIZE);

	memset(ours, 0x33, PAGE_SIZE);
	memset(ours + PAGE_SIZE, 0x44, PAGE_SIZE);
	expect(try_copy(fd, &s, 1), 0);
	check_ok(&s, 1);
	s = from_page(0, 0, ours + PAGE_SIZE, PAGE_SIZE);
	expect(try_copy(fd, &s, 1), 0);
	check_ok(&s, 1);
	check_same(ours + PAGE_SIZE, ours, PAGE_SIZE);
}

/* Every kind of edge: nothing, one byte, up to a page's end, over one of ours, a whole page at an odd address. */
static void odd_pieces(void)
{
	static const struct { uint16_t theirs, ours, len; } pieces[] = {
		{ 0, 0, 0 }, { 4095, 4095, 1 }, { 1, 4095, 2 }, { 17, 4000, 200 }, { 0, 1, 4096 }, { 0, 4095, 4096 },
		{ 2048, 3, 2048 }, { 4096, 5, 0 }, { 3, 0, 4093 },
	};
	char *theirs = pattern(5, 1, 34), *ours = memory(2), *want = memory(2);
	int fd = open_node();

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		segment s = from_page(5, pieces[i].theirs, ours + pieces[i].ours, pieces[i].len);

		memset(ours, 0xaa, 2 * PAGE_SIZE);
		memset(want, 0xaa, 2 * PAGE_SIZE);
		memcpy(want + pieces[i].ours, theirs + pieces[i].theirs, pieces[i].len);
		expect(try_copy(fd, &s, 1), 0);
		check_ok(&s, 1);
		check_same(ours, want, 2 * PAGE_SIZE);

		for (uint32_t byte = 0; byte < 2 * PAGE_SIZE; byte++)
			ours[byte] = byte * 7 + i;
		memcpy(theirs + pieces[i].theirs, ours + pieces[i].ours, pieces[i].len);
		s = to_page(5, pieces[i].theirs, ours + pieces[i].ours, pieces[i].len);
		expect(try_copy(fd, &s, 1), 0);
		check_ok(&s, 1);
		check_granter(5, 1, theirs);
	}
}

/* All directions in one call, and more than one hypercall takes. */
static void many_segments(void)
{
	const uint32_t nr_pages = 12;
	char *theirs = pattern(10, nr_pages, 35), *ours = memory(nr_pages + 1), *want = memory(nr_pages + 1);
	segment *s = calloc(MANY, sizeof(*s));

	/* Pages 0 to 3 are read, 4 to 7 written from our memory, 8 to 11 written from the first four. */
	check(s, "no memory");
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int page = i % 4, offset = i / 3 / 4 * 200, len = 1 + i % 200;

		switch (i % 3) {
		case 0:
			/* Our side crosses a page now and then. */
			s[i] = from_page(10 + page, offset, ours + page * PAGE_SIZE + offset + 150, len);
			memcpy(want + page * PAGE_SIZE + offset + 150, theirs + page * PAGE_SIZE + offset, len);
			break;
		case 1:
			memset(ours + (5 + page) * PAGE_SIZE + offset, i, len);
			memset(want + (5 + page) * PAGE_SIZE + offset, i, len);
			s[i] = to_page(14 + page, offset, ours + (5 + page) * PAGE_SIZE + offset, len);
			memset(theirs + (4 + page) * PAGE_SIZE + offset, i, len);
			break;
		case 2:
			s[i] = between(10 + page, offset, 18 + page, offset + 1, len);
			memcpy(theirs + (8 + page) * PAGE_SIZE + offset + 1, theirs + page * PAGE_SIZE + offset, len);
			break;
		}
	}
	expect(try_copy(open_node(), s, MANY), 0);
	check_ok(s, MANY);
	check_same(ours, want, (nr_pages + 1) * PAGE_SIZE);
	check_granter(10, nr_pages, theirs);
}

/* Some references are not there; whoever they stand next to is copied all the same. */
static void mixed_statuses(void)
{
	static const unsigned int bad[] = { 0, 31, 32, 100, MANY - 1 };
	char *theirs = pattern(0, 1, 36), *ours = memory(2 * MANY);
	segment *s = calloc(MANY, sizeof(*s));

	check(s, "no memory");
	check(granter_revoke(suite.granter, 3, 1, NULL) == 1, "%s", strerror(errno));
	for (unsigned int i = 0; i < MANY; i++)
		s[i] = from_page(0, 8, ours + (2 * i + 1) * PAGE_SIZE - 8 * (i % 3), 16);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		s[bad[i]].source.foreign.ref = ref_of(3);

	expect(try_copy(open_node(), s, MANY), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		bool is_bad = false;

		for (unsigned int k = 0; k < ARRAY_SIZE(bad); k++)
			is_bad |= bad[k] == i;
		if (is_bad) {
			check(s[i].status < 0, "segment %u: %d", i, s[i].status);
			check(*(uint8_t *)s[i].dest.virt == 0xaa, "segment %u was written to", i);
		} else {
			check(s[i].status == GNTST_okay, "segment %u: %d", i, s[i].status);
			check_same(s[i].dest.virt, theirs + 8, 16);
		}
	}
}

/* A segment becomes two operations where our side crosses a page, and Xen takes no page of another domain's for ours. */
static void one_part_fails(void)
{
	char *theirs = pattern(0, 1, 40), *ours = memory(3), *granted = ours + PAGE_SIZE;
	struct range r = range_add(open_node(), 20, 1);
	segment s[4] = {
		from_page(0, 0, granted, 64),			/* not in this way at all */
		from_page(0, 0, ours, 64),
		from_page(0, 0, granted - 32, 64),		/* its second half */
		from_page(0, 0, granted + PAGE_SIZE - 32, 64),	/* its first half */
	};
	int ret;

	check(mmap(granted, PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, r.fd, r.offset) == granted, "%s", strerror(errno));
	ret = try_copy(r.fd, s, ARRAY_SIZE(s));
	if (ret == -EFAULT && strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	expect(ret, 0);
	check(s[0].status < 0 && !s[1].status, "premise: %d %d", s[0].status, s[1].status);
	check_same(ours, theirs, 64);
	check(s[2].status < 0 && s[3].status < 0, "%d %d", s[2].status, s[3].status);
}

static void refused_by_xen(void)
{
	uint32_t ro = suite.nr_rw;
	char *want = pattern(ro, 1, 37), *ours = memory(2);
	segment s[] = {
		to_page(ro, 0, ours, 64),	 /* read-only */
		from_page(ro, 0, ours + 64, 64), /* can be read */
		from_page(0, 0, ours + 128, 64), /* of a domain that is not there */
		from_page(1, 0, ours + 192, 64), /* far beyond the table */
		to_page(ro, 4000, ours + PAGE_SIZE - 8, 16), /* both of its parts fail */
	};

	s[2].source.foreign.domid = 0x7000;
	s[3].source.foreign.ref = 0xfffffff0;
	expect(try_copy(open_node(), s, ARRAY_SIZE(s)), 0);
	check(s[0].status < 0 && s[2].status < 0 && s[3].status < 0 && s[4].status < 0, "%d %d %d %d", s[0].status,
	      s[2].status, s[3].status, s[4].status);
	check(s[1].status == GNTST_okay, "%d", s[1].status);
	check_same(ours + 64, want, 64);
	check((uint8_t)ours[128] == 0xaa && (uint8_t)ours[192] == 0xaa, "written to");
	check_granter(ro, 1, want);
}

static void invalid(void)
{
	int fd = open_node();
	char *ours = memory(2);
	segment s[3], many[MANY], good = from_page(0, 0, ours, 8);
	struct ioctl_gntdev_grant_copy op = { .count = 1 }, op_many = { .count = MANY, .segments = many };

	for (int bad = 0; bad < 3; bad++) {
		for (int kind = 0; kind < 3; kind++) {
			s[0] = s[1] = s[2] = good;
			if (kind == 0)
				s[bad].flags = 0;
			else if (kind == 1)
				s[bad].source.foreign.offset = PAGE_SIZE - 7;
			else
				s[bad] = to_page(0, 1, ours, PAGE_SIZE);
			expect(try_copy(fd, s, 3), -EINVAL);
			/* Whatever was not reached does not say that it was done. */
			for (int i = bad; i < 3; i++)
				check(s[i].status != GNTST_okay, "segment %d", i);
		}
	}
	/* Nor if it said so before. */
	for (unsigned int i = 0; i < MANY; i++)
		many[i] = good;
	many[40].flags = 0;
	expect(ioctl(fd, IOCTL_GNTDEV_GRANT_COPY, &op_many) ? -errno : 0, -EINVAL);
	check_ok(many, 32);
	for (unsigned int i = 32; i < MANY; i++)
		check(many[i].status != GNTST_okay, "segment %u of %u", i, MANY);
	s[0] = good;
	expect(try_copy(fd, s, 0), 0);
	check(s[0].status == UNTOUCHED || s[0].status == 0, "%d", s[0].status);
	expect(ioctl(fd, IOCTL_GNTDEV_GRANT_COPY, 8ul) ? -errno : 0, -EFAULT);
	expect(ioctl(fd, IOCTL_GNTDEV_GRANT_COPY, &op) ? -errno : 0, -EFAULT);
}

/* A memfd's pages can be sealed against writing once nobody but its mappings has them. */
static int try_seal(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) ? -errno : 0;
}

static void nothing_stays_pinned(void)
{
	int fd = open_node(), memfd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING), pipe_fds[2];
	struct iovec iov = { .iov_len = PAGE_SIZE };
	segment s[40];
	char *ours;

	check(memfd >= 0 && !ftruncate(memfd, 41 * PAGE_SIZE), "%s", strerror(errno));
	ours = mmap(NULL, 41 * PAGE_SIZE, RW, MAP_SHARED, memfd, 0);
	check(ours != MAP_FAILED, "%s", strerror(errno));
	memset(ours, 1, 41 * PAGE_SIZE);

	/* Done; refused by Xen; stopped by a bad address, or by a bad segment, after some were pinned. */
	for (int kind = 0; kind < 4; kind++) {
		for (unsigned int i = 0; i < 40; i++)
			s[i] = i % 2 ? from_page(0, 0, ours + i * PAGE_SIZE + 100, PAGE_SIZE) :
				       to_page(1, 0, ours + i * PAGE_SIZE + 100, PAGE_SIZE);
		if (kind == 1)
			s[13].source.foreign.ref = 0xfffffff0;
		if (kind == 2)
			s[29].dest.virt = NULL;
		if (kind == 3)
			s[39].flags = 0;
		expect(try_copy(fd, s, 40), kind == 2 ? -EFAULT : kind == 3 ? -EINVAL : 0);
	}

	/* Premise: a page that is held is seen. */
	iov.iov_base = ours;
	check(!pipe2(pipe_fds, O_CLOEXEC) && vmsplice(pipe_fds[1], &iov, 1, 0) == (ssize_t)PAGE_SIZE, "%s",
	      strerror(errno));
	expect(try_munmap(ours, 41 * PAGE_SIZE), 0);
	expect(try_seal(memfd), -EBUSY);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	expect(try_seal(memfd), 0);
}

/* The kernel looks at our pages, wants a copy of the huge page for us alone, and has no other one. */
static void copy_of_a_shared_huge_page(void *memory)
{
	segment s[3];

	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++)
		s[i] = to_page(i, 0, (char *)memory + i * PAGE_SIZE, PAGE_SIZE);
	expect(try_copy(open_node(), s, ARRAY_SIZE(s)), -EFAULT);
}

/* pin_user_pages_fast() leaves them in its array even so. */
static void pages_that_were_refused(void)
{
	char *huge;

	huge_page_reserve();
	huge = mmap(NULL, HUGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	check(huge != MAP_FAILED, "%s", strerror(errno));
	memset(huge, 0x5a, HUGE_SIZE);
	check(!huge_pages_free(), "premise: there is another huge page");
	expect(run_child(copy_of_a_shared_huge_page, huge, true), 0);
	check(!huge_pages_free(), "the huge page is free although it is mapped");
	for (size_t i = 0; i < HUGE_SIZE; i += PAGE_SIZE)
		check(huge[i] == 0x5a, "byte %zu has changed", i);
	/* To whom it belongs alone, it is memory as any other. */
	copy_back_and_forth(huge);
	expect(try_munmap(huge, HUGE_SIZE), 0);
	check(huge_pages_free() == 1, "%u huge pages are free", huge_pages_free());
}

static void bad_memory(void)
{
	int fd = open_node();
	char *ours = memory(3), *want = pattern(0, 1, 38);
	segment s;

	expect(try_mprotect(ours + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	expect(try_munmap(ours + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	s = from_page(0, 0, ours + PAGE_SIZE, 64);
	expect(try_copy(fd, &s, 1), -EFAULT);
	s = from_page(0, 0, ours + PAGE_SIZE - 8, 64);
	expect(try_copy(fd, &s, 1), -EFAULT);
	s = from_page(0, 0, ours + 2 * PAGE_SIZE, 64);
	expect(try_copy(fd, &s, 1), -EFAULT);
	s = to_page(0, 0, ours + 2 * PAGE_SIZE - 8, 64);
	expect(try_copy(fd, &s, 1), -EFAULT);
	s = to_page(0, 0, (void *)0xffff888000000000ul, 64);
	expect(try_copy(fd, &s, 1), -EFAULT);
	check_granter(0, 1, want);
	check((uint8_t)ours[PAGE_SIZE - 8] == 0xaa, "half of it was done");
	/* Memory that may only be read can be a source. */
	s = to_page(0, 0, ours + PAGE_SIZE, 64);
	memset(want, 0xaa, 64);
	expect(try_copy(fd, &s, 1), 0);
	check_ok(&s, 1);
	check_granter(0, 1, want);
}

/* Of a page of this process: is it dirty, as the kernel's own flags say? */
static bool is_dirty(const void *addr)
{
	uint64_t entry, flags;
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && pread(fd, &entry, 8, (uintptr_t)addr / PAGE_SIZE * 8) == 8, "%s", strerror(errno));
	close(fd);
	check(entry >> 63, "the page is not present");
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && pread(fd, &flags, 8, (entry & ((1ull << 55) - 1)) * 8) == 8, "%s", strerror(errno));
	close(fd);
	return flags & 1 << 4;
}

static void only_what_was_written_is_dirty(void)
{
	char *ours, *written, *read_only;
	segment s[3];
	/* A disk's pages can be clean. */
	const char *why, *node = block_node(BLOCK_BRD, &why);
	int disk, fd = open_node();

	if (!node)
		case_skip("%s", why);
	disk = open(node, O_RDWR | O_CLOEXEC);
	check(disk >= 0, "%s", strerror(errno));
	ours = mmap(NULL, 3 * PAGE_SIZE, RW, MAP_SHARED, disk, 0);
	check(ours != MAP_FAILED, "%s", strerror(errno));
	for (int i = 0; i < 3; i++)
		*(volatile char *)(ours + i * PAGE_SIZE);
	fsync(disk);
	read_only = ours;
	written = ours + PAGE_SIZE;
	check(!is_dirty(read_only) && !is_dirty(written), "premise: the pages are clean");

	s[0] = to_page(0, 0, read_only, 64);
	s[1] = to_page(2, 0, read_only, 64);
	s[2] = from_page(1, 0, written, 64);
	expect(try_copy(fd, s, 3), 0);
	check_ok(s, 3);
	check(is_dirty(written), "what was written is not dirty");
	check(!is_dirty(read_only), "what was only read is dirty");
	munmap(ours, 3 * PAGE_SIZE);
	fsync(disk);
}

static void *copy_for_a_while(void *arg)
{
	uint32_t page = (uintptr_t)arg & 0xff;
	int fd = (uintptr_t)arg >> 8;
	char *ours = memory(2), *back = memory(2);

	for (int round = 0; round < 50; round++) {
		segment s[2] = { to_page(page, 0, ours + 8, PAGE_SIZE), from_page(page, 0, back + 64, PAGE_SIZE) };

		memset(ours, round + page, 2 * PAGE_SIZE);
		if (try_copy(fd, &s[0], 1) || try_copy(fd, &s[1], 1) || s[0].status || s[1].status)
			return "failed";
		if (memcmp(back + 64, ours + 8, PAGE_SIZE))
			return "copied something else";
	}
	return NULL;
}

static void threads_on_one_descriptor(void)
{
	uintptr_t fd = open_node();
	pthread_t threads[4];
	void *ret;

	for (uintptr_t i = 0; i < 4; i++)
		check(!pthread_create(&threads[i], NULL, copy_for_a_while, (void *)(fd << 8 | i)), "no thread");
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &ret);
		check(!ret, "thread %d %s", i, (char *)ret);
	}
}

static void library(void)
{
	struct granter *g = suite.granter;
	char *want = pattern(0, 2, 39), *ours = memory(2);
	xengnttab_handle *h = open_library();
	xengnttab_grant_copy_segment_t s[2] = {
		{ .source.foreign = { ref_of(0), 16, g->domid }, .dest.virt = ours + 4000, .len = 1000,
		  .flags = GNTCOPY_source_gref },
		{ .source.virt = ours, .dest.foreign = { ref_of(1), 0, g->domid }, .len = 4000,
		  .flags = GNTCOPY_dest_gref },
	};

	check(!xengnttab_grant_copy(h, 2, s), "%s", strerror(errno));
	check(s[0].status == GNTST_okay && s[1].status == GNTST_okay, "%d %d", s[0].status, s[1].status);
	check_same(ours + 4000, want + 16, 1000);
	memset(want + PAGE_SIZE, 0xaa, 4000);
	check_granter(0, 2, want);
	xengnttab_close(h);
}

static const struct suite_case cases[] = {
	{ "grants are copied to memory", copy_from },
	{ "memory is copied to grants", copy_to },
	{ "grants are copied to grants", copy_between },
	{ "odd pieces are copied right, over page boundaries and of no bytes too", odd_pieces },
	{ "many segments of all directions are copied by one call", many_segments },
	{ "a segment that fails says so, and its neighbours are copied", mixed_statuses, .revokes = true },
	{ "a segment that fails by half fails", one_part_fails },
	{ "what Xen refuses is a status and changes nothing", refused_by_xen },
	{ "segments that nobody can copy are refused, and no status claims success", invalid },
	{ "memory that cannot be accessed so is EFAULT", bad_memory },
	{ "no page stays pinned, whatever goes wrong", nothing_stays_pinned },
	{ "pages that could not be pinned after all are not given back", pages_that_were_refused, MODE_XLATE },
	{ "a page that was only read does not become dirty", only_what_was_written_is_dirty },
	{ "threads copy through one descriptor at once", threads_on_one_descriptor },
	{ "libxengnttab's grant copy works", library },
};

int main(int argc, char **argv)
{
	int ret;

	blocks_create(1);
	ret = suite_main(cases, ARRAY_SIZE(cases), argc, argv);
	blocks_remove();
	return ret;
}
