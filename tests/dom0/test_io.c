// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes that go between a granter's pages and files: direct IO in every way, pipes. What GUP gives out must be the granter's own
 * page, and what it refuses must be refused whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "blocks.h"
#include "flight.h"
#include "gup_rules.h"
#include "range.h"
#include "suite.h"
#include "transfer.h"
#include "unpopulated.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 20u	  /* pages: more than a bio holds inline */
#define FIRST 5u  /* the granter's page that is our page 0 */
#define SIZE (NR * PAGE_SIZE)
#define WORDS (SIZE / sizeof(uint64_t))
#define DEVICE_MIB 4

static uint64_t seed;

static uint64_t *plain_buffer(void)
{
	void *buffer = mmap(NULL, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	check(buffer != MAP_FAILED, "%s", strerror(errno));
	return buffer;
}

/* A pattern that no buffer or device has yet, as words of the granter's pages. */
static void fill_plain(uint64_t *plain)
{
	seed = now_us() << 1 | 1;
	for (uint64_t i = 0; i < WORDS; i++)
		plain[i] = granter_word(seed, FIRST + i / 512, i % 512);
}

static void check_granter_has(const uint64_t *plain, uint32_t nr)
{
	uint64_t sum;

	check(!granter_sum_pages(suite.granter, FIRST, nr, &sum), "%s", strerror(errno));
	check(granter_sum(GRANTER_SUM_INIT, plain, nr * 512ul) == sum, "the granter's pages are not what went in");
}

static int open_block(enum block_kind kind)
{
	const char *why, *node = block_node(kind, &why);
	int fd;

	if (!node)
		case_skip("%s (%s)", block_name(kind), why);
	fd = open(node, O_RDWR | O_DIRECT | O_CLOEXEC);
	check(fd >= 0, "%s: %s", node, strerror(errno));
	return fd;
}

static ssize_t move_plain(int fd, bool out, void *plain)
{
	ssize_t ret = out ? pwrite(fd, plain, SIZE, 0) : pread(fd, plain, SIZE, 0);

	return ret < 0 ? -errno : ret;
}

/* ---- direct IO ---- */

/* One way of moving the whole mapping; NR_TRANSFER_KINDS stands for registered buffers. */
static ssize_t move(unsigned int way, int fd, bool out, const struct range *r)
{
	if (way == NR_TRANSFER_KINDS)
		return transfer_fixed(fd, out, r->addr, range_length(r));
	return transfer(way, fd, out, r->addr, range_length(r));
}

static const char *way_name(unsigned int way)
{
	return way == NR_TRANSFER_KINDS ? "liburing, registered" : transfer_name(way);
}

static void try_out(unsigned int way, int fd, const struct range *r, uint64_t *plain, int rule)
{
	ssize_t ret;

	seed = now_us() << 1;
	check(!granter_fill(suite.granter, FIRST, NR, seed), "%s", strerror(errno));
	ret = move(way, fd, true, r);
	check(ret == (rule ? rule : (ssize_t)SIZE), "%s, out: %s (%zd), not %s", way_name(way),
	      errno_name(ret < 0 ? ret : 0), ret, errno_name(rule));
	if (rule)
		return;
	check(move_plain(fd, false, plain) == SIZE, "%s", strerror(errno));
	check_pattern((char *)plain, FIRST, NR, seed);
}

static void try_in(unsigned int way, int fd, const struct range *r, uint64_t *plain, int rule)
{
	ssize_t ret;

	fill_plain(plain);
	check(move_plain(fd, true, plain) == SIZE, "%s", strerror(errno));
	ret = move(way, fd, false, r);
	check(ret == (rule ? rule : (ssize_t)SIZE), "%s, in: %s (%zd), not %s", way_name(way),
	      errno_name(ret < 0 ? ret : 0), ret, errno_name(rule));
	if (!rule)
		check_granter_has(plain, NR);
}

static void direct_io(enum block_kind kind)
{
	int fd = open_block(kind), node = open_node();
	uint64_t *plain = plain_buffer();
	struct range r;

	/* The premise: ordinary memory goes both ways. */
	fill_plain(plain);
	check(move_plain(fd, true, plain) == SIZE && move_plain(fd, false, plain) == SIZE, "%s", strerror(errno));

	r = range_map(node, FIRST, NR, RW);
	for (unsigned int way = 0; way <= NR_TRANSFER_KINDS; way++) {
		int rule = way == NR_TRANSFER_KINDS ? gup_longterm_rule() : gup_fast_rule();

		try_out(way, fd, &r, plain, rule);
		try_in(way, fd, &r, plain, rule);
	}
	range_check_pages(&r, 0, 2);
	range_unmap(&r);
	wait_busy(FIRST, NR, 0);
}

/*
 * A client may take a short count for the end of the disk. With pages of two devices an asynchronous request is short on 7.2
 * (iov_iter_extract_bvecs(), lib/iov_iter.c); before, a bio took any pages.
 */
static void in_one_go(void)
{
	const char *why, *node = block_node(BLOCK_NULL, &why);
	struct range r[3];
	int fd = open_node();

	if (!node)
		case_skip("null_blk (%s)", why);
	unpopulated_mix();
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		r[i] = range_map(fd, FIRST + i * NR, NR, RW);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		for (unsigned int nr = 0; nr < 2 * NR_TRANSFER_KINDS; nr++) {
			enum transfer_kind kind = nr / 2;
			bool out = nr % 2;
			struct flight f;
			ssize_t moved;

			expect(flight_start(&f, kind, node, out, r[i].addr, SIZE), 0);
			moved = flight_land(&f);
			check(moved == SIZE, "%s, %s: %zd bytes of range %zu", transfer_name(kind), out ? "out" : "in", moved, i);
		}
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		range_unmap(&r[i]);
	/* Whoever comes next. */
	unpopulated_sort();
}

static bool goes(void)
{
	return !gup_fast_rule();
}

static void null_blk(void)
{
	direct_io(BLOCK_NULL);
}

static void brd(void)
{
	direct_io(BLOCK_BRD);
}

static void loop(void)
{
	direct_io(BLOCK_LOOP);
}

/* Out of it as from any mapping, but nothing gets into it: FOLL_WRITE and no VM_WRITE. */
static void read_only(void)
{
	int fd = open_block(BLOCK_NULL);
	struct range r = range_map(open_node(), FIRST, NR, PROT_READ);
	uint64_t *plain = plain_buffer();

	for (unsigned int way = 0; way < NR_TRANSFER_KINDS; way++) {
		try_out(way, fd, &r, plain, gup_fast_rule());
		try_in(way, fd, &r, plain, -EFAULT);
	}
	/* A buffer is registered for both ways. */
	try_out(NR_TRANSFER_KINDS, fd, &r, plain, -EFAULT);
	range_check_pages(&r, 0, 2);
}

/*
 * A vector whose pieces are ordinary memory and grants by turns, each smaller than a page. It gets through even where GUP refuses
 * the grants: the block layer writes the piece before them, and blkdev_write_iter() takes a short direct write for a reason to
 * write the rest through the page cache, by copying (6.1: __generic_file_write_iter()).
 */
static void small_pieces(void)
{
	int fd = open_block(BLOCK_NULL);
	struct range r = range_map(open_node(), FIRST, 2, RW);
	char *plain = (char *)plain_buffer();
	const struct iovec iov[] = {
		{ plain + 512, 512 }, { r.addr + 1024, 1024 }, { plain + 2048, 2048 }, { r.addr + 3584, 1024 },
	};
	uint64_t *expected = plain_buffer();
	ssize_t ret;

	check(!granter_fill(suite.granter, FIRST, 2, 4711), "%s", strerror(errno));
	memset(plain, 0x3c, SIZE);
	ret = pwritev(fd, iov, 4, 0);
	check(ret == 4608, "%zd, %s", ret, strerror(errno));
	check(pread(fd, plain, 2 * PAGE_SIZE, 0) == 2 * PAGE_SIZE, "%s", strerror(errno));
	memset(expected, 0x3c, SIZE);
	for (unsigned int i = 0; i < 128; i++) {
		uint64_t at = 128 + i;

		expected[64 + i] = granter_word(4711, FIRST, at);
		at = 448 + i;
		expected[448 + i] = granter_word(4711, FIRST + at / 512, at % 512);
	}
	check(!memcmp(plain, expected, 4608), "the pieces are not what was written");
}

/* A buffer that begins in the grants and ends in another VMA. */
static void into_neighbour(void)
{
	int fd = open_block(BLOCK_NULL), rule = gup_fast_rule();
	struct range r = range_add(open_node(), FIRST, NR / 2);
	uint64_t *plain = plain_buffer();
	char *room = mmap(NULL, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ssize_t ret;

	check(room != MAP_FAILED, "%s", strerror(errno));
	r.addr = mmap(room, range_length(&r), RW, MAP_SHARED | MAP_FIXED, r.fd, r.offset);
	check(r.addr == room, "%s", strerror(errno));
	fill_plain(plain);
	check(move_plain(fd, true, plain) == SIZE, "%s", strerror(errno));
	ret = pread(fd, room, SIZE, 0);
	check(rule ? ret < 0 && errno == EFAULT : ret == SIZE, "%zd, %s", ret, strerror(errno));
	if (rule)
		return;
	check(!memcmp(room, plain, SIZE), "something else came in");
	check_granter_has(plain, NR / 2);
}

/* ---- pipes ---- */

static void vmsplice_out(void)
{
	struct range r = range_map(open_node(), FIRST, 4, RW);
	struct iovec iov = { r.addr, 4 * PAGE_SIZE };
	char *plain = (char *)plain_buffer();
	int pipes[2], rule = gup_fast_rule();
	ssize_t ret;

	check(!pipe(pipes), "%s", strerror(errno));
	check(!granter_fill(suite.granter, FIRST, 4, 99), "%s", strerror(errno));
	ret = vmsplice(pipes[1], &iov, 1, 0);
	check(rule ? ret < 0 && errno == EFAULT : ret == (ssize_t)iov.iov_len, "%zd, %s", ret, strerror(errno));
	if (rule)
		return;
	/* It is the page that lies in the pipe: what the granter does to it now is read later. */
	check(!granter_fill(suite.granter, FIRST, 4, 100), "%s", strerror(errno));
	check(read(pipes[0], plain, iov.iov_len) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check_pattern(plain, FIRST, 4, 100);
}

/* On into a file, by page reference all the way. */
static void splice_on(void)
{
	int fd = open_block(BLOCK_NULL), pipes[2], more[2], rule = gup_fast_rule();
	struct range r = range_map(open_node(), FIRST, 4, RW);
	struct iovec iov = { r.addr, 4 * PAGE_SIZE };
	char *plain = (char *)plain_buffer();
	ssize_t ret;
	loff_t at = 0;

	check(!pipe(pipes) && !pipe(more), "%s", strerror(errno));
	check(!granter_fill(suite.granter, FIRST, 4, 77), "%s", strerror(errno));
	ret = vmsplice(pipes[1], &iov, 1, SPLICE_F_GIFT);
	check(rule ? ret < 0 && errno == EFAULT : ret == (ssize_t)iov.iov_len, "%zd, %s", ret, strerror(errno));
	if (rule)
		return;
	check(tee(pipes[0], more[1], iov.iov_len, 0) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	for (size_t done = 0; done < iov.iov_len; done += ret) {
		ret = splice(pipes[0], NULL, fd, &at, iov.iov_len - done, 0);
		check(ret > 0, "%s", strerror(errno));
	}
	check(pread(fd, plain, iov.iov_len, 0) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check_pattern(plain, FIRST, 4, 77);
	memset(plain, 0, iov.iov_len);
	check(read(more[0], plain, iov.iov_len) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check_pattern(plain, FIRST, 4, 77);
}

/* ---- no GUP: the user's own access, whatever the strategy ---- */

static void by_copying(void)
{
	struct range r = range_map(open_node(), FIRST, 4, RW);
	struct iovec iov = { r.addr, 4 * PAGE_SIZE };
	char *plain = (char *)plain_buffer();
	int pipes[2];

	check(!pipe(pipes), "%s", strerror(errno));
	check(!granter_fill(suite.granter, FIRST, 4, 55), "%s", strerror(errno));
	check(write(pipes[1], r.addr, iov.iov_len) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check(read(pipes[0], plain, iov.iov_len) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check_pattern(plain, FIRST, 4, 55);

	fill_plain((uint64_t *)plain);
	check(write(pipes[1], plain, iov.iov_len) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check(vmsplice(pipes[0], &iov, 1, 0) == (ssize_t)iov.iov_len, "%s", strerror(errno));
	check_granter_has((uint64_t *)plain, 4);
}

static const struct suite_case cases[] = {
	{ "direct IO on null_blk: all ways go where the strategy lets GUP go", null_blk },
	{ "direct IO on brd: all ways go where the strategy lets GUP go", brd },
	{ "direct IO on loop: all ways go where the strategy lets GUP go", loop },
	{ "direct IO of a whole range is one request, of whatever devices the kernel's unpopulated pages are", in_one_go,
	  .applies = goes },
	{ "direct IO out of a read-only mapping, and none into it", read_only },
	{ "direct IO with pieces of grants and ordinary memory by turns", small_pieces },
	{ "direct IO into a buffer that ends in another mapping", into_neighbour },
	{ "vmsplice puts the granter's pages into a pipe", vmsplice_out },
	{ "splice and tee pass the granter's pages on", splice_on },
	{ "read, write and vmsplice that copy need no GUP", by_copying },
};

int main(int argc, char **argv)
{
	int ret;

	blocks_create(DEVICE_MIB);
	ret = suite_main(cases, ARRAY_SIZE(cases), argc, argv);
	blocks_remove();
	return ret;
}
