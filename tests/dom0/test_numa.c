// SPDX-License-Identifier: GPL-2.0
/*
 * Automatic NUMA balancing leaves the mapping alone: in at least three scan passes change_prot_numa() is called on a
 * private anonymous mapping of the same task, read by the same threads, and never on ours. For `none` it is called on
 * ours as well, which shows that nothing else keeps the scanner away.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "foreign.h"
#include "numa.h"
#include "range.h"
#include "suite.h"
#include "tap.h"
#include "vma.h"

#define NR 16u
#define NR_WANTED 3
/*
 * On 6.12 and newer a thread scans only what it had a hinting fault in lately (vma_is_accessed()), or what was left out
 * for more passes than there are threads: not every pass scans the control.
 */
#define PASSES_A_ROUND 5
#define NR_ROUNDS 12

#define GRANT 0
#define CONTROL 1

struct watched {
	struct range r;
	struct numa_area areas[2];
	struct numa_seen seen[2];
	bool has_reason;
};

static void *sleep_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* Of grants, unless the case is about foreign frames. */
static struct range (*map_pages)(int fd, uint32_t first, uint32_t count, int prot) = range_map;

static void watch_scans(struct watched *w)
{
	struct numa_watch *watch;
	pthread_t sleeper;
	int passes, nr_passes = 0;

	/* Nobody looks at the content yet: without protection a scan may have come by already. */
	w->r = map_pages(open_node(), 0, NR, PROT_READ | PROT_WRITE);
	w->areas[GRANT] = (struct numa_area){ .start = w->r.addr, .size = range_length(&w->r) };
	w->areas[CONTROL] = (struct numa_area){ .start = numa_control_alloc(NR * PAGE_SIZE), .size = NR * PAGE_SIZE };
	check(w->areas[CONTROL].start, "no memory");

	/*
	 * The first thread of a process sets its count of passes to 0 (init_numa_balancing()), and passes of the round
	 * before would then be far in a VMA's future: there has to be one between the rounds.
	 */
	check(!pthread_create(&sleeper, NULL, sleep_on, NULL), "no thread");
	fault_catch();
	expect(numa_watch_open(&watch, w->areas, 2), 0);
	expect(numa_watch_start(watch), 0);
	for (int round = 0; round < NR_ROUNDS; round++) {
		passes = numa_burn(w->areas, 2, 3, PASSES_A_ROUND, 15000);
		check(passes > 0, "no scan pass in 15 s: %s", passes ? errno_name(passes) : "none");
		nr_passes += passes;
		expect(numa_watch_read(watch, w->seen), 0);
		if (w->seen[CONTROL].nr_passes >= NR_WANTED)
			break;
	}
	expect(numa_watch_stop(watch), 0);
	expect(numa_watch_read(watch, w->seen), 0);
	w->has_reason = numa_watch_has_reason(watch);
	numa_watch_close(watch);

	for (int i = 0; i < 2; i++)
		tap_diag("%s: %u calls in %u of %d passes, %lu PTEs, %lu faults, %u skips%s%s",
			 i == GRANT ? "mapping" : "control", w->seen[i].nr_calls, w->seen[i].nr_passes, nr_passes,
			 w->seen[i].nr_ptes, w->seen[i].nr_faults, w->seen[i].nr_skips,
			 w->seen[i].nr_skips ? ": " : "", w->seen[i].skip_reason);
}

/* A mapping that passes every other filter of task_numa_work(), and a control that is scanned. */
static void check_premise(const struct watched *w)
{
	struct vma vma;

	check(w->seen[CONTROL].nr_passes >= NR_WANTED, "the control was scanned in %u passes", w->seen[CONTROL].nr_passes);
	check(w->seen[CONTROL].nr_ptes, "the control's scans changed no PTE");
	expect(vma_find(0, w->r.addr, &vma), 0);
	check(!strcmp(vma.perms, "rw-s"), "%s", vma.perms);
	check(vma_has_flag(&vma, "io") == strategy_is("vmio") &&
	      vma_has_flag(&vma, "mm") == (strategy_is("mixedmap") || strategy_is("gntdev")),
	      "not just the strategy's flags: %s", vma.flags);
}

