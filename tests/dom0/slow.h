/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An invalidation of memory that takes as long as a case wants, and holds no lock of the address space: a file is cut, and a
 * secondary MMU (gup_probe) is slow to let go of it.
 */
#ifndef SLOW_H
#define SLOW_H

struct slow {
	int probe;
	int memfd;
};

/* What is needed for it; the case is skipped where that is missing. */
struct slow slow_open(void);
/* From now on this process has memory whose invalidation takes ms (times suite_patience()) once. */
void slow_prepare(struct slow *slow, unsigned int ms);
/* Invalidates it. */
void slow_invalidate(struct slow *slow);
/* Waits until that has begun, in whatever process. */
void slow_wait(struct slow *slow);

#endif
