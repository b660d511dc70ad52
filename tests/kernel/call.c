// SPDX-License-Identifier: GPL-2.0
/*
 * Calls, and the pages that they gave.
 *
 * The kernel answers a caller's mistakes with WARN_ON_ONCE(), which is no result but a bug report;
 * such combinations are not tried but named GUP_WOULD_WARN.
 */
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "probe.h"

#define NR(function) BIT(GUP_##function)
#define PINNING (NR(PIN) | NR(PIN_UNLOCKED) | NR(PIN_REMOTE) | NR(PIN_FAST) | NR(PIN_FAST_ONLY))
#define REMOTE (NR(GET_REMOTE) | NR(PIN_REMOTE))
#define FAST (NR(GET_FAST) | NR(GET_FAST_ONLY) | NR(PIN_FAST) | NR(PIN_FAST_ONLY))

static const unsigned int kernel_flags[GUP_NR_FLAGS] = {
	FOLL_WRITE, FOLL_FORCE, FOLL_LONGTERM, FOLL_NOFAULT, FOLL_HWPOISON, PROBE_HONOR_NUMA_FAULT,
};

void probe_about(struct gup_about *about)
{
	unsigned int i;

	about->functions = BIT(GUP_NR_FUNCTIONS) - 1;
	if (!PROBE_PIN_FAST_ONLY)
		about->functions &= ~NR(PIN_FAST_ONLY);
	for (i = 0; i < GUP_NR_FLAGS; i++)
		about->flags |= kernel_flags[i] ? BIT(i) : 0;
}

static unsigned int foll_flags(unsigned int flags)
{
	unsigned int foll = 0, i;

	for (i = 0; i < GUP_NR_FLAGS; i++)
		foll |= flags & BIT(i) ? kernel_flags[i] : 0;
	return foll;
}

static enum gup_status judge(const struct gup_call *call)
{
	struct gup_about have = { 0 };
	unsigned int function = BIT(call->function);

	probe_about(&have);
	if (!(have.functions & function))
		return GUP_NO_FUNCTION;
	if (call->flags & ~have.flags)
		return GUP_NO_FLAG;
	/* is_valid_gup_args(), is_valid_gup_flags() */
	if ((call->flags & GUP_LONGTERM) && !(function & PINNING))
		return GUP_WOULD_WARN;
	if ((call->flags & GUP_LONGTERM) && call->function == GUP_PIN_UNLOCKED &&
	    !PROBE_UNLOCKED_LONGTERM)
		return GUP_WOULD_WARN;
	/* gup_fast_fallback(), internal_get_user_pages_fast() */
	if ((call->flags & GUP_HWPOISON) && (function & FAST))
		return GUP_WOULD_WARN;
	return GUP_CALLED;
}

/* FOLL_LONGTERM wants the lock kept, as vfio keeps it: before 6.2 the other way warns. */
static long call_locked(const struct gup_call *call, struct mm_struct *mm, struct page **pages)
{
	unsigned int flags = foll_flags(call->flags);
	long ret;

	mmap_read_lock(mm);
	switch (call->function) {
	case GUP_GET:
		ret = probe_get_user_pages(call->addr, call->nr_pages, flags, pages);
		break;
	case GUP_PIN:
		ret = probe_pin_user_pages(call->addr, call->nr_pages, flags, pages);
		break;
	case GUP_GET_REMOTE:
		ret = probe_get_user_pages_remote(mm, call->addr, call->nr_pages, flags, pages);
		break;
	default:
		ret = probe_pin_user_pages_remote(mm, call->addr, call->nr_pages, flags, pages);
	}
	mmap_read_unlock(mm);
	return ret;
}

