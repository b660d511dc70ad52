// SPDX-License-Identifier: GPL-2.0
/*
 * Has the granter do block IO on the disk that a backend in this dom0 serves it, and compares what both ends see:
 *
 *	client-disk FILE ROUNDS [PAGES]
 *	client-disk close
 *
 * FILE is what the backend serves, at least 4 MiB. In each round the granter writes PAGES (64) pages and this program reads
 * them from FILE; then this program writes others and the granter reads them; then a part of every page, on both sides.
 * FILE is read and written with O_DIRECT, so that no page cache of ours stands between. The disk stays open until `close`.
 *
 * Prints one line: "requests N failed N status N written STATE read STATE", with STATE `same`, `different` or `error`. Exit code:
 * 0 when nothing failed and all was the same, 1 when not, 2 when nothing could be tried, which is said on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "granter_client.h"

#define PAGE 4096ul
#define WORDS (PAGE / 8)
#define SECTOR 512ul
/* xvda */
#define DEVICE 51712
/* What the guest waits for the backend, and more. */
#define TIMEOUT_MS 60000

static struct granter *granter;
static int file;
static uint64_t *buffer;
static uint64_t nr_pages = 64;

static struct {
	uint64_t requests, failed;
	int64_t status;
	bool write_error, read_error, write_differs, read_differs;
} seen;

