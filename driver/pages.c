// SPDX-License-Identifier: GPL-2.0
/*
 * Where struct pages come from and go back to.
 *
 * A mapped grant needs a struct page whose frame nothing else uses. Unpopulated
 * pages lie over an unused piece of the physical address space: first ordinary
 * page structs of extra memory where there is some (arch_xen_unpopulated_init(),
 * in auto-translated domains since 6.12), then ZONE_DEVICE ones. Ballooned pages
 * are ordinary memory that is given back to Xen first: what mm does to ordinary
 * pages (change_pte_range() skips ZONE_DEVICE ones, for instance) can be seen on
 * all of them.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include <xen/balloon.h>
#include <xen/grant_table.h>
#include <xen/xen.h>

#include "gntmap.h"

static const char * const provider_names[] = {
	[GNTMAP_UNPOPULATED]	= "unpopulated",
	[GNTMAP_BALLOONED]	= "ballooned",
};

static int provider_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(provider_names, val);

	if (i < 0)
		return i;
	WRITE_ONCE(*(enum gntmap_provider *)kp->arg, i);
	return 0;
}

static int provider_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n",
			  provider_names[READ_ONCE(*(enum gntmap_provider *)kp->arg)]);
}

static const struct kernel_param_ops provider_ops = {
	.set = provider_set,
	.get = provider_get,
};

static enum gntmap_provider default_provider = GNTMAP_UNPOPULATED;
module_param_cb(provider, &provider_ops, &default_provider, 0644);
MODULE_PARM_DESC(provider, "pages for ranges created from now on: unpopulated (default) or ballooned");

/* What ranges made from now on get, by name. */
const char *gntmap_pages_provider(void)
{
	return provider_names[READ_ONCE(default_provider)];
}

/*
 * Unpopulated pages for the next range. They take no memory, but in PV finding
 * one costs as much as mapping a grant in it: xen_alloc_unpopulated_pages() walks
 * the page tables to its p2m entry. All are of one device, or of none.
 */
#define MOST_KEPT	4096u

static struct {
	spinlock_t lock;	/* what follows */
	unsigned int nr;
	struct page *pages[MOST_KEPT];
} kept = { .lock = __SPIN_LOCK_UNLOCKED(kept.lock) };

static unsigned int keep = MOST_KEPT;

/* Return: how many there were. */
static unsigned int take_kept(struct page **pages, unsigned int nr)
{
	spin_lock(&kept.lock);
	nr = min(nr, kept.nr);
	kept.nr -= nr;
	memcpy(pages, kept.pages + kept.nr, nr * sizeof(*pages));
	spin_unlock(&kept.lock);
	return nr;
}

static void put_unpopulated(struct page **pages, unsigned int nr)
{
	unsigned int i, max, rest = 0;

	spin_lock(&kept.lock);
	/* Inside: who lowers it takes away what is kept from then on. */
	max = READ_ONCE(keep);
	/* Without them they are ordinary memory that the balloon would have to go without. */
	if (!IS_ENABLED(CONFIG_XEN_UNPOPULATED_ALLOC))
		max = 0;
	for (i = 0; i < nr; i++) {
		if (kept.nr < max &&
		    (!kept.nr || zone_device_pages_have_same_pgmap(kept.pages[0], pages[i])))
			kept.pages[kept.nr++] = pages[i];
		else
			pages[rest++] = pages[i];
	}
	spin_unlock(&kept.lock);

	if (rest)
		gnttab_free_pages(rest, pages);
}

/* Those of the first one's device come first. Return: how many they are. */
static unsigned int gather(struct page **pages, unsigned int nr)
{
	unsigned int i, alike = 1;

	for (i = 1; i < nr; i++) {
		if (!zone_device_pages_have_same_pgmap(pages[0], pages[i]))
			continue;
		swap(pages[alike], pages[i]);
		alike++;
	}
	return alike;
}

/* Of as many devices can pages be found that there are enough of one. */
#define MOST_ROUNDS	4u