static void left_alone(void *arg)
{
	struct watched w;

	(void)arg;
	watch_scans(&w);
	check(!w.seen[GRANT].nr_calls, "change_prot_numa() was called %u times on the mapping", w.seen[GRANT].nr_calls);
	check(!w.areas[GRANT].fault_signal, "the mapping was lost: %s", strsignal(w.areas[GRANT].fault_signal));
	check_premise(&w);
	if (w.has_reason)
		check(w.seen[GRANT].nr_skips && !strcmp(w.seen[GRANT].skip_reason, "unsuitable"),
		      "%u skips, the last for the reason '%s'", w.seen[GRANT].nr_skips, w.seen[GRANT].skip_reason);
	range_check(&w.r);
}

static void is_scanned(void *arg)
{
	struct watched w;
	bool *ballooned = arg;

	watch_scans(&w);
	check(w.seen[GRANT].nr_calls, "change_prot_numa() was never called on the mapping");
	check_premise(&w);
	if (suite.pv) {
		/* The scan's MMU notification took the grants away. */
		check(w.areas[GRANT].fault_signal == SIGBUS, "the mapping lives: %s",
		      w.areas[GRANT].fault_signal ? strsignal(w.areas[GRANT].fault_signal) : "no signal");
		return;
	}
	/*
	 * Ordinary PTEs: hinting faults bring them back. Unpopulated pages may be ZONE_DEVICE ones, which
	 * change_pte_range() leaves alone; ballooned ones never are.
	 */
	if (*ballooned)
		check(w.seen[GRANT].nr_ptes, "no PTE was made PROT_NONE");
	check(!w.areas[GRANT].fault_signal, "the mapping was lost: %s", strsignal(w.areas[GRANT].fault_signal));
	range_check(&w.r);
}

static void with_balancing(void (*run)(void *), bool ballooned)
{
	int ret, how;

	if (!suite.pv)
		set_core_parameter("provider", ballooned ? "ballooned" : "unpopulated");
	/* A process takes the scan periods at fork. */
	ret = numa_knobs_set();
	if (ret) {
		numa_knobs_restore();
		case_skip("NUMA balancing's knobs in debugfs: %s", errno_name(ret));
	}
	how = run_child(run, &ballooned, true);
	numa_knobs_restore();
	check(!how, "see above");
}

static void left_alone_default(void)
{
	with_balancing(left_alone, false);
}

static void left_alone_ballooned(void)
{
	with_balancing(left_alone, true);
}

static void is_scanned_default(void)
{
	with_balancing(is_scanned, false);
}

static void is_scanned_ballooned(void)
{
	with_balancing(is_scanned, true);
}

/* In PV it does not matter what pages they are. */
static void foreign_left_alone(void)
{
	map_pages = foreign_map;
	with_balancing(left_alone, !suite.pv);
}

static void foreign_is_scanned(void)
{
	map_pages = foreign_map;
	with_balancing(is_scanned, !suite.pv);
}

static const struct suite_case protected_cases[] = {
	{ "scan passes that scan the control leave the mapping alone, and it stays alive", left_alone_default,
	  },
	{ "with ballooned pages too, scan passes leave the mapping alone", left_alone_ballooned, MODE_XLATE,
	  },
	{ "foreign frames (elsewhere than in PV behind ballooned pages) are left alone too", foreign_left_alone,
	  },
};

static const struct suite_case none_cases[] = {
	{ "PV: without protection a scan calls change_prot_numa() and takes the grants away", is_scanned_default, MODE_PV,
	  },
	{ "without protection the mapping is scanned", is_scanned_default, MODE_XLATE },
	{ "without protection scans make PTEs of ballooned pages PROT_NONE", is_scanned_ballooned, MODE_XLATE,
	  },
	{ "without protection foreign frames are scanned, in PV they are taken away", foreign_is_scanned,
	  },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "none"))
		return suite_main(none_cases, ARRAY_SIZE(none_cases), argc, argv);
	return suite_main(protected_cases, ARRAY_SIZE(protected_cases), argc, argv);
}
