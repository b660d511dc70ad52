// SPDX-License-Identifier: GPL-2.0
/*
 * The floor of a measurement: the bare hypercalls, see grant_floor.h.
 *
 * Operations are built before the clock starts. The user's PTEs (PV) are those of a mapping of this device; mmap_lock
 * is held from before the first hypercall to after the last one, so that nobody else meets what Xen has put there.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/msr.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include <xen/xen.h>

#include "grant_floor.h"

/* What one run works with; vmalloc()ed, as a hypercall's arguments may lie anywhere in the kernel. */
struct floor {
	struct grant_floor_run run;
	u64 list[FLOOR_MAX];
	u64 ptes[FLOOR_MAX];		/* PV: machine addresses */
	struct page *pages[FLOOR_MAX];
	union {
		struct gnttab_map_grant_ref map[2][FLOOR_MAX];
		struct gnttab_copy copy[FLOOR_MAX];
		struct mmu_update mmu[FLOOR_MAX];
		struct {
			xen_ulong_t idx[FLOOR_MAX];
			xen_pfn_t gpfn[FLOOR_MAX];
			int errs[FLOOR_MAX];
		};
	};
	struct gnttab_unmap_grant_ref unmap[2][FLOOR_MAX];
	u32 nr_unmap[2];
};

static DEFINE_MUTEX(floor_lock);
static struct floor *floor;

/* Hypercalls of at most FLOOR_BATCH operations each; adds their time to *ticks. */
static int grant_ops(unsigned int cmd, void *ops, size_t size, u32 nr, u64 *ticks)
{
	u32 first, some;
	int ret = 0;
	u64 start;

	for (first = 0; first < nr && !ret; first += some) {
		some = min_t(u32, nr - first, FLOOR_BATCH);
		start = rdtsc_ordered();
		ret = HYPERVISOR_grant_table_op(cmd, ops + first * size, some);
		*ticks += rdtsc_ordered() - start;
	}
	return ret ? -EIO : 0;
}

static void set_map_op(struct floor *f, int which, u32 i, phys_addr_t addr, u32 flags)
{
	gnttab_set_map_op(&f->map[which][i], addr, flags, f->list[i], f->run.domid);
	f->map[which][i].status = GNTST_general_error;
}

/* What was mapped is to be unmapped. */
static int note_mapped(struct floor *f, int which)
{
	int err = 0;
	u32 i;

	f->nr_unmap[which] = 0;
	for (i = 0; i < f->run.nr; i++) {
		struct gnttab_map_grant_ref *op = &f->map[which][i];
		struct gnttab_unmap_grant_ref *unmap = &f->unmap[which][f->nr_unmap[which]];

		if (op->status != GNTST_okay) {
			err = -EINVAL;
			continue;
		}
		unmap->host_addr = op->host_addr;
		unmap->dev_bus_addr = 0;
		unmap->handle = op->handle;
		f->nr_unmap[which]++;
	}
	return err;
}

static int run_grants(struct floor *f)
{
	bool pv = !xen_feature(XENFEAT_auto_translated_physmap);
	bool kernel = !pv || f->run.what == FLOOR_GRANTS;
	int which, err = 0, ret;
	u32 i;

	memset(f->nr_unmap, 0, sizeof(f->nr_unmap));
	for (i = 0; i < f->run.nr; i++) {
		if (pv)
			set_map_op(f, 0, i, f->ptes[i],
				   GNTMAP_host_map | GNTMAP_application_map | GNTMAP_contains_pte |
				   (1 << _GNTMAP_guest_avail0));
		if (kernel)
			set_map_op(f, 1, i, (unsigned long)page_address(f->pages[i]), GNTMAP_host_map);
	}
	for (which = !pv; which <= kernel && !err; which++) {
		err = grant_ops(GNTTABOP_map_grant_ref, f->map[which], sizeof(f->map[0][0]), f->run.nr,
				&f->run.map_ticks);
		ret = note_mapped(f, which);
		err = err ?: ret;
	}
	for (which = 0; which < 2; which++) {
		ret = grant_ops(GNTTABOP_unmap_grant_ref, f->unmap[which], sizeof(f->unmap[0][0]),
				f->nr_unmap[which], &f->run.unmap_ticks);
		err = err ?: ret;
	}
	return err;
}

