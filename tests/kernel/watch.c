// SPDX-License-Identifier: GPL-2.0
/* A secondary MMU that maps nothing: it records what it is told, and answers what it is asked. */
#include <linux/delay.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "probe.h"

struct watch {
	struct mmu_notifier notifier;
	unsigned long start;
	unsigned long end;
	spinlock_t lock;	/* of what follows; the callbacks come under page table locks too */
	bool young;
	unsigned int slow_ms;
	unsigned int nr_events;
	unsigned int nr_lost;
	struct gup_event events[GUP_MAX_EVENTS];
};

static void record(struct watch *watch, enum gup_event_kind kind, enum gup_event_reason reason,
		   unsigned long start, unsigned long end, bool blockable)
{
	if (end <= watch->start || start >= watch->end)
		return;
	spin_lock(&watch->lock);
	if (watch->nr_events == GUP_MAX_EVENTS)
		watch->nr_lost++;
	else
		watch->events[watch->nr_events++] = (struct gup_event){
			.kind = kind,
			.reason = reason,
			.start = start,
			.end = end,
			.answer = watch->young,
			.blockable = blockable,
		};
	spin_unlock(&watch->lock);
}

static enum gup_event_reason reason_of(const struct mmu_notifier_range *range)
{
	switch (range->event) {
	case MMU_NOTIFY_UNMAP:
		return GUP_REASON_UNMAP;
	case MMU_NOTIFY_CLEAR:
		return GUP_REASON_CLEAR;
	case MMU_NOTIFY_PROTECTION_VMA:
		return GUP_REASON_PROTECTION_VMA;
	case MMU_NOTIFY_PROTECTION_PAGE:
		return GUP_REASON_PROTECTION_PAGE;
	case MMU_NOTIFY_SOFT_DIRTY:
		return GUP_REASON_SOFT_DIRTY;
	case MMU_NOTIFY_RELEASE:
		return GUP_REASON_RELEASE;
	case MMU_NOTIFY_MIGRATE:
		return GUP_REASON_MIGRATE;
	case MMU_NOTIFY_EXCLUSIVE:
		return GUP_REASON_EXCLUSIVE;
	default:
		return GUP_REASON_OTHER;
	}
}

static struct watch *watch_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct watch, notifier);
}

static int range_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct watch *watch = watch_of(notifier);
	unsigned int ms = 0;

	record(watch, GUP_EVENT_START, reason_of(range), range->start, range->end,
	       mmu_notifier_range_blockable(range));
	if (mmu_notifier_range_blockable(range) && range->start < watch->end &&
	    range->end > watch->start)
		ms = xchg(&watch->slow_ms, 0);
	if (ms)
		msleep(ms);
	return 0;
}

static void range_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	record(watch_of(notifier), GUP_EVENT_END, reason_of(range), range->start, range->end,
	       mmu_notifier_range_blockable(range));
}

static PROBE_YOUNG test_young(struct mmu_notifier *notifier, struct mm_struct *mm,
			      unsigned long addr)
{
	struct watch *watch = watch_of(notifier);

	record(watch, GUP_EVENT_TEST_YOUNG, GUP_REASON_OTHER, addr, addr + 1, false);
	return watch->young;
}

static PROBE_YOUNG clear_young(struct mmu_notifier *notifier, struct mm_struct *mm,
			       unsigned long start, unsigned long end)
{
	struct watch *watch = watch_of(notifier);

	record(watch, GUP_EVENT_CLEAR_YOUNG, GUP_REASON_OTHER, start, end, false);
	return watch->young;
}

static PROBE_YOUNG clear_flush_young(struct mmu_notifier *notifier, struct mm_struct *mm,
				     unsigned long start, unsigned long end)
{
	struct watch *watch = watch_of(notifier);

	record(watch, GUP_EVENT_CLEAR_FLUSH_YOUNG, GUP_REASON_OTHER, start, end, false);
	return watch->young;
}

static void release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct watch *watch = watch_of(notifier);

	record(watch, GUP_EVENT_RELEASE, GUP_REASON_OTHER, watch->start, watch->end, true);
}

static const struct mmu_notifier_ops watch_ops = {
	.release = release,
	.invalidate_range_start = range_start,
	.invalidate_range_end = range_end,
	.test_young = test_young,
	.clear_young = clear_young,
	.clear_flush_young = clear_flush_young,
};

static int watch_again(struct watch *watch, const struct gup_watch *want)
{
	if (want->start != watch->start || want->end != watch->end)
		return -EBUSY;
	spin_lock(&watch->lock);
	watch->young = want->young;
	watch->slow_ms = want->slow_ms;
	spin_unlock(&watch->lock);
	return 0;
}

int probe_watch(struct probe *probe, const struct gup_watch __user *arg)
{
	struct gup_watch want;
	struct watch *watch;
	int err;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	if (want.start >= want.end || want.young > 1 || want.slow_ms > GUP_MAX_SLOW_MS ||
	    !current->mm)
		return -EINVAL;
	if (probe->watch)
		return watch_again(probe->watch, &want);

	watch = kzalloc_obj(*watch, GFP_KERNEL);
	if (!watch)
		return -ENOMEM;
	watch->notifier.ops = &watch_ops;
	watch->start = want.start;
	watch->end = want.end;
	watch->young = want.young;
	watch->slow_ms = want.slow_ms;
	spin_lock_init(&watch->lock);
	err = mmu_notifier_register(&watch->notifier, current->mm);
	if (err) {
		kfree(watch);
		return err;
	}
	probe->watch = watch;
	return 0;
}

/* The notifier keeps the struct mm_struct, even if the address space has gone. */
void probe_unwatch(struct probe *probe)
{
	struct watch *watch = probe->watch;

	if (!watch)
		return;
	mmu_notifier_unregister(&watch->notifier, watch->notifier.mm);
	kfree(watch);
	probe->watch = NULL;
}

int probe_events(struct probe *probe, struct gup_events __user *arg)
{
	struct watch *watch = probe->watch;
	struct gup_event *events;
	struct gup_events want;
	unsigned int nr;
	int err = 0;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	if (!watch)
		return -ENOENT;
	events = kvcalloc(GUP_MAX_EVENTS, sizeof(*events), GFP_KERNEL);
	if (!events)
		return -ENOMEM;

	spin_lock(&watch->lock);
	nr = min(watch->nr_events, want.nr_events);
	memcpy(events, watch->events, nr * sizeof(*events));
	want.nr_lost = watch->nr_lost + watch->nr_events - nr;
	watch->nr_events = 0;
	watch->nr_lost = 0;
	spin_unlock(&watch->lock);

	want.nr_events = nr;
	if (copy_to_user((void __user *)(unsigned long)want.events, events, nr * sizeof(*events)) ||
	    copy_to_user(arg, &want, sizeof(want)))
		err = -EFAULT;
	kvfree(events);
	return err;
}
