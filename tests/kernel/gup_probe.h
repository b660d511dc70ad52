/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/gup_probe: what get_user_pages() and its kin do with user memory. For tests only.
 *
 * An open file holds the pages of one call at most, and is a secondary MMU of one process at most;
 * closing it lets go of both. All of it wants CAP_SYS_ADMIN. Every ioctl answers EINVAL to what
 * makes no sense and EFAULT to a bad pointer.
 */
#ifndef GUP_PROBE_H
#define GUP_PROBE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GUP_MAX_PAGES 512

enum gup_function {
	GUP_GET,
	GUP_GET_UNLOCKED,
	GUP_GET_REMOTE,
	GUP_GET_FAST,
	GUP_GET_FAST_ONLY,
	GUP_PIN,
	GUP_PIN_UNLOCKED,
	GUP_PIN_REMOTE,
	GUP_PIN_FAST,
	GUP_PIN_FAST_ONLY,	/* until 6.8 */
	GUP_NR_FUNCTIONS,
};

/* The kernel's FOLL_* under numbers that stay. */
#define GUP_WRITE		0x1
#define GUP_FORCE		0x2
#define GUP_LONGTERM		0x4
#define GUP_NOFAULT		0x8
#define GUP_HWPOISON		0x10
#define GUP_HONOR_NUMA_FAULT	0x20	/* since 6.6 */
#define GUP_NR_FLAGS		6

/* What became of a call. */
enum gup_status {
	GUP_CALLED,		/* `ret` is what the function returned */
	GUP_NO_FUNCTION,	/* this kernel has not got it, or not for modules */
	GUP_NO_FLAG,		/* nor that flag */
	GUP_WOULD_WARN,		/* not called: the kernel would WARN_ON_ONCE() */
};

/* A PTE. 0: none, or no page table. */
#define GUP_PTE_PRESENT		0x1
#define GUP_PTE_PROTNONE	0x2	/* by a scan, or by mprotect(): the PTE is the same */
#define GUP_PTE_SPECIAL		0x4
#define GUP_PTE_WRITE		0x8
#define GUP_PTE_DIRTY		0x10
#define GUP_PTE_YOUNG		0x20
#define GUP_PTE_HUGE		0x40	/* a PMD or PUD: PRESENT or PROTNONE is all else */
#define GUP_PTE_OTHER		0x80	/* swap, migration, marker */

/* A page. */
#define GUP_PAGE_FOREIGN	0x1	/* the frame behind it is another domain's */
#define GUP_PAGE_PRIVATE	0x2
#define GUP_PAGE_DEVICE		0x4	/* ZONE_DEVICE */
#define GUP_PAGE_RESERVED	0x8
#define GUP_PAGE_ANON		0x10
#define GUP_PAGE_MAPPING	0x20	/* ->mapping is set */
#define GUP_PAGE_LRU		0x40
#define GUP_PAGE_DIRTY		0x80
#define GUP_PAGE_CONTENT	0x100	/* `word` could be read */

#define GUP_NO_PFN (~0ull)

/*
 * A pin of a single page is GUP_PIN_COUNTING_BIAS references: `refs` are those that are left
 * without the pins. -1: there was no page to count at.
 */
struct gup_counts {
	__s32 refs;
	__s32 pins;
};

struct gup_page {
	__u64 pfn_before;		/* what the PTE led to before the call, or GUP_NO_PFN */
	__u64 pfn;			/* the page that the call gave, or GUP_NO_PFN */
	__u64 word;			/* its first eight bytes, read at the kernel's address */
	__u32 pte_before;		/* GUP_PTE_* */
	__u32 pte_after;
	__u32 page;			/* GUP_PAGE_* */
	__s32 node;
	struct gup_counts before;	/* of the page that the PTE led to */
	struct gup_counts during;	/* of the page that the call gave */
	struct gup_counts after;	/* when it was let go: now, or GUP_PROBE_RELEASE says it */
};

struct gup_about {
	__u32 functions;	/* out: a bit for each enum gup_function */
	__u32 flags;		/* out: those that exist */
};

/*
 * Call a function for nr_pages pages at addr. ESRCH: no process pid, or it has no memory any more;
 * EINVAL also: another process, for a function that is not remote; EBUSY: pages are held already.
 */
