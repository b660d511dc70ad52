/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
/*
 * gntmap's own ioctls, on the nodes that speak <xen/gntdev.h> too.
 *
 * Each structure begins with its size: the caller says sizeof(), the driver answers EINVAL to a size that it does not
 * know. Fields and flag bits that are reserved must be 0, or the answer is EINVAL. All calls give EFAULT for memory
 * that cannot be read or written; then nothing has happened.
 */
#ifndef _UAPI_XEN_GNTMAP_H
#define _UAPI_XEN_GNTMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GNTMAP_IOCTL_MAGIC 0xE7

/* In place of a domain id: none in particular. Xen's DOMID_INVALID. */
#define GNTMAP_DOMID_ANY 0x7FF4

/*
 * GNTMAP_IOCTL_INFO: what this file is, has and may do.
 *
 * Ranges that were removed are in nobody's numbers, though their pages count for the cap until they have gone back.
 */
struct gntmap_info {
	__u32 size;		/* in: sizeof(struct gntmap_info) */
	__u32 flags;		/* in: 0 */
	char strategy[16];	/* "vmio", "mixedmap", "policy", "none" */
	char backend[16];	/* "pv", "xlate" */
	char provider[16];	/* of ranges made from now on: "unpopulated", "ballooned" */
	__u64 nr_ranges;	/* that the file has */
	__u64 nr_pages;		/* in these */
	__u64 nr_mapped_pages;	/* of these: in ranges that some VMA shows */
	__u64 nr_draining_pages;/* of these: in ranges that wait for a pin */
	__u64 max_pages;	/* the file may have at most so many */
	__u32 limit;		/* pages in one request */
	__u32 domid;		/* the only one that may be named, or GNTMAP_DOMID_ANY */
	__u64 features;		/* GNTMAP_FEATURE_* */
	__u64 reserved[4];	/* out: 0 */
};
#define GNTMAP_IOCTL_INFO _IOWR(GNTMAP_IOCTL_MAGIC, 0, struct gntmap_info)

#define GNTMAP_FEATURE_FOREIGN	(1ull << 0)	/* GNTMAP_IOCTL_MAP_FOREIGN */
#define GNTMAP_FEATURE_NOTIFY	(1ull << 1)	/* IOCTL_GNTDEV_SET_UNMAP_NOTIFY */
#define GNTMAP_FEATURE_COPY	(1ull << 2)	/* IOCTL_GNTDEV_GRANT_COPY */
#define GNTMAP_FEATURE_DMABUF	(1ull << 3)	/* IOCTL_GNTDEV_DMABUF_* */

/*
 * GNTMAP_IOCTL_RESTRICT: from now on this file may only name @domid, in every call. For good, and for whoever has the
 * file: it goes with the descriptor through fork, exec and SCM_RIGHTS. Ranges that the file has stay, mapped or not.
 *
 * EINVAL: @domid is not the id of a domain (0 to 0x7FEF). EPERM: restricted to another domain already. A call that then
 * names another domain gets EPERM.
 */
struct gntmap_restrict {
	__u32 size;
	__u32 domid;
	__u64 reserved;
};
#define GNTMAP_IOCTL_RESTRICT _IOW(GNTMAP_IOCTL_MAGIC, 1, struct gntmap_restrict)

/*
 * GNTMAP_IOCTL_SET_MAX_PAGES: the ranges of this file may have @max_pages pages together, those that it has included.
 * A page counts until it has gone back: a range that was removed does so while it is mapped or pinned. Exported and
 * imported dma-bufs count too, though GNTMAP_IOCTL_INFO does not name them.
 * A request beyond that gets ENOSPC. A file begins without a cap (@max_pages of GNTMAP_IOCTL_INFO is ~0).
 *
 * EPERM: more than its cap is now; EBUSY: the file has more.
 */
struct gntmap_set_max_pages {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 max_pages;
};
#define GNTMAP_IOCTL_SET_MAX_PAGES _IOW(GNTMAP_IOCTL_MAGIC, 2, struct gntmap_set_max_pages)

/*
 * GNTMAP_IOCTL_MAP_FOREIGN: map frames of another domain into a new range of this file.
 *
 * The frames are mapped when this returns; mmap() at @offset shows them, with write access only if @flags has
 * GNTMAP_FOREIGN_WRITE. IOCTL_GNTDEV_UNMAP_GRANT_REF removes the range. The frames go back when it is removed (or the
 * file closed), unmapped and no page of it is pinned.
 *
 * With GNTMAP_FOREIGN_PARTIAL, frames that cannot be mapped leave holes: touching one gives SIGBUS, and the call
 * succeeds if at least one frame could be mapped. Without, all are mapped or none.
 *
 * @errors, if not 0, points to @nr __s32: 0 or a negative errno for each frame. They are written whenever the frames
 * were tried, so also when the call fails with one of these errnos (that of the first frame that failed):
 *	ESRCH	@domid is no domain, or not any more
 *	EINVAL	the domain has no such frame, or not any more (it is dying), or it is not memory (an MMIO hole)
 *	ENOENT	the frame is paged out: try again
 *	EPERM	no privilege over @domid, or the frame cannot be written to
 *	EOPNOTSUPP	this kind of frame cannot be mapped by this backend
 *	ENOMEM	Xen or this domain is out of memory
 *
 * The call as a whole: EINVAL: @nr is 0 or above the limit, or unknown flags; ENOSPC: above the file's cap, or its
 * offsets are used up; EPERM: the file is restricted to another domain; ENOMEM; EINTR.
 */
struct gntmap_map_foreign {
	__u32 size;
	__u32 flags;		/* GNTMAP_FOREIGN_* */
	__u32 domid;
	__u32 reserved;
	__u64 nr;		/* frames */
	__u64 gfns;		/* pointer to nr __u64; with GNTMAP_FOREIGN_RUN the first frame's number itself */
	__u64 errors;		/* pointer to nr __s32, or 0 */
	__u64 offset;		/* out: in bytes, for mmap() */
	__u64 reserved2;
};
#define GNTMAP_IOCTL_MAP_FOREIGN _IOWR(GNTMAP_IOCTL_MAGIC, 3, struct gntmap_map_foreign)

#define GNTMAP_FOREIGN_WRITE	(1u << 0)
#define GNTMAP_FOREIGN_PARTIAL	(1u << 1)
#define GNTMAP_FOREIGN_RUN	(1u << 2)

#endif
