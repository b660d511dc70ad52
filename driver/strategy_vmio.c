// SPDX-License-Identifier: GPL-2.0
/*
 * Strategy vmio: VM_IO.
 *
 * task_numa_work() skips the VMA because vma_migratable() refuses VM_IO. The
 * price: check_vma_flags() refuses it too, so every get_user_pages() that comes
 * to look at the VMA fails, and O_DIRECT with it. In-tree gntdev from 2015 to
 * 2016, and privcmd (with VM_PFNMAP) to this day.
 */
#include "strategy.h"

static const struct vm_operations_struct vmio_vm_ops = {
	GNTMAP_VM_OPS,
};

static const struct gntmap_strategy vmio = {
	.name = "vmio",
	.vm_flags = VM_IO,
	.vm_ops = &vmio_vm_ops,
	.populate = gntmap_insert_pages,
};

static int __init vmio_init(void)
{
	return strategy_init(&vmio);
}

static void __exit vmio_exit(void)
{
	strategy_exit();
}

module_init(vmio_init);
module_exit(vmio_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xen grants in user VMAs: VM_IO");
