// SPDX-License-Identifier: GPL-2.0
/*
 * The granter keeps its word, as seen by in-tree gntdev and by foreign mappings: what the
 * other tests rely on. Leaves the pages as it found them: all granted, the pattern with
 * seed 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenforeignmemory.h>
#include <xengnttab.h>

#include "granter_client.h"

#define NR_WORDS (GRANTER_PAGE_SIZE / 8)
#define NR_AT_ONCE 16

static int nr_tests, nr_failed;
static struct granter *g;
static xengnttab_handle *gnt;

__attribute__((format(printf, 2, 3))) static bool claim(bool holds, const char *format, ...)
{
	int saved = errno;
	va_list args;

	printf("%sok %d - ", holds ? "" : "not ", ++nr_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!holds) {
		printf("# errno %d (%s)\n", saved, strerror(saved));
		nr_failed++;
	}
	fflush(stdout);
	return holds;
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static volatile uint64_t *map(uint64_t first, uint32_t nr, int prot)
{
	uint32_t *refs = calloc(nr, sizeof(*refs));
	void *at;
	int saved;

	for (uint32_t i = 0; i < nr; i++)
		refs[i] = g->first_ref + first + i;
	at = xengnttab_map_domain_grant_refs(gnt, nr, g->domid, refs, prot);
	saved = errno;
	free(refs);
	errno = saved;
	return at;
}

static int unmap(volatile uint64_t *at, uint32_t nr)
{
	return xengnttab_unmap(gnt, (void *)at, nr);
}

static uint64_t nr_wrong(const volatile uint64_t *words, uint64_t first, uint64_t nr, uint64_t seed)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < nr * NR_WORDS; i++)
		wrong += words[i] != granter_word(seed, first + i / NR_WORDS, i % NR_WORDS);
	return wrong;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The wall time of a call: the median, as an emulated clock now and then stands still. */
static double median_ping_us(struct granter *granter)
{
	double took[21];

	for (int i = 0; i < 21; i++) {
		double start = now_us();

		if (granter_ping(granter))
			return -1;
		took[i] = now_us() - start;
	}
	qsort(took, 21, sizeof(took[0]), compare_doubles);
	return took[10];
}

static void test_calls(void)
{
	uint64_t word, sum, expected = GRANTER_SUM_INIT, buf[NR_WORDS], arg[GRANTER_NR_ARGS] = { 0 };
	uint32_t nr = g->nr_refs < 8 ? g->nr_refs : 8;
	double start;

	claim(!granter_ping(g), "ping is answered");
	printf("# ping: %.0f us %s\n", median_ping_us(g), g->has_event ? "with events" : "without events");
	claim(!granter_peek(g, nr - 1, 8, &word) && word == granter_word(1, nr - 1, 1), "peek sees the pattern");
	claim(!granter_poke(g, 0, 4088, 42) && !granter_peek(g, 0, 4088, &word) && word == 42, "poke stores");
	claim(!granter_fill(g, 0, nr, 7), "fill");
	for (uint32_t page = 0; page < nr; page++) {
		for (int i = 0; i < NR_WORDS; i++)
			buf[i] = granter_word(7, page, i);
		expected = granter_sum(expected, buf, NR_WORDS);
	}
	claim(!granter_sum_pages(g, 0, nr, &sum) && sum == expected, "sum is what the pattern gives");
	claim(!granter_sum_pages(g, g->nr_refs, 0, &sum) && sum == GRANTER_SUM_INIT, "no pages are a range");
	start = now_us();
	claim(!granter_fill(g, 0, g->nr_refs, 1), "fill all");
	printf("# fill of %u pages: %.0f us\n", g->nr_refs, now_us() - start);
	start = now_us();
	claim(!granter_sum_pages(g, 0, g->nr_refs, &sum), "sum all");
	printf("# sum of %u pages: %.0f us\n", g->nr_refs, now_us() - start);

	claim(granter_peek(g, g->nr_refs, 0, &word) && errno == ERANGE, "a page too far is ERANGE");
	claim(granter_peek(g, 0, 4096, &word) && errno == ERANGE, "a byte too far is ERANGE");
	claim(granter_peek(g, 0, 4, &word) && errno == EINVAL, "half a word is EINVAL");
	claim(granter_fill(g, 1, g->nr_refs, 1) && errno == ERANGE, "a range too long is ERANGE");
	claim(granter_fill(g, 2, UINT64_MAX, 1) && errno == ERANGE, "a range that wraps is ERANGE");
	claim(granter_call(g, 0, arg, NULL) && errno == ENOSYS, "command 0 is ENOSYS");
	claim(granter_call(g, 1000, arg, NULL) && errno == ENOSYS, "command 1000 is ENOSYS");
	claim(granter_grant(g, 0, 1, 0, false) && errno == EBUSY, "granting what is granted is EBUSY");
	claim(granter_grant(g, 0, 1, 0x7ff0, false) && errno == EINVAL, "granting to a reserved domain is EINVAL");
}