/*
 * Each time that the kernel's list of unpopulated pages has run out, what it gets
 * is a device of its own (fill_list(), drivers/xen/unpopulated-alloc.c), and then
 * they mix. Direct IO ends a bio where the next page is of another device, and
 * asynchronous direct IO to a block device has one bio: it is short there
 * (iov_iter_extract_bvecs() and __blkdev_direct_IO_async() in 7.2). As many pages
 * again, until there are enough of one device; if there are no more, those of
 * each are together at least.
 */
static void exchange(struct page **pages, unsigned int nr)
{
	unsigned int first, alike, nr_all = nr;
	struct page **all;

	all = kvmalloc_array(nr, MOST_ROUNDS * sizeof(*all), GFP_USER_SIZED);
	if (!all)
		return;
	memcpy(all, pages, nr * sizeof(*all));
	for (;;) {
		for (first = 0; first < nr_all; first += alike) {
			alike = gather(all + first, nr_all - first);
			if (alike >= nr)
				goto out;
		}
		first = 0;
		if (nr_all == MOST_ROUNDS * nr || gnttab_alloc_pages(nr, all + nr_all))
			break;
		nr_all += nr;
	}

out:
	memcpy(pages, all + first, nr * sizeof(*all));
	gnttab_free_pages(first, all);
	gnttab_free_pages(nr_all - first - nr, all + first + nr);
	kvfree(all);
}

static int get_unpopulated(struct page **pages, unsigned int nr)
{
	unsigned int some = take_kept(pages, nr);
	int err;

	if (some < nr) {
		err = gnttab_alloc_pages(nr - some, pages + some);
		if (err) {
			put_unpopulated(pages, some);
			return err;
		}
	}
	if (gather(pages, nr) < nr)
		exchange(pages, nr);
	return 0;
}

static void free_kept(void)
{
	struct page *page;

	while (take_kept(&page, 1))
		gnttab_free_pages(1, &page);
}

static int keep_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 0, MOST_KEPT);

	if (!err)
		free_kept();
	return err;
}

static const struct kernel_param_ops keep_ops = {
	.set = keep_set,
	.get = param_get_uint,
};

module_param_cb(keep, &keep_ops, &keep, 0644);
MODULE_PARM_DESC(keep, "Unpopulated pages to keep for later ranges at most (4096, and no more)");

/* Nobody has pages any more. */
void gntmap_pages_exit(void)
{
	free_kept();
}

static int provide(unsigned int nr, struct page **pages, enum gntmap_provider provider)
{
	int err;

	if (provider == GNTMAP_UNPOPULATED)
		return get_unpopulated(pages, nr);

	err = xen_alloc_ballooned_pages(nr, pages);
	if (err)
		return err;
	err = gnttab_pages_set_private(nr, pages);
	if (err) {
		gnttab_pages_clear_private(nr, pages);
		xen_free_ballooned_pages(nr, pages);
	}
	return err;
}

/**
 * gntmap_pages_alloc - get pages to map foreign frames into
 * @pages: where they go
 * @nr: how many
 * @provider: set to what they have to be freed with
 *
 * Return: 0 or -ENOMEM.
 */
int gntmap_pages_alloc(struct page **pages, unsigned int nr, enum gntmap_provider *provider)
{
	*provider = READ_ONCE(default_provider);
	return provide(nr, pages, *provider);
}

/* @pages as gntmap_pages_alloc() left them, with nothing mapped in their frames. */
void gntmap_pages_free(struct page **pages, unsigned int nr, enum gntmap_provider provider)
{
	unsigned int i;

	/* That another domain's content was written to says nothing of the next mapping's. */
	for (i = 0; i < nr; i++)
		ClearPageDirty(pages[i]);

	if (provider == GNTMAP_UNPOPULATED) {
		put_unpopulated(pages, nr);
	} else {
		gnttab_pages_clear_private(nr, pages);
		xen_free_ballooned_pages(nr, pages);
	}
}
