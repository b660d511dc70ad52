/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DAMON watches which pages of a process are accessed: it makes PTEs old and asks later whether they are young, and so asks
 * secondary MMUs too. In 6.12 and newer.
 */
#ifndef DAMON_H
#define DAMON_H

#include <stddef.h>
#include <sys/types.h>

/* Watch size bytes at start of process pid, until damon_stop(). -ENOENT: this kernel has no DAMON; else what it answers. */
int damon_start(pid_t pid, const void *start, size_t size);
void damon_stop(void);

#endif
