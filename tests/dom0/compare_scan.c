// SPDX-License-Identifier: GPL-2.0
/* What NUMA balancing does to the mapping, next to a control in the same task. */
#include "compare.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "compare_buffer.h"
#include "fault.h"
#include "numa.h"
#include "vma.h"

#define NR_PAGES 64
#define SEED 11

/*
 * On 6.12 and newer a thread scans only VMAs in which it had a hinting fault lately (vma_is_accessed()), so not every
 * pass scans the control: of so many at least the wanted number do, else there is another round. More are dear on a busy
 * machine, since task_numa_work() takes 32 times what it took itself (stolen time too) for a reason to pause.
 */
#define NR_PASSES 6
#define NR_PASSES_WANTED 3
#define NR_ROUNDS 4

#define ROW_DEVICE "ZONE_DEVICE pages, of 64"
#define ROW_PASSES "scan passes"
#define ROW_CONTROL "change_prot_numa() on the control"
#define ROW_CALLS "change_prot_numa() on it"
#define ROW_REASON "skip reason"
#define ROW_PTES "PTEs made PROT_NONE"
#define ROW_FAULTS "faults after the scan"
#define ROW_DATA "data after the scans"

const char *const scan_rows[] = {
	ROW_PASSES, ROW_CONTROL, ROW_CALLS, ROW_REASON, ROW_PTES, ROW_FAULTS, ROW_DATA, NULL,
};

/* Read it all, then see a word go each way. */
static void look_at_data(struct probe *probe, char *addr)
{
	uint64_t word, seen;
	int sig;

	for (size_t page = 0; page < NR_PAGES; page++) {
		for (size_t i = 0; i < GRANTER_PAGE_SIZE / 8; i++) {
			sig = fault_read(addr + page * GRANTER_PAGE_SIZE + i * 8, &word);
			if (sig) {
				observe(probe, ROW_DATA, "SIG%s", sigabbrev_np(sig));
				return;
			}
			if (word != granter_word(SEED, page, i)) {
				observe(probe, ROW_DATA, "wrong in page %zu", page);
				return;
			}
		}
	}
	sig = fault_write(addr, 0x1234);
	if (sig) {
		observe(probe, ROW_DATA, "SIG%s when written", sigabbrev_np(sig));
		return;
	}
	if (granter_peek(probe->granter, 0, 0, &seen) || granter_poke(probe->granter, 0, 8, 0x5678))
		probe_die(probe, "the granter does not answer: %m");
	if (seen != 0x1234 || fault_read(addr + 8, &word) || word != 0x5678)
		observe(probe, ROW_DATA, "not the granter's page");
	else
		observe(probe, ROW_DATA, "intact");
}

/* Which pages they are decides whether a scan changes their PTEs. */
static void look_at_pages(struct probe *probe, const char *addr)
{
	long nr = vma_nr_device_pages(addr, NR_PAGES);

	if (nr < 0)
		probe_die(probe, "pagemap: %s", strerror(-nr));
	probe->ordinary_pages = nr < NR_PAGES;
	info(probe, ROW_DEVICE, nr, "%ld", nr);
}

static void look_at_scans(struct probe *probe, const struct numa_area *areas, const struct numa_seen *seen,
			  bool has_reason)
{
	observe_value(probe, ROW_CONTROL, seen[1].nr_passes, "%u, %lu PTEs", seen[1].nr_calls, seen[1].nr_ptes);
	observe_value(probe, ROW_CALLS, seen[0].nr_calls, "%u", seen[0].nr_calls);
	if (has_reason)
		observe(probe, ROW_REASON, "%s", seen[0].nr_skips ? seen[0].skip_reason : "none");
	else
		skip(probe, ROW_REASON, "no tracepoint");
	observe_value(probe, ROW_PTES, seen[0].nr_ptes, "%lu", seen[0].nr_ptes);
	if (areas[0].fault_signal)
		observe_value(probe, ROW_FAULTS, seen[0].nr_faults, "%lu, SIG%s", seen[0].nr_faults,
			      sigabbrev_np(areas[0].fault_signal));
	else
		observe_value(probe, ROW_FAULTS, seen[0].nr_faults, "%lu", seen[0].nr_faults);
}

void probe_scan(struct probe *probe)
{
	struct numa_area areas[2] = { { .size = NR_PAGES * GRANTER_PAGE_SIZE }, { .size = NR_PAGES * GRANTER_PAGE_SIZE } };
	struct numa_seen seen[2];
	struct node_range range;
	struct numa_watch *watch;
	int passes = 0;
	int ret;

	fault_catch();
	if (granter_fill(probe->granter, 0, NR_PAGES, SEED))
		probe_die(probe, "the granter does not fill: %m");
	areas[1].start = numa_control_alloc(areas[1].size);
	probe_map(probe, NR_PAGES, &range);
	areas[0].start = range.addr;
	ret = numa_watch_open(&watch, areas, 2);
	if (ret)
		probe_die(probe, "kprobes in tracefs: %s", strerror(-ret));

	if (machine.xlate)
		look_at_pages(probe, range.addr);

	/* Everything is populated now: whatever faults later was taken away. A scan may have come in between. */
	for (size_t page = 0; page < NR_PAGES; page++)
		fault_read((char *)range.addr + page * GRANTER_PAGE_SIZE, &(uint64_t){ 0 });
	ret = numa_watch_start(watch);
	for (int i = 0; !ret && i < NR_ROUNDS; i++) {
		int more = numa_burn(areas, 2, 3, NR_PASSES, 30000);

		if (more < 0) {
			ret = more;
			break;
		}
		passes += more;
		ret = numa_watch_read(watch, seen);
		if (seen[1].nr_passes >= NR_PASSES_WANTED)
			break;
	}
	numa_watch_stop(watch);
	if (!ret)
		ret = numa_watch_read(watch, seen);
	if (ret)
		probe_die(probe, "watching the scans: %s", strerror(-ret));

	observe_value(probe, ROW_PASSES, passes, "%d", passes);
	look_at_scans(probe, areas, seen, numa_watch_has_reason(watch));
	numa_watch_close(watch);
	look_at_data(probe, range.addr);
	node_unmap(probe->fd, &range);
}
