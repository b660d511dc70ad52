/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time by the TSC. Not the kernel's clock: a PV guest's is made of one clock per CPU, and where Xen knows their
 * difference badly (under emulation by a busy machine) it stands still for as long as one is behind the other.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <x86intrin.h>

static inline uint64_t clock_ticks(void)
{
	return __rdtsc();
}

/* "cpu MHz" of /proc/cpuinfo is the TSC's frequency where CPUs cannot tell their own; 0 when it is not there. */
double clock_ticks_per_us(void);
double clock_us(uint64_t ticks);
static inline double clock_us_since(uint64_t ticks)
{
	return clock_us(clock_ticks() - ticks);
}

#endif
