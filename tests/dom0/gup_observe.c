// SPDX-License-Identifier: GPL-2.0
/* One call, in a few words. */
#include <stdio.h>
#include <string.h>

#include "gup_rows.h"

static bool is_pin(unsigned int function)
{
	return function >= GUP_PIN;
}

/* Whether it is the page that the PTE led to, with the memory's content. A fault may move anonymous memory. */
static bool right_page(const struct gup_page *page, bool faulted, uint64_t word, char *text)
{
	bool moved = page->pfn_before != GUP_NO_PFN && page->pfn != page->pfn_before;

	if (moved && !(faulted && (page->page & GUP_PAGE_ANON)))
		snprintf(text, GUP_TEXT_SIZE, "another page than that of the PTE");
	else if (!(page->page & GUP_PAGE_CONTENT))
		snprintf(text, GUP_TEXT_SIZE, "a page that the kernel cannot read");
	else if (page->word != word)
		snprintf(text, GUP_TEXT_SIZE, "wrong content");
	else
		return true;
	return false;
}

/*
 * A page gains one reference or one pin, and loses it when it is let go. Others may come and go with references of a page
 * that is on the LRU lists, and batches of pages on the way there; pins are ours alone.
 */
static bool right_counts(const struct gup_page *page, unsigned int function, char *text)
{
	int refs = !is_pin(function), pins = is_pin(function);
	bool known = page->pfn == page->pfn_before;
	bool alone = !(page->page & (GUP_PAGE_LRU | GUP_PAGE_ANON));

	if (page->after.pins != page->during.pins - pins || (known && page->after.pins != page->before.pins))
		snprintf(text, GUP_TEXT_SIZE, "pins: %d before, %d during, %d after", page->before.pins,
			 page->during.pins, page->after.pins);
	else if (alone && (page->after.refs != page->during.refs - refs ||
			   (known && page->after.refs != page->before.refs)))
		snprintf(text, GUP_TEXT_SIZE, "references: %d before, %d during, %d after", page->before.refs,
			 page->during.refs, page->after.refs);
	else
		return true;
	return false;
}

static void describe(const struct gup_step *step, const struct gup_target *target, const struct gup_call *call,
		     const struct gup_page *pages, char *text)
{
	if (call->ret < 0) {
		snprintf(text, GUP_TEXT_SIZE, "%s", strerrorname_np(-call->ret));
		return;
	}
	if (!call->ret) {
		snprintf(text, GUP_TEXT_SIZE, "no page");
		return;
	}
	for (long i = 0; i < call->ret; i++) {
		bool zero = target->zero_pages && !(pages[i].page & GUP_PAGE_ANON);

		if (!right_page(&pages[i], call->nr_faults, target->words[i], text) ||
		    (!zero && !right_counts(&pages[i], step->function, text)))
			return;
	}
	if (call->ret == target->nr_pages)
		snprintf(text, GUP_TEXT_SIZE, "ok%s", call->nr_faults ? ", faulted" : "");
	else
		snprintf(text, GUP_TEXT_SIZE, "%ld of %u%s", (long)call->ret, target->nr_pages,
			 call->nr_faults ? ", faulted" : "");
}

bool gup_observe(int probe_fd, const struct gup_step *step, const struct gup_target *target, char *text, uint32_t *pte)
{
	static struct gup_page pages[GUP_MAX_PAGES];
	struct gup_call call;
	int ret = gup_call_pid(probe_fd, target->pid, step->function, step->flags, target->addr, target->nr_pages, false,
			       &call, pages);

	if (ret) {
		snprintf(text, GUP_TEXT_SIZE, "the probe: %s", strerrorname_np(-ret));
		return true;
	}
	if (pte)
		*pte = pages[0].pte_after;
	switch (call.status) {
	case GUP_NO_FUNCTION:
		snprintf(text, GUP_TEXT_SIZE, "no such function");
		return false;
	case GUP_NO_FLAG:
		snprintf(text, GUP_TEXT_SIZE, "no such flag");
		return false;
	case GUP_WOULD_WARN:
		snprintf(text, GUP_TEXT_SIZE, "not called: it would warn");
		return true;
	}
	describe(step, target, &call, pages, text);
	return true;
}
