// SPDX-License-Identifier: GPL-2.0
/*
 * Strategy mixedmap: VM_MIXEDMAP.
 *
 * task_numa_work() skips the VMA by this flag. It promises mm that there may be
 * PTEs without a struct page, of which there are none; get_user_pages() goes by
 * the PTE and works. In-tree gntdev since 2016.
 */
#include "strategy.h"

static const struct vm_operations_struct mixedmap_vm_ops = {
	GNTMAP_VM_OPS,
};

/* The flag that vm_insert_pages() wants is the one that we have anyway. */
static int mixedmap_populate(struct vm_area_struct *vma, unsigned long addr, struct page **pages,
			     unsigned long nr)
{
	return vm_insert_pages(vma, addr, pages, &nr);
}

static const struct gntmap_strategy mixedmap = {
	.name = "mixedmap",
	.vm_flags = VM_MIXEDMAP,
	.vm_ops = &mixedmap_vm_ops,
	.populate = mixedmap_populate,
};

static int __init mixedmap_init(void)
{
	return strategy_init(&mixedmap);
}

static void __exit mixedmap_exit(void)
{
	strategy_exit();
}

module_init(mixedmap_init);
module_exit(mixedmap_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xen grants in user VMAs: VM_MIXEDMAP");
