// SPDX-License-Identifier: GPL-2.0
/* The pattern and the sum that the granter and the programs in dom0 must agree on. TAP. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../guest/granter.h"

/* Worked out apart from the code below. */
#define WORD_1_0_0 0x910a2dec89025cc1ull
#define WORD_815_2047_511 0x651fcefd8e207eb3ull
#define SUM_1_0 0x556e5efd47e5e35eull

#define WORDS (GRANTER_PAGE_SIZE / 8)

static unsigned int nr, nr_failed;

static void ok(bool good, const char *claim)
{
	nr++;
	nr_failed += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", nr, claim);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* No word of these pages, under these seeds, is there twice: a page shown in the wrong place is seen. */
static bool all_differ(unsigned int nr_seeds, unsigned int nr_pages)
{
	size_t nr_words = (size_t)nr_seeds * nr_pages * WORDS;
	uint64_t *words = malloc(nr_words * sizeof(*words)), *next = words;
	bool differ = words;

	if (!words)
		return false;
	for (unsigned int seed = 1; seed <= nr_seeds; seed++)
		for (unsigned int page = 0; page < nr_pages; page++)
			for (unsigned int word = 0; word < WORDS; word++)
				*next++ = granter_word(seed, page, word);
	qsort(words, nr_words, sizeof(*words), compare);
	for (size_t i = 1; i < nr_words; i++)
		differ &= words[i] != words[i - 1];
	free(words);
	return differ;
}

int main(void)
{
	uint64_t page[WORDS], sum, other;

	ok(granter_word(1, 0, 0) == WORD_1_0_0 && granter_word(815, 2047, 511) == WORD_815_2047_511,
	   "the pattern is what it was");
	ok(all_differ(3, 256), "no two words of the pattern are the same");

	for (unsigned int i = 0; i < WORDS; i++)
		page[i] = granter_word(1, 0, i);
	sum = granter_sum(GRANTER_SUM_INIT, page, WORDS);
	ok(sum == SUM_1_0, "the sum is what it was");
	other = granter_sum(granter_sum(GRANTER_SUM_INIT, page, 100), page + 100, WORDS - 100);
	ok(other == sum, "a sum can be made in parts");
	ok(granter_sum(GRANTER_SUM_INIT, page, 0) == GRANTER_SUM_INIT, "the sum of nothing is its start");
	page[WORDS - 1] ^= 1ull << 63;
	ok(granter_sum(GRANTER_SUM_INIT, page, WORDS) != sum, "one bit changes the sum");
	page[WORDS - 1] ^= 1ull << 63;
	page[0] = granter_word(1, 0, 1);
	page[1] = granter_word(1, 0, 0);
	ok(granter_sum(GRANTER_SUM_INIT, page, WORDS) != sum, "the order of words changes the sum");
	ok(sizeof(struct granter_mailbox) <= GRANTER_PAGE_SIZE, "a mailbox fits into its page");

	printf("1..%u\n", nr);
	return nr_failed > 0;
}
