/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own fault injection (Documentation/fault-injection): whatever this thread allocates, or copies from and to its
 * memory, in the driver's name or in that of whoever the driver calls.
 */
#ifndef KERNEL_FAULTS_H
#define KERNEL_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* NULL, or the file of it that this kernel has not. It prints nothing to the log from here on. */
const char *kernel_faults_open(void);
/* The k-th of them from now on fails. */
void kernel_faults_arm(uint32_t k);
/* No more of them fails. Whether one did. */
bool kernel_faults_disarm(void);

#endif
