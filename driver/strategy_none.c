// SPDX-License-Identifier: GPL-2.0
/*
 * Strategy none: nothing. The control of the experiment, not for use.
 *
 * task_numa_work() scans the VMA like any other. In PV the scan takes the
 * grants out of the page tables, and the next access gets SIGBUS.
 */
#include "strategy.h"

static const struct vm_operations_struct none_vm_ops = {
	GNTMAP_VM_OPS,
};

static const struct gntmap_strategy none = {
	.name = "none",
	.vm_ops = &none_vm_ops,
	.populate = gntmap_insert_pages,
};

static int __init none_init(void)
{
	pr_warn("UNPROTECTED: NUMA balancing breaks mappings of this device. For experiments only.\n");
	return strategy_init(&none);
}

static void __exit none_exit(void)
{
	strategy_exit();
}

module_init(none_init);
module_exit(none_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xen grants in user VMAs: no protection, for experiments only");
