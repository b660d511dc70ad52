/* SPDX-License-Identifier: GPL-2.0 */
/* What all strategy modules have in common: one device, and a parameter for its name. */
#ifndef GNTMAP_STRATEGY_H
#define GNTMAP_STRATEGY_H

#include <linux/module.h>

#include "gntmap.h"

static char node[64];
module_param_string(node, node, sizeof(node), 0444);
MODULE_PARM_DESC(node, "device node below /dev (default: xen/gntmap-<strategy>)");

static struct gntmap_device *device;

static inline int strategy_init(const struct gntmap_strategy *strategy)
{
	if (!node[0])
		snprintf(node, sizeof(node), "xen/gntmap-%s", strategy->name);
	device = gntmap_strategy_register(strategy, THIS_MODULE, node);
	return PTR_ERR_OR_ZERO(device);
}

static inline void strategy_exit(void)
{
	gntmap_strategy_unregister(device);
}

#endif
