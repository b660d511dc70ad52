// SPDX-License-Identifier: GPL-2.0
#include "compare_buffer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define NR_WORDS (GRANTER_PAGE_SIZE / 8)

void buffer_map(struct probe *probe, struct buffer *buffer)
{
	buffer->seed = 21;
	if (granter_fill(probe->granter, 0, BUFFER_PAGES, buffer->seed))
		probe_die(probe, "the granter does not fill: %m");
	probe_map(probe, BUFFER_PAGES, &buffer->range);
	buffer->addr = buffer->range.addr;
	buffer->plain = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buffer->plain == MAP_FAILED)
		probe_die(probe, "mmap: %m");
}

void buffer_unmap(struct probe *probe, struct buffer *buffer)
{
	int ret = node_unmap(probe->fd, &buffer->range);

	if (ret)
		probe_die(probe, "unmap: %s", strerror(-ret));
	munmap(buffer->plain, BUFFER_SIZE);
}

void buffer_refill(struct buffer *buffer)
{
	uint64_t *words = (uint64_t *)buffer->plain;

	buffer->seed++;
	for (uint64_t i = 0; i < BUFFER_PAGES * NR_WORDS; i++)
		words[i] = granter_word(buffer->seed, i / NR_WORDS, i % NR_WORDS);
}

static bool plain_holds_pattern(const struct buffer *buffer)
{
	const uint64_t *words = (const uint64_t *)buffer->plain;

	for (uint64_t i = 0; i < BUFFER_PAGES * NR_WORDS; i++) {
		if (words[i] != granter_word(buffer->seed, i / NR_WORDS, i % NR_WORDS))
			return false;
	}
	return true;
}

static bool granter_holds_pattern(struct probe *probe, const struct buffer *buffer)
{
	uint64_t expected = GRANTER_SUM_INIT, seen;

	for (uint64_t i = 0; i < BUFFER_PAGES * NR_WORDS; i++) {
		uint64_t word = granter_word(buffer->seed, i / NR_WORDS, i % NR_WORDS);

		expected = granter_sum(expected, &word, 1);
	}
	if (granter_sum_pages(probe->granter, 0, BUFFER_PAGES, &seen))
		probe_die(probe, "the granter does not sum: %m");
	return seen == expected;
}

static void observe_transfer(struct probe *probe, const char *row, ssize_t moved, bool intact)
{
	if (moved != BUFFER_SIZE)
		observe(probe, row, "%zd of %zd bytes", moved, BUFFER_SIZE);
	else
		observe(probe, row, "%s", intact ? "ok" : "wrong data");
}

void observe_out(struct probe *probe, const char *row, struct buffer *buffer, ssize_t moved)
{
	if (moved < 0)
		observe_errno(probe, row, -errno);
	else
		observe_transfer(probe, row, moved, plain_holds_pattern(buffer));
}

void observe_in(struct probe *probe, const char *row, struct buffer *buffer, ssize_t moved)
{
	if (moved < 0)
		observe_errno(probe, row, -errno);
	else
		observe_transfer(probe, row, moved, granter_holds_pattern(probe, buffer));
}