static void test_handles(void)
{
	struct granter *second = granter_open();
	pid_t child;
	int status = -1;

	claim(second && !second->has_event && !granter_ping(second), "a second handle is answered, without events");
	if (second)
		printf("# ping: %.0f us without events\n", median_ping_us(second));
	granter_close(second);
	child = fork();
	if (!child) {
		struct granter *mine = granter_open();

		for (int i = 0; i < 20; i++)
			if (!mine || granter_ping(mine))
				_exit(1);
		_exit(0);
	}
	status = 0;
	for (int i = 0; i < 50; i++)
		status |= granter_ping(g);
	claim(!status, "calls take turns with a child's");
	claim(waitpid(child, &status, 0) == child && !status, "and the child's are answered");
}

static void test_mapping(uint32_t nr)
{
	uint64_t word, first_busy, sum;
	double start = now_us();
	volatile uint64_t *at = map(0, nr, PROT_READ | PROT_WRITE);

	if (!claim(at != NULL, "%u pages are mapped", nr))
		return;
	printf("# map: %.0f us\n", now_us() - start);
	claim(!nr_wrong(at, 0, nr, 1), "they hold the pattern with seed 1");
	claim(granter_busy(g, 0, g->nr_refs, &first_busy) == nr && first_busy == 0, "%u are busy", nr);
	at[(uint64_t)(nr - 1) * NR_WORDS + 5] = 0xfeed;
	claim(!granter_peek(g, nr - 1, 40, &word) && word == 0xfeed, "peek sees what was written");
	claim(!granter_sum_pages(g, 0, nr, &sum) && sum == granter_sum(GRANTER_SUM_INIT, at, (uint64_t)nr * NR_WORDS),
	      "both sides get the same sum");
	claim(!granter_poke(g, nr / 2, 16, 0xbeef) && at[(uint64_t)(nr / 2) * NR_WORDS + 2] == 0xbeef,
	      "a poke is seen through the mapping");
	claim(granter_revoke(g, 0, nr, &first_busy) == 0 && first_busy == 0, "none can be revoked");
	claim(!nr_wrong(at, 0, 1, 1) || nr == 1, "and the mapping still works");
	start = now_us();
	claim(!unmap(at, nr), "unmap");
	printf("# unmap: %.0f us\n", now_us() - start);
	claim(granter_busy(g, 0, g->nr_refs, &first_busy) == 0 && first_busy == UINT64_MAX, "none is busy");
	claim(granter_revoke(g, 0, nr, &first_busy) == nr && first_busy == UINT64_MAX, "all can be revoked");
	claim(granter_revoke(g, 0, nr, NULL) == nr, "again");
	claim(!map(0, 1, PROT_READ), "a revoked page cannot be mapped");
	claim(!granter_grant(g, 0, nr, 0, false), "grant anew");
	at = map(nr - 1, 1, PROT_READ | PROT_WRITE);
	claim(at && !unmap(at, 1), "and map again");
	claim(!granter_fill(g, 0, nr, 1), "fill");
}

