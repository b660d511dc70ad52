// SPDX-License-Identifier: GPL-2.0
/*
 * The data pages: the last nr_pages of memory. In front of them lie the lists of
 * their frames, and in front of those the directory of the lists.
 */
#include "guest.h"

#include "granter.h"

uint64_t nr_pages;
static uint64_t first_pfn, directory_pfn;
static uint64_t window[NR_WORDS] PAGE_ALIGNED;

static volatile uint64_t *show(uint64_t pfn)
{
	map_frame(window, pfn_to_mfn(pfn));
	return window;
}

static uint64_t lists_for(uint64_t nr)
{
	return (nr + GRANTER_FRAMES_PER_LIST - 1) / GRANTER_FRAMES_PER_LIST;
}

static void write_lists(void)
{
	uint64_t nr_lists = lists_for(nr_pages);
	volatile uint64_t *words;

	for (uint64_t list = 0; list < nr_lists; list++) {
		words = show(directory_pfn + 1 + list);
		for (uint64_t i = 0; i < NR_WORDS; i++) {
			uint64_t page = list * GRANTER_FRAMES_PER_LIST + i;

			words[i] = page < nr_pages ? page_mfn(page) : 0;
		}
	}
	words = show(directory_pfn);
	for (uint64_t list = 0; list < NR_WORDS; list++)
		words[list] = list < nr_lists ? pfn_to_mfn(directory_pfn + 1 + list) : 0;
}

void pages_init(uint64_t nr)
{
	uint64_t needed = nr + lists_for(nr) + 1, available = end_pfn - free_pfn;

	if (nr == 0 || lists_for(nr) > NR_WORDS)
		die("pages=", nr);
	if (needed > available) {
		console_print("granter: %lu pages need %lu, but only %lu are free\n", nr, needed, available);
		die("pages=", nr);
	}
	nr_pages = nr;
	first_pfn = end_pfn - nr;
	directory_pfn = end_pfn - needed;
	write_lists();
	for (uint64_t page = 0; page < nr; page++)
		page_fill(page, 1);
}

uint64_t page_mfn(uint64_t page)
{
	return pfn_to_mfn(first_pfn + page);
}

uint64_t pages_directory_mfn(void)
{
	return pfn_to_mfn(directory_pfn);
}

volatile uint64_t *page_words(uint64_t page)
{
	return show(first_pfn + page);
}

void page_fill(uint64_t page, uint64_t seed)
{
	volatile uint64_t *words = page_words(page);

	for (uint64_t i = 0; i < NR_WORDS; i++)
		words[i] = granter_word(seed, page, i);
}
