/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long task_numa_work() ran in this process and in threads that it starts later: the time between its entry and its
 * return, seen by kprobes in a tracing instance of its own, by the TSC. Functions return 0 or a negative errno.
 */
#ifndef SCAN_TIME_H
#define SCAN_TIME_H

#include "sample.h"

/* -ENOENT: no tracefs, or no kprobes. One at a time. */
int scan_time_start(void);
/* The calls between start and stop, in us; -EOVERFLOW: events were lost. */
int scan_time_stop(struct sample *us);

#endif
