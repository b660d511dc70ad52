// SPDX-License-Identifier: GPL-2.0
/*
 * Pages out of dom0's own memory, until there is none left. Where it may not plug in new memory for that
 * (xen.balloon.hotplug_unpopulated), Xen's balloon driver takes the pages that we ask for out of dom0's memory. When that runs out
 * the answer is ENOMEM, and all comes back.
 *
 * It has a boot of its own (tests/pressure.sh): the balloon's thread wants to plug memory in behind our back
 * (reserve_additional_memory()), and in a dom0 that has been through other pressure it fails to get what describes that memory
 * (add_pages() warns), and Linux kills what it finds.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "range.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define HOTPLUG "/proc/sys/xen/balloon/hotplug_unpopulated"
#define MEMORY "/sys/devices/system/xen_memory/xen_memory0/info/current_kb"
#define PART 4096u

static void memory_is_not_plugged(void)
{
	static struct ioctl_gntdev_grant_ref refs[PART];
	char memory[32], now[32] = "";
	int fd = open_node(), ret = 0;
	uint64_t offsets[512], start;
	struct range small;
	size_t nr;

	for (uint32_t i = 0; i < PART; i++)
		fill_refs(&refs[i], i % suite.nr_rw, 1);
	if (!read_line(MEMORY, memory, sizeof(memory)) || write_file(HOTPLUG, "0"))
		case_skip("a balloon driver with memory hotplug that can be turned off");
	set_core_parameter("provider", "ballooned");
	small = range_map(fd, 3, 8, RW);
	for (nr = 0; nr < ARRAY_SIZE(offsets); nr++) {
		ret = try_add(fd, refs, PART, &offsets[nr]);
		if (ret)
			break;
	}
	tap_diag("%zu ranges of %u pages, then %s", nr, PART, errno_name(ret));
	expect(ret, -ENOMEM);
	check(nr, "premise: none could be had");
	range_check(&small);
	/* A part comes back and can be had again. */
	expect(try_remove(fd, offsets[--nr], PART), 0);
	expect(try_add(fd, refs, PART, &offsets[nr]), 0);
	close(fd);
	range_check(&small);
	range_munmap(&small);
	/* Other pages were there all the time. */
	set_core_parameter("provider", "unpopulated");
	small = range_map(open_node(), 3, 8, RW);
	range_check(&small);
	range_unmap(&small);
	/* The balloon's thread takes its time, and until then whoever wants memory in dom0 may be killed. */
	start = now_us();
	while (!read_line(MEMORY, now, sizeof(now)) || strcmp(now, memory)) {
		check(now_us() - start < 30000000, "%s KiB of memory have become %s", memory, now);
		sleep_ms(50);
	}
}

static const struct suite_case cases[] = {
	{ "memory hotplug off: ballooned pages run out with ENOMEM, and come back", memory_is_not_plugged, MODE_PV },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
