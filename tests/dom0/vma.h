/* SPDX-License-Identifier: GPL-2.0 */
/* What /proc says of one mapping of a process: flags, policy, pages. */
#ifndef VMA_H
#define VMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vma {
	uintptr_t start;
	uintptr_t end;	  /* exclusive */
	char perms[5];	  /* as in maps: "rw-s" */
	char flags[128];  /* VmFlags of smaps, separated by one space: "rd wr sh mr mw me ms de dd mm" */
	char policy[64];  /* the policy of numa_maps ("default", "local", ...); "" on a kernel without numa_maps */
	char name[64];	  /* path of the file, cut short */
	uint64_t rss_kib;
};

/* vma_find(): describe the mapping of process pid (0: this one) that holds addr.
 * Returns 0, -ENOENT when there is none, or the errno of opening /proc's files.
 */
int vma_find(pid_t pid, const void *addr, struct vma *vma);

/* Whether VmFlags has the two-letter flag: "io" VM_IO, "mm" VM_MIXEDMAP, "pf" VM_PFNMAP, "de" VM_DONTEXPAND,
 * "dc" VM_DONTCOPY, "dd" VM_DONTDUMP; see fs/proc/task_mmu.c, show_smap_vma_flags().
 */
bool vma_has_flag(const struct vma *vma, const char *flag);

/* How many of the nr_pages pages at addr have a present PTE, as this process's pagemap says; negative errno. A
 * PROT_NONE PTE of a NUMA scan counts as present: pagemap cannot tell (numa.h can).
 */
long vma_nr_present(const void *addr, size_t nr_pages);

/* How many of them are ZONE_DEVICE pages: frames in a "Xen scratch" region of /proc/iomem. In PV all frames are foreign
 * and none is there.
 */
long vma_nr_device_pages(const void *addr, size_t nr_pages);

#endif
