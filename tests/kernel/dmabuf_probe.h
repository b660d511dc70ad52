/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/dmabuf_probe: dma-bufs of all kinds, and a look into anybody's. For tests only; root's. */
#ifndef DMABUF_PROBE_H
#define DMABUF_PROBE_H

#include <linux/ioctl.h>
#include <linux/types.h>

enum dmabuf_kind {
	DMABUF_PAGES,	 /* ordinary pages, full of zeros */
	DMABUF_ONE_RUN,	 /* the same, next to each other, in one entry of its lists */
	DMABUF_NO_PAGES, /* ordinary pages, but its lists have addresses only, and no struct pages */
	DMABUF_RESOURCE, /* no memory: a device's registers, as it were */
	DMABUF_ODD,	 /* does not start on a page, and so ends in one that is not its own */
	DMABUF_UNEVEN,	 /* the same, but it starts on a page */
	DMABUF_SHORT,	 /* the last page is missing from its lists */
	DMABUF_NR_KINDS,
};

/* Make one; fd is the answer. EINVAL: no such kind, or not 1 to 64 pages. */
struct dmabuf_make {
	__u32 kind;
	__u32 nr_pages;
	__s32 fd;
};

/* Swap a 64-bit word of a dma-buf whose lists have pages. ERANGE: it is not that long. */
struct dmabuf_swap {
	__s32 fd;
	__u32 pad;
	__u64 byte;
	__u64 word;
};

#define DMABUF_PROBE_MAKE	_IOWR('d', 0x60, struct dmabuf_make)
#define DMABUF_PROBE_SWAP	_IOWR('d', 0x61, struct dmabuf_swap)
/* How many of those that were made have not been released. */
#define DMABUF_PROBE_NR_LIVE	_IOR('d', 0x62, __u32)

#endif