/* @frames: map them, or NULL: make the PTEs none. */
static int update_ptes(struct floor *f, const u64 *frames, u64 *ticks)
{
	u32 i, first, some;
	int ret = 0, done;
	u64 start;

	for (i = 0; i < f->run.nr; i++) {
		pte_t pte = __pte(0);

		if (frames)
			pte = pte_mkspecial(mfn_pte(frames[i], PAGE_SHARED));
		f->mmu[i].ptr = f->ptes[i] | MMU_NORMAL_PT_UPDATE;
		f->mmu[i].val = pte_val_ma(pte);
	}
	for (first = 0; first < f->run.nr && !ret; first += some) {
		some = min_t(u32, f->run.nr - first, FLOOR_BATCH);
		start = rdtsc_ordered();
		ret = HYPERVISOR_mmu_update(f->mmu + first, some, &done,
					    frames ? f->run.domid : DOMID_SELF);
		*ticks += rdtsc_ordered() - start;
	}
	return ret;
}

static int add_to_physmap(struct floor *f)
{
	struct xen_add_to_physmap_range range = {
		.domid = DOMID_SELF,
		.foreign_domid = f->run.domid,
		.space = XENMAPSPACE_gmfn_foreign,
	};
	u32 i, first;
	int ret = 0;
	u64 start;

	for (i = 0; i < f->run.nr; i++) {
		f->idx[i] = f->list[i];
		f->gpfn[i] = page_to_xen_pfn(f->pages[i]);
		f->errs[i] = -EINVAL;
	}
	for (first = 0; first < f->run.nr && !ret; first += range.size) {
		range.size = min_t(u32, f->run.nr - first, FLOOR_BATCH);
		set_xen_guest_handle(range.idxs, f->idx + first);
		set_xen_guest_handle(range.gpfns, f->gpfn + first);
		set_xen_guest_handle(range.errs, f->errs + first);
		start = rdtsc_ordered();
		ret = HYPERVISOR_memory_op(XENMEM_add_to_physmap_range, &range);
		f->run.map_ticks += rdtsc_ordered() - start;
	}
	for (i = 0; i < f->run.nr && !ret; i++)
		ret = f->errs[i];
	return ret;
}

static int remove_from_physmap(struct floor *f)
{
	struct xen_remove_from_physmap op = { .domid = DOMID_SELF };
	int ret, err = 0;
	u64 start;
	u32 i;

	for (i = 0; i < f->run.nr; i++) {
		if (f->errs[i])
			continue;
		op.gpfn = f->gpfn[i];
		start = rdtsc_ordered();
		ret = HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &op);
		f->run.unmap_ticks += rdtsc_ordered() - start;
		err = err ?: ret;
	}
	return err;
}

static int run_foreign(struct floor *f)
{
	int err, ret;

	if (xen_feature(XENFEAT_auto_translated_physmap)) {
		err = add_to_physmap(f);
		ret = remove_from_physmap(f);
	} else {
		err = update_ptes(f, f->list, &f->run.map_ticks);
		ret = update_ptes(f, NULL, &f->run.unmap_ticks);
	}
	return err ?: ret;
}

