/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the granter from dom0. What the commands do is said in granter.h.
 *
 * The mailbox and the frame lists are mapped through privcmd (libxenforeignmemory),
 * never through gntdev, so that a test may put any driver at /dev/xen/gntdev.
 *
 * Every function that can fail returns -1 and sets errno. Where one calls the granter
 * that is one of:
 *	ETIMEDOUT	no answer within timeout_ms: the granter is dead, or very busy. Its
 *			answer may still come; the next call waits for it first
 *	EPROTO		the mailbox is no longer one
 *	ERANGE, EINVAL, EBUSY, ENOSYS	what the granter answered
 *
 * A handle belongs to one thread of the process that opened it: another thread opens
 * its own, and so does a child after fork(), where the parent's handle is not mapped.
 * Any number of handles may be open at the same time: calls take turns (GRANTER_LOCK).
 * Only one handle at a time can have the event channel, the others look every
 * millisecond and are looked at every 10 ms.
 */
#ifndef GRANTER_CLIENT_H
#define GRANTER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../guest/granter.h"

/* What the granter published; not to be changed, but for timeout_ms. */
struct granter {
	uint32_t domid;
	uint32_t first_ref; /* reference of page 0 */
	uint32_t nr_refs;   /* = number of data pages */
	uint32_t nr_ro;	    /* the last so many are read-only */
	uint32_t mailbox_ref;
	uint32_t port;
	uint64_t first_gfn; /* frame of page 0; for the others see granter_frames() */
	uint64_t gfn_list;
	uint64_t mailbox_gfn;
	bool has_event;	     /* this handle has the event channel */
	unsigned int timeout_ms; /* of one call; 10,000 at first */
	struct granter_private *private;
};

/*
 * Opens the granter that the environment (GRANTER_DOMID, ...) or else
 * /run/granter.env tells of. NULL and errno: ENOENT when neither names one, EINVAL
 * when a value is no number, ESRCH when there is no such domain any more, EPROTO when
 * the frame named is not a mailbox, ENOMEM, and whatever opening the lock file or
 * libxenforeignmemory gives.
 */
struct granter *granter_open(void);
/* Leaves the granter as it is. NULL is allowed. errno stays. */
void granter_close(struct granter *granter);

/* One request with these arguments, and its answer unless `reply` is NULL. */
int granter_call(struct granter *granter, enum granter_cmd cmd, const uint64_t arg[GRANTER_NR_ARGS],
		 uint64_t reply[GRANTER_NR_ARGS]);

int granter_ping(struct granter *granter);
/* The pattern with `seed` into `nr` pages from page `first` on. */
int granter_fill(struct granter *granter, uint64_t first, uint64_t nr, uint64_t seed);
/* *sum = granter_sum() over these pages, from GRANTER_SUM_INIT. */
int granter_sum_pages(struct granter *granter, uint64_t first, uint64_t nr, uint64_t *sum);
/* *word = the 64-bit word at byte `byte`, a multiple of 8, of page `page`. */
int granter_peek(struct granter *granter, uint64_t page, uint64_t byte, uint64_t *word);
int granter_poke(struct granter *granter, uint64_t page, uint64_t byte, uint64_t word);
/*
 * How many of these pages somebody maps by grant. *first_busy, unless NULL, becomes the
 * number of the first, or UINT64_MAX.
 */
int64_t granter_busy(struct granter *granter, uint64_t first, uint64_t nr, uint64_t *first_busy);
/* How many of these pages are not granted any more; *first_busy as above, for those that still are. */
int64_t granter_revoke(struct granter *granter, uint64_t first, uint64_t nr, uint64_t *first_busy);
/* Grants pages that were revoked. EBUSY, and nothing is granted, when one of them was not. */
int granter_grant(struct granter *granter, uint64_t first, uint64_t nr, uint32_t domid, bool readonly);
/*
 * From now on the granter looks at `nr` pages from `page` on, and at byte `byte` of the first one, when an event comes
 * on its channel *port, which is for us to bind.
 */
int granter_watch(struct granter *granter, uint64_t page, uint64_t nr, uint64_t byte, uint32_t *port);
/* How many events came since; at the first, *nr_busy pages were mapped by grant and the byte was *value. */
int64_t granter_watched(struct granter *granter, uint64_t *nr_busy, uint8_t *value);
/* The granter maps the page that dom0 grants it as `ref`. EBUSY: it has one; EINVAL: Xen refuses. */
int granter_map(struct granter *granter, uint32_t ref);
/* *old = the word at byte `byte` of that page, which becomes `word`. ENOENT: there is none. */
int granter_swap(struct granter *granter, uint64_t byte, uint64_t word, uint64_t *old);
int granter_unmap(struct granter *granter);
/* The granter shuts down. Close the handle then: its domain stays a zombie as long as its pages are mapped. */
int granter_exit(struct granter *granter);

/*
 * frames[i] = frame of page first + i, for i < nr: what xenforeignmemory_map() and
 * privcmd want together with `domid`, in PV and PVH dom0. Reads the granter's lists
 * and does not call it. ERANGE: no such page; else what mapping a list gave.
 */
int granter_frames(struct granter *granter, uint64_t first, uint64_t nr, uint64_t *frames);

#endif
