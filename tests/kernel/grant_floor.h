/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/grant-floor: the bare hypercalls for some pages, timed by the TSC around nothing but the hypercalls. It is what
 * no driver can undercut. Everything is undone before an ioctl returns. For tests/bench only.
 */
#ifndef GRANT_FLOOR_H
#define GRANT_FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * What is done for each page. Xen is given up to FLOOR_BATCH operations at once.
 *
 * In PV, @vaddr is where at least @nr pages of /dev/grant-floor are mapped, shared; elsewhere it is not looked at.
 */
enum grant_floor_what {
	FLOOR_GRANTS,		/* map and unmap. PV: at the user's PTE and at the kernel's address, as gntdev does */
	FLOOR_USER_GRANTS,	/* PV: at the user's PTE only */
	FLOOR_FOREIGN,		/* map and unmap frames[]. PV: mmu_update of the user's PTE */
	FLOOR_COPY,		/* GNTTABOP_copy of @nr segments of @bytes each from the grants */
};

struct grant_floor_run {
	__u32 what;		/* FLOOR_* */
	__u32 domid;
	__u32 nr;
	__u32 bytes;
	__u64 list;		/* pointer to nr __u64: references, or frames */
	__u64 vaddr;
	__u64 map_ticks;	/* out; of FLOOR_COPY all */
	__u64 unmap_ticks;	/* out */
};

#define FLOOR_BATCH 1024
#define FLOOR_MAX 4096

#define GRANT_FLOOR_RUN _IOWR(0xE8, 0, struct grant_floor_run)

#endif