static long call_function(const struct gup_call *call, struct mm_struct *mm, struct page **pages)
{
	unsigned int flags = foll_flags(call->flags);

	switch (call->function) {
	case GUP_GET_UNLOCKED:
		return get_user_pages_unlocked(call->addr, call->nr_pages, pages, flags);
	case GUP_PIN_UNLOCKED:
		return pin_user_pages_unlocked(call->addr, call->nr_pages, pages, flags);
	case GUP_GET_FAST:
		return get_user_pages_fast(call->addr, call->nr_pages, flags, pages);
	case GUP_PIN_FAST:
		return pin_user_pages_fast(call->addr, call->nr_pages, flags, pages);
	case GUP_GET_FAST_ONLY:
		return get_user_pages_fast_only(call->addr, call->nr_pages, flags, pages);
	case GUP_PIN_FAST_ONLY:
		return probe_pin_user_pages_fast_only(call->addr, call->nr_pages, flags, pages);
	default:
		return call_locked(call, mm, pages);
	}
}

static void describe(struct page *page, struct gup_page *info)
{
	struct folio *folio = page_folio(page);

	info->pfn = page_to_pfn(page);
	info->node = page_to_nid(page);
	probe_count(page, &info->during);

	info->page |= folio_test_private(folio) ? GUP_PAGE_PRIVATE : 0;
	info->page |= is_zone_device_page(page) ? GUP_PAGE_DEVICE : 0;
	info->page |= folio_test_reserved(folio) ? GUP_PAGE_RESERVED : 0;
	info->page |= folio_test_anon(folio) ? GUP_PAGE_ANON : 0;
	info->page |= folio->mapping ? GUP_PAGE_MAPPING : 0;
	info->page |= folio_test_lru(folio) ? GUP_PAGE_LRU : 0;
	info->page |= folio_test_dirty(folio) ? GUP_PAGE_DIRTY : 0;
	/* The bit has another meaning for pages of files and of the swap cache. */
	if (!folio->mapping && !folio_test_large(folio) && PageForeign(page))
		info->page |= GUP_PAGE_FOREIGN;
	/* The kernel may be unable to read it, as when a grant is gone. */
	if (!copy_from_kernel_nofault(&info->word, page_address(page), sizeof(info->word)))
		info->page |= GUP_PAGE_CONTENT;
}

static void let_go(struct probe *probe, bool dirty)
{
	unsigned int i;

	if (probe->pinned) {
		unpin_user_pages_dirty_lock(probe->pages, probe->nr_pages, dirty);
		return;
	}
	for (i = 0; i < probe->nr_pages; i++) {
		if (dirty)
			set_page_dirty_lock(probe->pages[i]);
		put_page(probe->pages[i]);
	}
}

static void forget(struct probe *probe)
{
	kvfree(probe->pages);
	probe->pages = NULL;
	probe->nr_pages = 0;
}

void probe_drop(struct probe *probe)
{
	if (probe->pages)
		let_go(probe, false);
	forget(probe);
}

static void let_go_and_count(struct probe *probe, struct gup_page *infos, bool dirty)
{
	unsigned int i;

	let_go(probe, dirty);
	/* Nothing keeps the pages any more, but there is a struct page to look at. */
	for (i = 0; i < probe->nr_pages; i++)
		probe_count(probe->pages[i], &infos[i].after);
	forget(probe);
}

static void call_and_look(struct probe *probe, struct gup_call *call, struct mm_struct *mm,
			  struct gup_page *infos)
{
	u64 nr_faults;
	cycles_t start;
	unsigned int i;

	probe_look_at(mm, call->addr, call->nr_pages, infos, true);
	nr_faults = current->min_flt + current->maj_flt;
	start = get_cycles();
	call->ret = call_function(call, mm, probe->pages);
	call->ticks = get_cycles() - start;
	call->nr_faults = current->min_flt + current->maj_flt - nr_faults;

	probe->nr_pages = max(call->ret, 0LL);
	probe->pinned = BIT(call->function) & PINNING;
	probe->writable = call->flags & GUP_WRITE;
	for (i = 0; i < probe->nr_pages; i++)
		describe(probe->pages[i], &infos[i]);
	probe_look_at(mm, call->addr, call->nr_pages, infos, false);
}

