/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges of foreign frames: MAP_FOREIGN of the granter's pages. What is made here is a struct range like any other;
 * range_munmap(), range_check() and so on (range.h) are for both kinds.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "../../include/uapi/xen/gntmap.h"
#include "range.h"

/* MAP_FOREIGN. Returns 0 or a negative errno; *offset is set on success, errors (unless NULL) by the driver. */
int try_foreign(int fd, uint32_t domid, uint32_t flags, const uint64_t *gfns, uint64_t nr, int32_t *errors,
		uint64_t *offset);

/* From here on what must succeed ends the case when it does not. */

/* The frames of the granter's pages first .. first + count - 1; free() it. */
uint64_t *foreign_gfns(uint32_t first, uint32_t count);

/* A range of those pages; flags as in MAP_FOREIGN, without RUN. */
struct range foreign_add(int fd, uint32_t first, uint32_t count, uint32_t flags);
/* ... and mapped; writable if prot says so. */
struct range foreign_map(int fd, uint32_t first, uint32_t count, int prot);

/* The file has just so many ranges and pages (GNTMAP_IOCTL_INFO). */
void check_file_has(int fd, uint64_t nr_ranges, uint64_t nr_pages);

#endif