static void test_partly_busy(void)
{
	uint64_t first_busy;
	volatile uint64_t *at;

	if (g->nr_refs - g->nr_ro < 4) {
		printf("ok %d # SKIP fewer than four writable pages\n", ++nr_tests);
		return;
	}
	at = map(2, 1, PROT_READ);
	if (!claim(at != NULL, "page 2 is mapped for reading"))
		return;
	claim(granter_busy(g, 0, 4, &first_busy) == 1 && first_busy == 2, "one of four is busy");
	claim(granter_revoke(g, 0, 4, &first_busy) == 3 && first_busy == 2, "three of four can be revoked");
	claim(granter_grant(g, 0, 4, 0, false) && errno == EBUSY, "granting all four is EBUSY");
	claim(!map(0, 1, PROT_READ), "and grants none");
	unmap(at, 1);
	claim(granter_revoke(g, 2, 1, NULL) == 1, "the fourth is revoked");
	claim(!granter_grant(g, 0, 4, 0, true), "grant the four read-only");
	claim(!map(1, 1, PROT_READ | PROT_WRITE), "now page 1 cannot be mapped for writing");
	claim(granter_revoke(g, 0, 4, NULL) == 4 && !granter_grant(g, 0, 4, 0, false), "put things right");
}

static void test_readonly(void)
{
	volatile uint64_t *at;
	uint32_t first = g->nr_refs - g->nr_ro;

	if (!g->nr_ro || !first) {
		printf("ok %d # SKIP no read-only pages, or no others\n", ++nr_tests);
		return;
	}
	claim(!map(first, 1, PROT_READ | PROT_WRITE), "a read-only page cannot be mapped for writing");
	at = map(first, 1, PROT_READ);
	claim(at && !nr_wrong(at, first, 1, 1), "but for reading");
	if (at)
		unmap(at, 1);
	at = map(first - 1, 1, PROT_READ | PROT_WRITE);
	claim(at != NULL, "the page before can");
	if (at)
		unmap(at, 1);
	claim(!xengnttab_map_grant_ref(gnt, g->domid, g->first_ref + g->nr_refs, PROT_READ),
	      "behind the last page nothing is granted");
}

static void test_foreign(uint32_t nr)
{
	xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
	uint64_t *frames = calloc(nr, sizeof(*frames)), gaps = 0, wrong = 0, first = g->nr_refs - nr;
	xen_pfn_t *pfns = calloc(nr, sizeof(*pfns));
	volatile uint64_t *at;

	if (!claim(memory && !granter_frames(g, first, nr, frames), "the lists give %u frames", nr))
		return;
	for (uint32_t i = 0; i < nr; i++) {
		pfns[i] = frames[i];
		gaps += i && frames[i] != frames[i - 1] + 1;
	}
	printf("# %" PRIu64 " gaps between %u frames\n", gaps, nr);
	at = xenforeignmemory_map(memory, g->domid, PROT_READ, nr, pfns, NULL);
	if (claim(at != NULL, "they can be mapped")) {
		wrong = nr_wrong(at, first, nr, 1);
		claim(!wrong, "and hold the pattern");
		xenforeignmemory_unmap(memory, (void *)at, nr);
	}
	claim(!granter_frames(g, 0, 1, frames) && frames[0] == g->first_gfn, "first_gfn is the first");
	claim(granter_frames(g, g->nr_refs, 1, frames) && errno == ERANGE, "there is no frame behind the last");
	xenforeignmemory_close(memory);
	free(frames);
	free(pfns);
}

int main(void)
{
	uint32_t nr = NR_AT_ONCE;

	g = granter_open();
	gnt = xengnttab_open(NULL, 0);
	if (!g || !gnt) {
		printf("1..0 # SKIP %s: %s\n", g ? "gntdev" : "no granter", strerror(errno));
		return 0;
	}
	if (nr > g->nr_refs - g->nr_ro)
		nr = g->nr_refs - g->nr_ro;
	/* Another test may have been here. */
	claim(!granter_fill(g, 0, g->nr_refs, 1), "fill is answered");
	test_calls();
	test_handles();
	test_mapping(1);
	test_mapping(nr);
	test_partly_busy();
	test_readonly();
	test_foreign(nr);
	printf("1..%d\n", nr_tests);
	xengnttab_close(gnt);
	granter_close(g);
	return nr_failed ? 1 : 0;
}
