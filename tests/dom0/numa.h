/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Automatic NUMA balancing, made to happen and watched.
 *
 *	numa_knobs_set();			// in the parent: a process takes the periods at fork
 *	if (!fork()) {
 *		struct numa_area areas[] = { { grant, grant_size }, { control, control_size } };
 *
 *		fault_catch();
 *		numa_watch_open(&watch, areas, 2);
 *		numa_watch_start(watch);
 *		passes = numa_burn(areas, 2, 3, 5, 20000);
 *		numa_watch_stop(watch);
 *		numa_watch_read(watch, seen);
 *		...
 *	}
 *	numa_knobs_restore();
 *
 * A claim that a mapping is skipped needs a control that is scanned in the same passes: private anonymous memory
 * (shared anonymous memory is shmem, which has a ->get_policy of its own), read by the same threads.
 *
 * Functions return 0 (or what is said) or a negative errno.
 */
#ifndef NUMA_H
#define NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Turn balancing on and make it scan every few milliseconds of CPU time. -ENOENT: the kernel lacks NUMA balancing or
 * its debugfs files; -EPERM: lockdown. restore() puts back what set() found, also after a half-done set().
 */
int numa_knobs_set(void);
/* Turn balancing off, for what a scan must not disturb. */
int numa_knobs_quiet(void);
void numa_knobs_restore(void);

/* Memory that numa_burn() reads, a word a page. */
struct numa_area {
	void *start;
	size_t size;		   /* bytes */
	unsigned int fault_signal; /* out: the signal that reading it raised, or 0. It is left alone from then on. */
	unsigned int fault_pass;   /* out: passes completed when it did */
};

/* Private anonymous memory without huge pages, every page written: the control. NULL when there is no memory. */
void *numa_control_alloc(size_t size);

/*
 * Burn CPU in nr_threads new threads, which read every area over and over, until nr_passes scan passes have been
 * completed or timeout_ms are over. Returns how many passes were completed. Wants fault_catch().
 */
int numa_burn(struct numa_area *areas, unsigned int nr_areas, unsigned int nr_threads, unsigned int nr_passes,
	      unsigned int timeout_ms);

/* mm->numa_scan_seq of this process: scan passes completed since its last exec. */
long numa_scan_seq(void);

/* A counter of /proc/vmstat, e.g. "numa_pte_updates", "numa_hint_faults", for the whole machine. */
long numa_vmstat(const char *name);

/* What a scan did with one area. */
struct numa_seen {
	unsigned int nr_calls;	   /* calls of change_prot_numa() on a part of it */
	unsigned int nr_passes;	   /* ... of these at its start: passes in which it was scanned */
	unsigned long nr_ptes;	   /* PTEs that those calls made PROT_NONE */
	unsigned long nr_faults;   /* page faults in it, by user or kernel: hinting faults, if it was populated before */
	unsigned int nr_skips;	   /* sched:sched_skip_vma_numa events */
	char skip_reason[24];	   /* of the last of them; "" when there was none */
};

/*
 * Watch what scans do to areas of this process and of threads it starts later. At most NUMA_MAX_AREAS areas.
 * Uses a tracing instance of its own, so that others may trace meanwhile, and kprobes on change_prot_numa() and
 * handle_mm_fault(). -ENOENT: no tracefs or no kprobes.
 */
#define NUMA_MAX_AREAS 4
struct numa_watch;
int numa_watch_open(struct numa_watch **watch, const struct numa_area *areas, unsigned int nr_areas);
void numa_watch_close(struct numa_watch *watch);
/* Forget what was seen and watch from now on; and look no more. */
int numa_watch_start(struct numa_watch *watch);
int numa_watch_stop(struct numa_watch *watch);
/* What was seen between start and stop: seen[i] for areas[i]. -EOVERFLOW: the trace buffer lost events. */
int numa_watch_read(struct numa_watch *watch, struct numa_seen *seen);
/* Whether this kernel tells why it skips a mapping (6.12 and newer). */
bool numa_watch_has_reason(const struct numa_watch *watch);

#endif
