/* SPDX-License-Identifier: GPL-2.0 */
/* A few pages of the granter, mapped, and an ordinary buffer of the same size to move their content from and to. */
#ifndef COMPARE_BUFFER_H
#define COMPARE_BUFFER_H

#include <sys/types.h>

#include "compare.h"
#include "gntmap_node.h"

#define BUFFER_PAGES 4
#define BUFFER_SIZE ((ssize_t)BUFFER_PAGES * GRANTER_PAGE_SIZE)

struct buffer {
	struct node_range range;
	char *addr;	/* the mapped grants, holding the pattern `seed` that the granter wrote */
	char *plain;	/* page-aligned ordinary memory */
	uint64_t seed;
};

/* The granter's first pages, by grant or as foreign frames, writable; node_unmap() is for both. These end the probe when they cannot. */
void probe_map(struct probe *probe, uint32_t nr, struct node_range *range);
void buffer_map(struct probe *probe, struct buffer *buffer);
void buffer_unmap(struct probe *probe, struct buffer *buffer);

/* Before a transfer into the grants: fill `plain` with a new pattern. */
void buffer_refill(struct buffer *buffer);

/*
 * Fill a row with what a system call returned (for -1: errno): "ok" if it moved all bytes and `plain` (out) or the
 * granter's own pages (in) hold the pattern.
 */
void observe_out(struct probe *probe, const char *row, struct buffer *buffer, ssize_t moved);
void observe_in(struct probe *probe, const char *row, struct buffer *buffer, ssize_t moved);

#endif
