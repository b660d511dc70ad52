// SPDX-License-Identifier: GPL-2.0
/*
 * What a file may do: which domains it may name, how many pages it may have.
 *
 * A page counts from before its range has one until the range is freed, which
 * may be after the file was closed: a mapping keeps the file, a pin does not.
 * So the account has references of its own, one for the file and one for each
 * range. That is what makes a cap hold: giving up a range whose pages cannot
 * go back yet makes no room for another one.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "gntmap.h"

static unsigned int limit = 64 * 1024;
module_param(limit, uint, 0644);
MODULE_PARM_DESC(limit, "Maximum number of pages that may be mapped by one mapping request");

/* Pages in one request, at most. */
unsigned int gntmap_limit(void)
{
	return READ_ONCE(limit);
}

/* Return: an account without restrictions and one reference, or NULL. */
struct gntmap_account *gntmap_account_alloc(void)
{
	struct gntmap_account *account = kzalloc_obj(*account, GFP_KERNEL_ACCOUNT);

	if (!account)
		return NULL;
	refcount_set(&account->refs, 1);
	spin_lock_init(&account->lock);
	account->domid = GNTMAP_DOMID_ANY;
	account->max_pages = U64_MAX;
	return account;
}

void gntmap_account_put(struct gntmap_account *account)
{
	if (refcount_dec_and_test(&account->refs))
		kfree(account);
}

/**
 * gntmap_account_charge - count the pages of a range to be
 * @account: gets a reference, which is the range's
 * @nr: pages
 *
 * Return: 0; -EINVAL if @nr is 0 or above the limit, -ENOSPC if it is above
 * the cap. On success gntmap_account_uncharge() undoes it.
 */
int gntmap_account_charge(struct gntmap_account *account, u64 nr)
{
	int err = 0;

	if (!nr || nr > gntmap_limit())
		return -EINVAL;

	spin_lock(&account->lock);
	if (nr > account->max_pages - account->nr_pages) {
		err = -ENOSPC;
	} else {
		account->nr_pages += nr;
		refcount_inc(&account->refs);
	}
	spin_unlock(&account->lock);
	return err;
}

void gntmap_account_uncharge(struct gntmap_account *account, unsigned int nr)
{
	spin_lock(&account->lock);
	account->nr_pages -= nr;
	spin_unlock(&account->lock);
	gntmap_account_put(account);
}

/**
 * gntmap_account_set_max_pages - lower the cap
 * @account: of a file
 * @max_pages: the new cap
 *
 * Return: 0; -EPERM if it is higher than the cap is now; -EBUSY if there are
 * more pages than that.
 */
int gntmap_account_set_max_pages(struct gntmap_account *account, u64 max_pages)
{
	int err = 0;

	spin_lock(&account->lock);
	if (max_pages > account->max_pages)
		err = -EPERM;
	else if (max_pages < account->nr_pages)
		err = -EBUSY;
	else
		account->max_pages = max_pages;
	spin_unlock(&account->lock);
	return err;
}

u64 gntmap_account_max_pages(struct gntmap_account *account)
{
	u64 max_pages;

	spin_lock(&account->lock);
	max_pages = account->max_pages;
	spin_unlock(&account->lock);
	return max_pages;
}

/**
 * gntmap_account_restrict - from now on only one domain may be named
 * @account: of a file
 * @domid: that domain
 *
 * Return: 0; -EINVAL if no domain can have that id; -EPERM if another domain
 * was chosen before.
 */
int gntmap_account_restrict(struct gntmap_account *account, u32 domid)
{
	u32 old;

	if (domid >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	old = cmpxchg(&account->domid, GNTMAP_DOMID_ANY, domid);
	return old == GNTMAP_DOMID_ANY || old == domid ? 0 : -EPERM;
}

u32 gntmap_account_domid(struct gntmap_account *account)
{
	return READ_ONCE(account->domid);
}

/**
 * gntmap_file_may_name - may this file's user say something about a domain?
 * @priv: the file
 * @domid: as the user gave it; ids with a meaning of their own (DOMID_SELF and
 *	the like) are Xen's to judge, as with in-tree gntdev
 *
 * Return: 0; -EINVAL if it is wider than a domain id; -EPERM if the file is
 * restricted to another domain.
 */
int gntmap_file_may_name(struct gntmap_file *priv, u32 domid)
{
	u32 only = gntmap_account_domid(priv->account);

	if (domid > U16_MAX)
		return -EINVAL;
	return only == GNTMAP_DOMID_ANY || only == domid ? 0 : -EPERM;
}
