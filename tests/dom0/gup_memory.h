/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory to call get_user_pages() on: grants of a strategy, gntalloc's pages or anonymous memory, each holding the
 * granter's pattern. Functions return 0 or a negative errno.
 */
#ifndef GUP_MEMORY_H
#define GUP_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "gntmap_node.h"
#include "granter_client.h"

#define GUP_FOREIGN "foreign" /* frames, not grants, by way of mixedmap's node */
#define GUP_ANONYMOUS "anonymous"
#define GUP_GNTALLOC "gntalloc"

struct gup_memory {
	/* Set by who wants the memory: */
	const char *kind;	 /* a strategy, GUP_FOREIGN, GUP_GNTALLOC or GUP_ANONYMOUS */
	bool foreign;		 /* frames instead of a strategy's grants; GUP_FOREIGN says it, too */
	struct granter *granter; /* not for anonymous memory */
	int node_fd;		 /* the strategy's node */
	/* Set by gup_memory_map(): */
	char *addr;
	unsigned int nr_pages;
	bool merged;		 /* it has no guard pages */
	struct node_range range;
	int gntalloc_fd;
};

/* Whether a node of ours makes it: grants or foreign frames. */
bool gup_memory_has_node(const struct gup_memory *memory);

/* At a given place, where whatever is mapped goes, or, at NULL, anywhere. Only anonymous memory is ever touched here. */
int gup_memory_map(struct gup_memory *memory, unsigned int nr_pages, int prot, void *at);
int gup_memory_unmap(struct gup_memory *memory);

static inline char *gup_memory_page(const struct gup_memory *memory, unsigned int page)
{
	return memory->addr + (size_t)page * NODE_PAGE_SIZE;
}

/* What the first word of a page is. */
uint64_t gup_memory_word(unsigned int page);

/*
 * Have NUMA scans until done() says 1 (0: not yet, or a negative errno), and leave balancing off. In a process forked after
 * numa_knobs_set(), that keeps a thread from then on. -ETIMEDOUT: it never said so.
 */
int gup_scan_until(int (*done)(void *arg), void *arg);
/* Until every PTE of the memory is PROT_NONE. Nobody shall touch it meanwhile. */
int gup_memory_scan(const struct gup_memory *memory, int probe_fd);

#endif
