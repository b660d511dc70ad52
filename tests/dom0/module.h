/* SPDX-License-Identifier: GPL-2.0 */
/* The modules that are tested come and go. */
#ifndef MODULE_H
#define MODULE_H

#include <errno.h>

#include "suite.h"

#define CORE_MODULE "gntmap"

/* Each returns 0 or a negative errno; unloading waits for nobody: -EWOULDBLOCK, -EBUSY. */
int strategy_unload(void);
int core_unload(void);

/* With what it needs. 0 too when it is there. */
int strategy_load(void);

/* Unloading was refused because somebody uses it; else the case fails. */
#define check_in_use(ret, what)                                                                          \
	do {                                                                                             \
		int in_use = (ret);                                                                      \
		check(in_use == -EWOULDBLOCK || in_use == -EBUSY, "%s: %s", what, errno_name(in_use));  \
	} while (0)

#endif
