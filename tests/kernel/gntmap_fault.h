/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/gntmap_fault: makes the k-th call that gntmap's modules make somewhere fail. For tests only.
 *
 * Who opens it, one at a time, first names the sites: functions of the kernel, and the hypercalls in
 * gntmap's own code. Then any process that has the file arms one of them. Only that process's own
 * calls count, and only those that gntmap's modules make. Closing the file takes all probes away.
 *
 * All of it wants CAP_SYS_ADMIN. Every ioctl answers EINVAL to what makes no sense, ENOENT to a
 * site that there is not, and EFAULT to a bad pointer.
 */
#ifndef GNTMAP_FAULT_H
#define GNTMAP_FAULT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FAULT_MAX_SITES		64
#define FAULT_NAME_SIZE		64

/* Which calls of a function are gntmap's. */
enum fault_caller {
	FAULT_DIRECT,		/* its code calls it */
	FAULT_BELOW,		/* it is anywhere among the callers */
};

/*
 * FAULT_ADD: put a probe at a function of the kernel. Returns the site's number.
 *
 * ENOENT: this kernel has no such function; any other errno: it cannot be probed.
 */
struct fault_add {
	char symbol[FAULT_NAME_SIZE];
	__u32 caller;		/* FAULT_DIRECT, ... */
	__u32 reserved;
};
#define FAULT_ADD _IOW(0xE8, 0, struct fault_add)

/* FAULT_ADD_HYPERCALLS: the same for each hypercall in gntmap's own code. Returns how many sites that made. */
#define FAULT_ADD_HYPERCALLS _IO(0xE8, 1)

/* What an armed site does at the k-th call. */
enum fault_what {
	FAULT_COUNT,		/* nothing: calls are counted */
	/*
	 * The function or the hypercall is not entered, and returns `value`. pin_user_pages_fast() gives pages even so, none of
	 * which is pinned, as the kernel's does when it does not keep what it found.
	 */
	FAULT_RETURN,
	/*
	 * Mapping grants: some references become ones that nobody granted. gnttab_unmap_refs(): it does not see some of the slots
	 * (for the middle one, from that one on), which stay mapped and whose status stays what it was.
	 */
	FAULT_SPOIL,
};

#define FAULT_SPOIL_FIRST	0x1	/* slot, or: */
#define FAULT_SPOIL_MIDDLE	0x2
#define FAULT_SPOIL_LAST	0x4
#define FAULT_SPOIL_ALL		0x8

/* FAULT_ARM: from now on, for the calling process. Forgets all counts. */
struct fault_arm {
	__u32 site;		/* not for FAULT_COUNT */
	__u32 what;		/* FAULT_COUNT, ... */
	__u32 k;		/* from 1 */
	__u32 spoil;		/* FAULT_SPOIL_* */
	__s64 value;
};
#define FAULT_ARM _IOW(0xE8, 2, struct fault_arm)

/* FAULT_DISARM: counts stay. */
#define FAULT_DISARM _IO(0xE8, 3)

/* FAULT_SITE: what is known of a site. */
struct fault_site {
	__u32 site;		/* in */
	__u32 calls;		/* while armed */
	__u32 fired;		/* of these: were made to fail */
	__u32 hypercall;	/* 1: it is one; then, of the last call: */
	__u64 nr;		/* the hypercall's number */
	__u64 arg;		/* its first argument, mostly a command */
	__u64 sum;		/* a function: of its first arguments, if these are 32 bits wide */
	__s64 stray_refs;	/* references to the page that pin_user_pages_fast() gave unpinned: one, or somebody unpinned it */
	char name[FAULT_NAME_SIZE];	/* the function, or the place of the hypercall */
};
#define FAULT_SITE _IOWR(0xE8, 4, struct fault_site)

/*
 * FAULT_UNDO: unmaps what gnttab_unmap_refs() did not see, as closing the file does. Returns how many grants that were.
 *
 * EBUSY: something is armed.
 */
#define FAULT_UNDO _IO(0xE8, 5)

#endif
