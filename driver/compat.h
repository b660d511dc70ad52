/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code speaks the newest kernel's dialect; here older ones learn it. The
 * only file that may name a kernel version.
 */
#ifndef GNTMAP_COMPAT_H
#define GNTMAP_COMPAT_H

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
static inline bool zone_device_pages_have_same_pgmap(const struct page *a, const struct page *b)
{
	if (is_zone_device_page(a) != is_zone_device_page(b))
		return false;
	return !is_zone_device_page(a) || a->pgmap == b->pgmap;
}
#endif

#ifndef kzalloc_obj
#define kmalloc_obj(obj, gfp) kmalloc(sizeof(obj), gfp)
#define kzalloc_obj(obj, gfp) kzalloc(sizeof(obj), gfp)
#endif

/* ->get_policy() reports an interleave index since 6.7. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define GNTMAP_GET_POLICY_ARGS struct vm_area_struct *vma, unsigned long addr, pgoff_t *ilx
#define gntmap_set_ilx() (*ilx = 0)
#else
#define GNTMAP_GET_POLICY_ARGS struct vm_area_struct *vma, unsigned long addr
#define gntmap_set_ilx() do { } while (0)
#endif

/* The page behind a special PTE: ->find_special_page() until it was renamed and made optional. */
#ifdef CONFIG_FIND_NORMAL_PAGE
#define GNTMAP_NORMAL_PAGE_OP find_normal_page
#else
#define GNTMAP_NORMAL_PAGE_OP find_special_page
#endif

/* The search for free addresses that a file without ->get_unmapped_area gets. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define gntmap_find_unmapped_area mm_get_unmapped_area
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define gntmap_find_unmapped_area(file, addr, len, pgoff, flags) \
	mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags)
#else
#define gntmap_find_unmapped_area(file, addr, len, pgoff, flags) \
	current->mm->get_unmapped_area(file, addr, len, pgoff, flags)
#endif

/* A namespace is a string since 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define GNTMAP_IMPORT_NS_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#else
#define GNTMAP_IMPORT_NS_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#endif

/* What a device maps that is no list of pages: pages until 6.18, physical addresses since. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define GNTMAP_DMA_MAP_OP map_phys
#define GNTMAP_DMA_MAP_WHAT phys_addr_t phys
#else
#define GNTMAP_DMA_MAP_OP map_page
#define GNTMAP_DMA_MAP_WHAT struct page *page, unsigned long offset
#endif

#endif
