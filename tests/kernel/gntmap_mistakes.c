// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one mistake when it is loaded: modprobe gntmap_mistakes make=NAME. What is
 * built as gntmap is must be noticed as gntmap would be: for test_debug.
 *
 * Only `none` and `leak` stay loaded: the kernel names who lost memory by the module's
 * symbols.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

static char *make = "";
module_param(make, charp, 0444);
MODULE_PARM_DESC(make, "the mistake to be made");

#define OBJECT_SIZE 200
/* As many pages as are asked for until a certain one is given out again */
#define NR_PAGES 64

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
/* What the compiler must not know of */
static unsigned int big = 70;
static char seen;

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void locks_in_both_orders(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void read_after_free(void)
{
	char *object = kmalloc(OBJECT_SIZE, GFP_KERNEL);

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(object);
	kfree(object);
	WRITE_ONCE(seen, READ_ONCE(object[OBJECT_SIZE / 2]));
}

static void slab_write_after_free(void)
{
	struct kmem_cache *cache = kmem_cache_create("gntmap_mistakes", OBJECT_SIZE, 0, 0, NULL);
	char *object;

	if (!cache)
		return;
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	if (object) {
		OPTIMIZER_HIDE_VAR(object);
		kmem_cache_free(cache, object);
		WRITE_ONCE(object[OBJECT_SIZE / 2], 1);
		/* It is looked at when it is given out, or at the latest when its slab goes. */
		object = kmem_cache_alloc(cache, GFP_KERNEL);
		if (object)
			kmem_cache_free(cache, object);
	}
	kmem_cache_destroy(cache);
}

static void page_write_after_free(void)
{
	static struct page *pages[NR_PAGES];
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int nr = 0;
	char *text;

	if (!page)
		return;
	text = page_address(page);
	OPTIMIZER_HIDE_VAR(text);
	__free_page(page);
	WRITE_ONCE(text[PAGE_SIZE / 2], 1);
	while (nr < NR_PAGES) {
		pages[nr] = alloc_page(GFP_KERNEL);
		if (!pages[nr] || pages[nr++] == page)
			break;
	}
	while (nr)
		if (pages[--nr])
			__free_page(pages[nr]);
}

static void page_free_in_use(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	SetPageReserved(page);
	__free_page(page);
}

static void shift_too_far(void)
{
	WRITE_ONCE(seen, 1u << READ_ONCE(big));
}

static void reference_too_few(void)
{
	refcount_t refs = REFCOUNT_INIT(1);

	if (refcount_dec_and_test(&refs) && refcount_dec_and_test(&refs))
		WRITE_ONCE(seen, 1);
}

static void list_del_twice(void)
{
	LIST_HEAD(list);
	LIST_HEAD(entry);

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
}

static void none(void)
{
}

static void never(struct work_struct *work)
{
}

static void work_free_pending(void)
{
	struct delayed_work *work = kmalloc(sizeof(*work), GFP_KERNEL);

	if (!work)
		return;
	INIT_DELAYED_WORK(work, never);
	schedule_delayed_work(work, 1000 * HZ);
	kfree(work);
}

static void leak(void)
{
	void *object = kmalloc(OBJECT_SIZE, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
}

static const struct {
	const char *name;
	void (*fn)(void);
} mistakes[] = {
	{ "none", none },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "locks_in_both_orders", locks_in_both_orders },
	{ "read_after_free", read_after_free },
	{ "slab_write_after_free", slab_write_after_free },
	{ "page_write_after_free", page_write_after_free },
	{ "page_free_in_use", page_free_in_use },
	{ "shift_too_far", shift_too_far },
	{ "reference_too_few", reference_too_few },
	{ "list_del_twice", list_del_twice },
	{ "work_free_pending", work_free_pending },
	{ "leak", leak },
};

static int __init mistakes_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(make, mistakes[i].name))
			continue;
		mistakes[i].fn();
		return mistakes[i].fn == leak || mistakes[i].fn == none ? 0 : -ECANCELED;
	}
	return -EINVAL;
}

static void __exit mistakes_exit(void)
{
}

module_init(mistakes_init);
module_exit(mistakes_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mistakes that a kernel with debug checks must notice, for tests");
