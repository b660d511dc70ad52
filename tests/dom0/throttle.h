/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A block device whose direct IO stays in flight until it is told to go on: the IO of the processes that joined is throttled by
 * cgroup2's io controller to next to nothing, bios and the pages that they pin wait in blk-throttle.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

/*
 * Once, before any child. 0 or a negative errno: -ENOTSUP where there is no cgroup2 or io controller. IO is let through from
 * throttle_release() to the next throttle_hold().
 */
int throttle_create(const char *node);
void throttle_remove(void);

/* The calling process's IO, and that of children it forks from now on. */
int throttle_join(void);

int throttle_hold(void);
int throttle_release(void);

#endif
