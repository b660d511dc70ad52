/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ordinary users of get_user_pages() that have no reason to take a hinting fault: each moves a page of the target, and text
 * says "ok", or "ok, faulted" if its PTE is not PROT_NONE any more, or what failed. False: it cannot be tried.
 */
#ifndef GUP_CALLERS_H
#define GUP_CALLERS_H

#include "gup_rows.h"

typedef bool (*gup_caller)(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);

bool gup_direct_write(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_direct_read(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_process_vm_readv(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_process_vm_writev(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_proc_mem_read(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);
bool gup_proc_mem_write(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);

/* Whether /proc/PID/smaps counts all of the memory around it as resident, and pagemap the page as present. */
bool gup_smaps(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text);

#endif
