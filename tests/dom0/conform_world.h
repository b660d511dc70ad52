/* SPDX-License-Identifier: GPL-2.0 */
/* What the calls of a script (conform.h) work on. */
#ifndef CONFORM_WORLD_H
#define CONFORM_WORLD_H

#include <xenevtchn.h>

#include "conform.h"
#include "range.h"

#define CONFORM_SEED 1908

struct conform_range {
	uint32_t first, count;
	uint64_t offset;
	char *addr; /* its place, whether mapped or not */
};

struct conform_world {
	const char *node;
	int fd;
	char *arena;	/* around the ranges' places: nothing that can be touched */
	struct conform_range ranges[CONFORM_NR_RANGES];
	char *memory;	/* a page to be written to, a read-only one, one that cannot be touched */
	bool differs;	/* from what was wanted */
	int busy;	/* grants that are mapped, as far as is known */
	const struct conform_outcome *listed; /* that this step shall have, if it is known beforehand */
	xenevtchn_handle *events;
	uint32_t port;
	struct gntdev_grant_copy_segment segments[2];
	int export;	/* descriptor of a dma-buf, or -1 */
	uint32_t export_name;
};

#endif