struct gup_call {
	__u32 function;		/* enum gup_function */
	__u32 flags;		/* GUP_* */
	__u64 addr;		/* of a page */
	__u32 nr_pages;		/* 1 .. GUP_MAX_PAGES */
	__s32 pid;		/* 0: the caller */
	__u32 hold;		/* 0 or 1: keep the pages until GUP_PROBE_RELEASE */
	__u32 status;		/* out: enum gup_status */
	__s64 ret;		/* out: pages, or a negative errno */
	__u64 nr_faults;	/* out: page faults that the caller took in it */
	__u64 ticks;		/* out: how long it took, by the CPU's time stamp counter */
	__u64 pages;		/* struct gup_page[nr_pages] to fill */
};

/* Let go. ENOENT: nothing is held. */
struct gup_release {
	__u32 nr_pages;		/* in: room in `pages`; out: pages let go */
	__u32 dirty;		/* 0 or 1: mark them dirty, as who wrote to them must */
	__u64 pages;		/* struct gup_page[]: only `after` is filled; 0: not wanted */
};

/*
 * A word of a held page, at the kernel's address. ENOENT: no such page is held; EPERM: writing,
 * without GUP_WRITE; EIO: the kernel cannot read it.
 */
struct gup_word {
	__u32 page;		/* index */
	__u32 offset;		/* in bytes, a multiple of 8 */
	__u32 write;		/* 0 or 1 */
	__u32 reserved;		/* 0 */
	__u64 value;		/* in, or out */
};

/* Only look: fills pfn_before, pte_before and before. */
struct gup_look {
	__u64 addr;
	__u32 nr_pages;
	__s32 pid;
	__u64 pages;		/* struct gup_page[nr_pages] to fill */
};

/* What a secondary MMU is told. */
enum gup_event_kind {
	GUP_EVENT_START,	/* invalidate_range_start(), with a reason */
	GUP_EVENT_END,
	GUP_EVENT_TEST_YOUNG,
	GUP_EVENT_CLEAR_YOUNG,
	GUP_EVENT_CLEAR_FLUSH_YOUNG,
	GUP_EVENT_RELEASE,	/* the address space goes */
};

enum gup_event_reason {
	GUP_REASON_UNMAP,
	GUP_REASON_CLEAR,
	GUP_REASON_PROTECTION_VMA,
	GUP_REASON_PROTECTION_PAGE,
	GUP_REASON_SOFT_DIRTY,
	GUP_REASON_RELEASE,
	GUP_REASON_MIGRATE,
	GUP_REASON_EXCLUSIVE,
	GUP_REASON_OTHER,
};

struct gup_event {
	__u32 kind;		/* enum gup_event_kind */
	__u32 reason;		/* enum gup_event_reason, of START and END */
	__u64 start;
	__u64 end;		/* exclusive; of TEST_YOUNG: start + 1 */
	__u32 answer;		/* given to those who asked whether it is young */
	__u32 blockable;
};

/*
 * Be a secondary MMU of the caller, and record what concerns start .. end. EBUSY: it is one already,
 * with another range; EINTR, ENOMEM.
 */
struct gup_watch {
	__u64 start;
	__u64 end;		/* exclusive */
	__u32 young;		/* the answer, 0 or 1: changed by another GUP_PROBE_WATCH */
	__u32 slow_ms;		/* the first start of an invalidation that may sleep takes so long, at most GUP_MAX_SLOW_MS */
};

#define GUP_MAX_EVENTS 256
#define GUP_MAX_SLOW_MS 60000

/* Fetch what was recorded since the last time. ENOENT: it watches nothing. */
struct gup_events {
	__u32 nr_events;	/* in: room; out: events */
	__u32 nr_lost;		/* out: no room, there (GUP_MAX_EVENTS) or here */
	__u64 events;		/* struct gup_event[] */
};

#define GUP_PROBE_ABOUT		_IOR('G', 0x80, struct gup_about)
#define GUP_PROBE_CALL		_IOWR('G', 0x81, struct gup_call)
#define GUP_PROBE_RELEASE	_IOWR('G', 0x82, struct gup_release)
#define GUP_PROBE_WORD		_IOWR('G', 0x83, struct gup_word)
#define GUP_PROBE_LOOK		_IOW('G', 0x84, struct gup_look)
#define GUP_PROBE_WATCH		_IOW('G', 0x85, struct gup_watch)
#define GUP_PROBE_EVENTS	_IOWR('G', 0x86, struct gup_events)

#endif