int probe_call(struct probe *probe, struct gup_call __user *arg)
{
	struct gup_page *infos;
	struct mm_struct *mm;
	struct gup_call call;
	unsigned int i;
	int err;

	if (copy_from_user(&call, arg, sizeof(call)))
		return -EFAULT;
	if (call.function >= GUP_NR_FUNCTIONS || (call.flags >> GUP_NR_FLAGS) || call.hold > 1 ||
	    !probe_range_valid(call.addr, call.nr_pages))
		return -EINVAL;
	if (probe->pages)
		return -EBUSY;
	mm = probe_mm(call.pid);
	if (!mm)
		return -ESRCH;
	err = -EINVAL;
	if (mm != current->mm && !(BIT(call.function) & REMOTE))
		goto err_put_mm;

	call.ret = 0;
	call.nr_faults = 0;
	call.status = judge(&call);
	err = -ENOMEM;
	infos = kvcalloc(call.nr_pages, sizeof(*infos), GFP_KERNEL);
	if (!infos)
		goto err_put_mm;
	probe->pages = kvcalloc(call.nr_pages, sizeof(*probe->pages), GFP_KERNEL);
	if (!probe->pages)
		goto err_free_infos;

	for (i = 0; i < call.nr_pages; i++) {
		infos[i].pfn = GUP_NO_PFN;
		infos[i].during = (struct gup_counts){ -1, -1 };
		infos[i].after = (struct gup_counts){ -1, -1 };
	}
	if (call.status == GUP_CALLED)
		call_and_look(probe, &call, mm, infos);
	if (!probe->nr_pages)
		forget(probe);
	else if (!call.hold)
		let_go_and_count(probe, infos, false);

	err = 0;
	if (copy_to_user((void __user *)(unsigned long)call.pages, infos,
			 call.nr_pages * sizeof(*infos)) ||
	    copy_to_user(arg, &call, sizeof(call))) {
		err = -EFAULT;
		probe_drop(probe);
	}

err_free_infos:
	kvfree(infos);
err_put_mm:
	mmput(mm);
	return err;
}

int probe_release(struct probe *probe, struct gup_release __user *arg)
{
	unsigned int nr = probe->nr_pages;
	struct gup_release release;
	struct gup_page *infos;
	int err = 0;

	if (copy_from_user(&release, arg, sizeof(release)))
		return -EFAULT;
	if (release.dirty > 1)
		return -EINVAL;
	if (!probe->pages)
		return -ENOENT;
	infos = kvcalloc(nr, sizeof(*infos), GFP_KERNEL);
	if (!infos)
		return -ENOMEM;
	let_go_and_count(probe, infos, release.dirty);
	if (release.pages && copy_to_user((void __user *)(unsigned long)release.pages, infos,
					  min(nr, release.nr_pages) * sizeof(*infos)))
		err = -EFAULT;
	release.nr_pages = nr;
	if (copy_to_user(arg, &release, sizeof(release)))
		err = -EFAULT;
	kvfree(infos);
	return err;
}

int probe_word(struct probe *probe, struct gup_word __user *arg)
{
	struct gup_word word;
	void *at;

	if (copy_from_user(&word, arg, sizeof(word)))
		return -EFAULT;
	if (word.offset >= PAGE_SIZE || word.offset % sizeof(u64) || word.write > 1 ||
	    word.reserved)
		return -EINVAL;
	if (word.page >= probe->nr_pages)
		return -ENOENT;
	/* Where the user may not write, the kernel's own mapping may be read-only. */
	if (word.write && !probe->writable)
		return -EPERM;
	at = page_address(probe->pages[word.page]) + word.offset;
	if (word.write)
		WRITE_ONCE(*(u64 *)at, word.value);
	else if (copy_from_kernel_nofault(&word.value, at, sizeof(u64)))
		return -EIO;
	return copy_to_user(arg, &word, sizeof(word)) ? -EFAULT : 0;
}