/* All into one page of ours: the caches are kind to everybody. */
static int run_copy(struct floor *f)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int err;
	u32 i;

	if (!page)
		return -ENOMEM;
	for (i = 0; i < f->run.nr; i++)
		f->copy[i] = (struct gnttab_copy){
			.source.u.ref = f->list[i],
			.source.domid = f->run.domid,
			.dest.u.gmfn = virt_to_gfn(page_address(page)),
			.dest.domid = DOMID_SELF,
			.len = f->run.bytes,
			.flags = GNTCOPY_source_gref,
			.status = GNTST_general_error,
		};
	err = grant_ops(GNTTABOP_copy, f->copy, sizeof(f->copy[0]), f->run.nr, &f->run.map_ticks);
	for (i = 0; i < f->run.nr && !err; i++)
		if (f->copy[i].status != GNTST_okay)
			err = -EINVAL;
	__free_page(page);
	return err;
}

static int note_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct floor *f = data;

	f->ptes[(addr - (unsigned long)f->run.vaddr) >> PAGE_SHIFT] = arbitrary_virt_to_machine(pte).maddr;
	return 0;
}

/* The user's PTEs, which stay ours as long as mmap_lock is held. */
static int find_ptes(struct floor *f, struct file *file)
{
	unsigned long size = (unsigned long)f->run.nr << PAGE_SHIFT;
	struct vm_area_struct *vma;

	if (xen_feature(XENFEAT_auto_translated_physmap) || f->run.what == FLOOR_COPY)
		return 0;
	vma = find_vma(current->mm, f->run.vaddr);
	if (!vma || vma->vm_file != file || f->run.vaddr < vma->vm_start ||
	    f->run.vaddr & ~PAGE_MASK || size > vma->vm_end - f->run.vaddr)
		return -EINVAL;
	return apply_to_page_range(current->mm, f->run.vaddr, size, note_pte, f);
}

static int run(struct floor *f, struct file *file)
{
	int err;

	if (!f->run.nr || f->run.nr > FLOOR_MAX || f->run.bytes > PAGE_SIZE)
		return -EINVAL;
	if (copy_from_user(f->list, u64_to_user_ptr(f->run.list), f->run.nr * sizeof(f->list[0])))
		return -EFAULT;
	err = gnttab_alloc_pages(f->run.nr, f->pages);
	if (err)
		return err;

	f->run.map_ticks = 0;
	f->run.unmap_ticks = 0;
	mmap_read_lock(current->mm);
	err = find_ptes(f, file);
	if (err)
		goto out_unlock;
	switch (f->run.what) {
	case FLOOR_GRANTS:
	case FLOOR_USER_GRANTS:
		err = run_grants(f);
		break;
	case FLOOR_FOREIGN:
		err = run_foreign(f);
		break;
	case FLOOR_COPY:
		err = run_copy(f);
		break;
	default:
		err = -EINVAL;
	}

out_unlock:
	mmap_read_unlock(current->mm);
	gnttab_free_pages(f->run.nr, f->pages);
	return err;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct grant_floor_run __user *u = (void __user *)arg;
	int err;

	if (cmd != GRANT_FLOOR_RUN)
		return -ENOTTY;
	mutex_lock(&floor_lock);
	err = -EFAULT;
	if (!copy_from_user(&floor->run, u, sizeof(*u)))
		err = run(floor, file);
	if (!err && copy_to_user(u, &floor->run, sizeof(*u)))
		err = -EFAULT;
	mutex_unlock(&floor_lock);
	return err;
}

static vm_fault_t floor_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct floor_vm_ops = {
	.fault = floor_fault,
};

static int floor_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &floor_vm_ops;
	return 0;
}

static const struct file_operations floor_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = floor_ioctl,
	.mmap = floor_mmap,
};

static struct miscdevice floor_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "grant-floor",
	.fops = &floor_fops,
};

static int __init floor_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;
	floor = vzalloc(sizeof(*floor));
	if (!floor)
		return -ENOMEM;
	err = misc_register(&floor_misc);
	if (err)
		vfree(floor);
	return err;
}

static void __exit floor_exit(void)
{
	misc_deregister(&floor_misc);
	vfree(floor);
}

module_init(floor_init);
module_exit(floor_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bare grant-table hypercalls, timed; for measurements only");
