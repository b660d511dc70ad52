// SPDX-License-Identifier: GPL-2.0
#include "unpopulated.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "range.h"
#include "suite.h"

#define NR_SORTED 4096u

static void keep_none(void)
{
	if (!strategy_is("gntdev"))
		set_core_parameter("keep", "0");
}

void unpopulated_mix(void)
{
	keep_none();
	if (system("modprobe -q mixed_pages"))
		case_skip("mixed_pages.ko, or unpopulated pages of two devices");
	/* It has done its work when it is loaded. */
	check(!system("rmmod mixed_pages"), "it cannot be unloaded");
}

/* The driver does that, for a range. */
void unpopulated_sort(void)
{
	static struct ioctl_gntdev_grant_ref refs[NR_SORTED];
	char provider[32];
	uint64_t offset;
	int fd;

	if (strategy_is("gntdev"))
		return;
	check(core_parameter("provider", provider, sizeof(provider)), "no provider");
	keep_none();
	set_core_parameter("provider", "unpopulated");
	fd = open_node();
	/* The same page every time, as it is not mapped. */
	for (uint32_t i = 0; i < NR_SORTED; i++)
		fill_refs(&refs[i], 0, 1);
	expect(try_add(fd, refs, NR_SORTED, &offset), 0);
	expect(try_remove(fd, offset, NR_SORTED), 0);
	close(fd);
	set_core_parameter("provider", provider);
}
