/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of gup_probe:
 *
 *	main.c		the device, and what an open file has
 *	call.c		calls, and the pages that they gave
 *	look.c		PTEs and the pages that they lead to, without a call
 *	watch.c		the secondary MMU
 */
#ifndef PROBE_H
#define PROBE_H

#include <linux/mm.h>
#include <linux/mutex.h>

#include "gup_probe.h"

struct watch;

/* An open file. */
struct probe {
	struct mutex lock;	/* of all that follows */
	struct page **pages;	/* held ones, or NULL */
	unsigned int nr_pages;
	bool pinned;		/* by pin_user_pages*(); else they are references */
	bool writable;
	struct watch *watch;	/* or NULL */
};

/* The memory of process pid, to be given back by mmput(); 0 is the caller. NULL: there is none. */
struct mm_struct *probe_mm(pid_t pid);
/* Whether nr_pages pages at addr may be asked about. */
bool probe_range_valid(u64 addr, u32 nr_pages);

int probe_call(struct probe *probe, struct gup_call __user *arg);
int probe_release(struct probe *probe, struct gup_release __user *arg);
int probe_word(struct probe *probe, struct gup_word __user *arg);
void probe_about(struct gup_about *about);
/* Let go of whatever is held. */
void probe_drop(struct probe *probe);

int probe_look(struct gup_look __user *arg);
/* PTEs of mm: their states, and the pages that they lead to. @before: else it is after the call. */
void probe_look_at(struct mm_struct *mm, unsigned long addr, unsigned int nr_pages,
		   struct gup_page *infos, bool before);
void probe_count(struct page *page, struct gup_counts *counts);

int probe_watch(struct probe *probe, const struct gup_watch __user *arg);
int probe_events(struct probe *probe, struct gup_events __user *arg);
void probe_unwatch(struct probe *probe);

#endif