static void give_up(const char *what)
{
	fprintf(stderr, "client-disk: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Returns false when a request failed, or when no answer came: then nothing more will. */
static bool disk_io(enum granter_disk_op op, uint64_t sector, uint64_t page, uint64_t nr, uint64_t first, uint64_t last)
{
	uint64_t arg[GRANTER_NR_ARGS] = { op, sector, page, nr, first, last }, reply[GRANTER_NR_ARGS];

	if (granter_call(granter, GRANTER_DISK_IO, arg, reply)) {
		fprintf(stderr, "client-disk: the granter's IO: %s\n", strerror(errno));
		seen.failed++;
		if (!seen.status)
			seen.status = -errno;
		return false;
	}
	seen.requests += reply[0];
	seen.failed += reply[1];
	if (reply[1] && !seen.status)
		seen.status = (int64_t)reply[2];
	return !reply[1];
}

static uint64_t sum_of_guest(uint64_t first, uint64_t nr)
{
	uint64_t sum;

	if (granter_sum_pages(granter, first, nr, &sum))
		give_up("the granter's sum");
	return sum;
}

static void file_read(uint64_t sector, size_t size)
{
	if (pread(file, buffer, size, sector * SECTOR) != (ssize_t)size)
		give_up("reading the backend's file");
}

static void file_write(uint64_t sector, size_t size)
{
	if (pwrite(file, buffer, size, sector * SECTOR) != (ssize_t)size || fsync(file))
		give_up("writing the backend's file");
}

/* Whole pages: the granter's pages 0 .. nr_pages - 1 are written, and read into those behind them. */
static void whole(uint64_t round)
{
	uint64_t sector = round % 4 * nr_pages * (PAGE / SECTOR);
	uint64_t sum = GRANTER_SUM_INIT;

	if (granter_fill(granter, 0, nr_pages, 2 * round + 10))
		give_up("filling the granter's pages");
	if (!disk_io(GRANTER_DISK_WRITE, sector, 0, nr_pages, 0, 7) || !disk_io(GRANTER_DISK_FLUSH, 0, 0, 0, 0, 0))
		seen.write_error = true;
	file_read(sector, nr_pages * PAGE);
	if (granter_sum(GRANTER_SUM_INIT, buffer, nr_pages * WORDS) != sum_of_guest(0, nr_pages))
		seen.write_differs = true;

	for (uint64_t i = 0; i < nr_pages * WORDS; i++)
		buffer[i] = granter_word(2 * round + 11, i / WORDS, i % WORDS);
	sum = granter_sum(sum, buffer, nr_pages * WORDS);
	file_write(sector, nr_pages * PAGE);
	if (!disk_io(GRANTER_DISK_READ, sector, nr_pages, nr_pages, 0, 7))
		seen.read_error = true;
	if (sum_of_guest(nr_pages, nr_pages) != sum)
		seen.read_differs = true;
}

/* Sectors 2 to 4 of eleven pages: what is read must land there and nowhere else. */
static void parts(uint64_t round)
{
	const uint64_t nr = 11, first = 2, last = 4, words = SECTOR / 8, nr_sectors = nr * (last - first + 1);
	uint64_t sum = GRANTER_SUM_INIT, word;
	static uint64_t page[WORDS];

	if (granter_fill(granter, 0, nr, 3 * round + 100))
		give_up("filling the granter's pages");
	for (uint64_t i = 0; i < nr_sectors * words; i++)
		buffer[i] = granter_word(round, 1000, i);
	file_write(8, nr_sectors * SECTOR);
	if (!disk_io(GRANTER_DISK_READ, 8, 0, nr, first, last))
		seen.read_error = true;
	for (uint64_t i = 0; i < nr; i++) {
		for (uint64_t w = 0; w < WORDS; w++)
			page[w] = granter_word(3 * round + 100, i, w);
		memcpy((char *)page + first * SECTOR, buffer + i * (last - first + 1) * words, (last - first + 1) * SECTOR);
		sum = granter_sum(sum, page, WORDS);
	}
	if (sum_of_guest(0, nr) != sum)
		seen.read_differs = true;

	if (granter_fill(granter, 0, nr, 3 * round + 101))
		give_up("filling the granter's pages");
	if (!disk_io(GRANTER_DISK_WRITE, 8, 0, nr, first, last))
		seen.write_error = true;
	file_read(8, nr_sectors * SECTOR);
	for (uint64_t i = 0; i < nr_sectors * words; i++) {
		uint64_t in_page = i % ((last - first + 1) * words) + first * words;

		word = granter_word(3 * round + 101, i / ((last - first + 1) * words), in_page);
		if (buffer[i] != word)
			seen.write_differs = true;
	}
}

static const char *state(bool error, bool differs)
{
	return error ? "error" : differs ? "different" : "same";
}

int main(int argc, char **argv)
{
	uint64_t arg[GRANTER_NR_ARGS] = { DEVICE }, reply[GRANTER_NR_ARGS];
	uint64_t rounds;

	if (argc < 2)
		return 2;
	granter = granter_open();
	if (!granter)
		give_up("the granter");
	granter->timeout_ms = TIMEOUT_MS;
	if (!strcmp(argv[1], "close")) {
		if (granter_call(granter, GRANTER_DISK_CLOSE, arg, reply))
			give_up("closing");
		return 0;
	}
	if (argc < 3)
		return 2;
	rounds = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		nr_pages = strtoul(argv[3], NULL, 0);
	file = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (file < 0)
		give_up(argv[1]);
	buffer = aligned_alloc(PAGE, nr_pages * PAGE);
	/* A backend takes its time to appear. */
	for (int tries = 0; granter_call(granter, GRANTER_DISK_OPEN, arg, reply); tries++) {
		if (errno == EBUSY)
			break; /* open since an earlier call of this program */
		if (errno != ENODEV || tries == TIMEOUT_MS / 100)
			give_up("connecting to the backend");
		usleep(100 * 1000);
	}
	for (uint64_t round = 0; round < rounds; round++) {
		whole(round);
		parts(round);
	}
	printf("requests %" PRIu64 " failed %" PRIu64 " status %" PRId64 " written %s read %s\n", seen.requests, seen.failed,
	       seen.status, state(seen.write_error, seen.write_differs), state(seen.read_error, seen.read_differs));
	granter_close(granter);
	return seen.failed || seen.write_differs || seen.read_differs;
}
