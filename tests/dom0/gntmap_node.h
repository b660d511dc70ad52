/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The grant-mapping nodes, /dev/xen/gntmap-<strategy> and in-tree /dev/xen/gntdev, by plain ioctls, so that a test
 * sees exactly what the kernel answers. Everything returns 0 (or what is said) or a negative errno.
 */
#ifndef GNTMAP_NODE_H
#define GNTMAP_NODE_H

#include <stddef.h>
#include <stdint.h>

#define NODE_PAGE_SIZE 4096

/* A range that MAP_GRANT_REF made, and where it is mapped. */
struct node_range {
	uint64_t index; /* the offset for mmap, in bytes */
	uint32_t count; /* pages */
	void *addr;	/* NULL while not mapped */
};

/* Open the node of a strategy ("vmio", "mixedmap", "policy", "none") or "gntdev"; returns the descriptor. */
int node_open(const char *strategy);

/* MAP_GRANT_REF of references first_ref .. first_ref + count - 1 of domain domid. */
int node_map_grant_ref(int fd, uint32_t domid, uint32_t first_ref, uint32_t count, struct node_range *range);
/* UNMAP_GRANT_REF. It does not touch the mapping. */
int node_unmap_grant_ref(int fd, const struct node_range *range);

/* mmap() the whole range, shared, and munmap() it. */
int node_mmap(int fd, struct node_range *range, int prot);
int node_munmap(struct node_range *range);

/* Both steps: afterwards range->addr is mapped; on failure nothing is left behind. */
int node_map(int fd, uint32_t domid, uint32_t first_ref, uint32_t count, int prot, struct node_range *range);
int node_unmap(int fd, struct node_range *range);

/* GET_OFFSET_FOR_VADDR: the offset and pages of the range that is mapped at addr. */
int node_offset_for_vaddr(int fd, const void *addr, uint64_t *index, uint32_t *count);

#endif
