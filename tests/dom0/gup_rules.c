// SPDX-License-Identifier: GPL-2.0
#include "gup_rules.h"

#include <errno.h>

#include "suite.h"

int gup_slow_rule(void)
{
	return strategy_is("vmio") ? -EFAULT : 0;
}

int gup_fast_rule(void)
{
	if (!suite.pv && !kernel_since(6, 10))
		return 0;
	return gup_slow_rule();
}

int gup_longterm_rule(void)
{
	int ret = gup_slow_rule();

	if (!ret && !kernel_since(6, 5))
		return -EOPNOTSUPP;
	return ret;
}
