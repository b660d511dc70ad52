// SPDX-License-Identifier: GPL-2.0
/*
 * Strategy policy: a memory policy without MPOL_F_MOF.
 *
 * task_numa_work() skips the VMA because vma_policy_mof() says that its pages
 * do not migrate on fault. No VMA flag is needed.
 *
 * ->get_policy() returning NULL was enough until vma_policy_mof() began to fall
 * back to the task's policy (it does on 6.12, mm/mempolicy.c), which has
 * MPOL_F_MOF wherever NUMA balancing is on. So there is a real policy: "local",
 * with no flags. Without MPOL_F_SHARED nobody drops a reference that he did not
 * take himself, so one static object serves all VMAs.
 */
#include <linux/delay.h>
#include <linux/mempolicy.h>

#include "strategy.h"

#ifdef CONFIG_NUMA
static struct mempolicy local_policy = {
	.refcnt = ATOMIC_INIT(1),
	.mode = MPOL_LOCAL,
};

static struct mempolicy *policy_get_policy(GNTMAP_GET_POLICY_ARGS)
{
	gntmap_set_ilx();
	return &local_policy;
}

/*
 * get_mempolicy(MPOL_F_NODE | MPOL_F_ADDR) takes a reference and then lets go
 * of mmap_lock, and so perhaps of the VMA, the file and this module.
 */
static void policy_wait_unused(void)
{
	while (atomic_read(&local_policy.refcnt) > 1)
		msleep(20);
}
#else
static void policy_wait_unused(void)
{
}
#endif

static const struct vm_operations_struct policy_vm_ops = {
	GNTMAP_VM_OPS,
#ifdef CONFIG_NUMA
	.get_policy = policy_get_policy,
#endif
};

static const struct gntmap_strategy policy = {
	.name = "policy",
	.vm_ops = &policy_vm_ops,
	.populate = gntmap_insert_pages,
};

static int __init policy_init(void)
{
	return strategy_init(&policy);
}

static void __exit policy_exit(void)
{
	strategy_exit();
	policy_wait_unused();
}

module_init(policy_init);
module_exit(policy_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xen grants in user VMAs: ->get_policy()");
