/* SPDX-License-Identifier: GPL-2.0 */
/* Memory accesses that may fault: a signal becomes a return value. Safe in several threads at once. */
#ifndef FAULT_H
#define FAULT_H

#include <stdint.h>

/* Handle SIGBUS and SIGSEGV for the functions below; a fault anywhere else kills the process as ever. Call once. */
void fault_catch(void);

/* Each returns 0, or the number of the signal that the access raised. */
int fault_read(const volatile void *word, uint64_t *value);
int fault_write(volatile void *word, uint64_t value);

#endif
