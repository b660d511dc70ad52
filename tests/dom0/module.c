// SPDX-License-Identifier: GPL-2.0
#include "module.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int unload(const char *module)
{
	return syscall(__NR_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

int strategy_unload(void)
{
	char module[64];

	snprintf(module, sizeof(module), CORE_MODULE "_%s", suite.strategy);
	return unload(module);
}

int core_unload(void)
{
	return unload(CORE_MODULE);
}

int strategy_load(void)
{
	char command[128];

	snprintf(command, sizeof(command), "modprobe " CORE_MODULE "-%s", suite.strategy);
	return system(command) ? -ENOENT : 0;
}
