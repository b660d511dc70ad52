/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a secondary MMU (gup_probe is one) is told when something is done to memory. Each does one thing to memory of its own
 * and says what it was told: "told: UNMAP", "EINVAL, not told", what failed. False: it cannot be tried.
 */
#ifndef GUP_TOLD_H
#define GUP_TOLD_H

#include "gup_rows.h"

bool gup_told_of_munmap(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_told_of_dontneed(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_told_of_mprotect(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_told_of_mremap(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_told_of_clear_refs(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_told_of_exit(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
/* Whether somebody asked test_young(): DAMON does. */
bool gup_told_of_damon(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);

/* Of the target's first page itself, which a scan has made PROT_NONE. */
bool gup_told_of_mprotect_again(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_told_of_damon_there(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);

#endif
