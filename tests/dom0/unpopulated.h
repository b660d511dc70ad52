/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's list of unpopulated pages, out of which the driver gets what it has not kept. Each time that it ran out, what
 * it got is a device of its own, so that pages of several lie there. Both make the driver's own store empty: the core's
 * parameter `keep` is 0 afterwards.
 */
#ifndef UNPOPULATED_H
#define UNPOPULATED_H

/* Pages of two devices by turns are the next 1024. Skips the case where that cannot be had. */
void unpopulated_mix(void);

/* The next 4096 pages are of one device. */
void unpopulated_sort(void);

#endif
