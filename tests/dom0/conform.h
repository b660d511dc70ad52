/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that are made of two drivers alike, to see where they differ.
 *
 * A script is a list of steps. It is run with xen-gntdev and then with the node of the strategy, each time with a new
 * descriptor and new memory. What a step gives is a number, and how many grants somebody maps after it.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A script's ranges. Each has a place of its own in memory, with room before and after it. */
enum {
	A,
	B,
	C,
	CONFORM_NR_RANGES,
};

/* What reading or writing gives, beside the signal that it raises. */
enum {
	CONFORM_SAME = 0,	/* we and the granter have the same there */
	CONFORM_OTHER = 1,
	CONFORM_SIGNAL = 100,	/* + its number */
};

struct conform_world;

struct conform_outcome {
	long got;	/* a negative errno, or what the call says */
	int busy;	/* grants that are mapped */
};

/* How our outcome differs from in-tree's, and why it does on purpose. */
struct conform_difference {
	unsigned int modes;	/* MODE_PV | MODE_XLATE; 0: there is none */
	struct conform_outcome in_tree, ours;
	const char *why;
	struct conform_outcome has;	/* in_tree is ENOTTY: what it gives in a kernel that has the call */
};

struct conform_step {
	const char *what;
	long (*call)(struct conform_world *w, const long *arg);
	long arg[4];
	struct conform_difference differs[2];
};

/* Runs the script on both; fails the case with a list of what is not as the steps say. */
void conform(const struct conform_step *steps, size_t nr_steps);

/*
 * The calls. An argument `range` is A, B or C, `page` is counted from the range's first one, prot and flags are mmap's, errnos are
 * negative.
 */

/* MAP_GRANT_REF: the offset in pages. Of the granter's pages from `first` on; of three, the middle one with another reference or domain. */
long conform_add(struct conform_world *w, const long *arg);		/* range, first, count */
long conform_add_ref(struct conform_world *w, const long *arg);		/* range, first, reference */
long conform_add_domid(struct conform_world *w, const long *arg);	/* range, first, domain id - the granter's */
long conform_add_count(struct conform_world *w, const long *arg);	/* count, with references for three */
long conform_add_unanswered(struct conform_world *w, const long *arg);	/* the answer cannot be written */

/* UNMAP_GRANT_REF; of a range that is known, or by bytes and count. */
long conform_remove(struct conform_world *w, const long *arg);		/* range */
long conform_remove_at(struct conform_world *w, const long *arg);	/* bytes, count */

/* GET_OFFSET_FOR_VADDR: 100 * the offset in pages + the range's pages. */
long conform_find(struct conform_world *w, const long *arg);		/* range, byte */
long conform_find_elsewhere(struct conform_world *w, const long *arg);	/* range: asked of another descriptor */
long conform_find_memory(struct conform_world *w, const long *arg);	/* of ordinary memory */
long conform_find_hole(struct conform_world *w, const long *arg);	/* range: just below it, where nothing is */

long conform_mmap(struct conform_world *w, const long *arg);		/* range, prot, flags */
long conform_mmap_at(struct conform_world *w, const long *arg);		/* bytes, pages, prot: where range C would be */
long conform_munmap(struct conform_world *w, const long *arg);		/* range */
long conform_munmap_part(struct conform_world *w, const long *arg);	/* range, page, pages */
long conform_mprotect(struct conform_world *w, const long *arg);	/* range, page, pages, prot */
long conform_move(struct conform_world *w, const long *arg);		/* range: by mremap(), 8 pages up */
long conform_grow(struct conform_world *w, const long *arg);		/* range: by mremap(), by a page */
long conform_dontneed(struct conform_world *w, const long *arg);	/* range */
long conform_read(struct conform_world *w, const long *arg);		/* range, page: CONFORM_* */
long conform_write(struct conform_world *w, const long *arg);		/* range, page: CONFORM_* */

/* What a child does that has inherited all; its descriptor is ours. */
long conform_child_reads(struct conform_world *w, const long *arg);	/* range, page: CONFORM_* */
long conform_child_unmaps(struct conform_world *w, const long *arg);	/* range */
long conform_child_adds(struct conform_world *w, const long *arg);	/* range, first, count: the offset in pages */
long conform_child_ends(struct conform_world *w, const long *arg);	/* maps three of its own, then a signal (0: exit) */
long conform_close(struct conform_world *w, const long *arg);

/* SET_UNMAP_NOTIFY, with our event channel or some other one; what became of the byte, and how many events came since then. */
long conform_notify(struct conform_world *w, const long *arg);		/* range, byte, action */
long conform_notify_at(struct conform_world *w, const long *arg);	/* bytes, action, port */
long conform_byte(struct conform_world *w, const long *arg);		/* the granter's page, byte */
long conform_bind(struct conform_world *w, const long *arg);
long conform_events(struct conform_world *w, const long *arg);

/* GRANT_COPY of one or two segments, of which then the status and whether its bytes have arrived can be asked for. */
enum {
	CONFORM_NO_SEGMENT,
	CONFORM_FROM,		/* of our memory to a grant, ... */
	CONFORM_TO,
	CONFORM_BETWEEN,
	CONFORM_EMPTY,
	CONFORM_NO_GRANT,	/* from memory to memory */
	CONFORM_PAST_PAGE,
	CONFORM_NO_MEMORY,
	CONFORM_READ_ONLY_MEMORY,
	CONFORM_BAD_REF,
	CONFORM_READ_ONLY_GRANT,
	CONFORM_UNKNOWN_FLAG,
};
#define CONFORM_UNTOUCHED 4711	/* the status before the call */
long conform_copy(struct conform_world *w, const long *arg);		/* kind, kind */
long conform_status(struct conform_world *w, const long *arg);		/* segment */
long conform_arrived(struct conform_world *w, const long *arg);		/* segment: 0 or 1 */

/* The dma-buf four. */
long conform_export(struct conform_world *w, const long *arg);		/* first, count, flags: 0 */
long conform_export_wait(struct conform_world *w, const long *arg);	/* ms */
long conform_export_close(struct conform_world *w, const long *arg);
long conform_import(struct conform_world *w, const long *arg);		/* a descriptor (-2: our own), count */
long conform_import_release(struct conform_world *w, const long *arg);	/* a descriptor */

/* Any ioctl with a structure of which only some bytes can be read, zero but for the first word; `bytes` 0 is a wild pointer. */
long conform_ioctl(struct conform_world *w, const long *arg);		/* cmd, bytes, first word */
/* Other system calls on the descriptor. */
long conform_read_file(struct conform_world *w, const long *arg);
long conform_write_file(struct conform_world *w, const long *arg);
long conform_seek_file(struct conform_world *w, const long *arg);
long conform_poll_file(struct conform_world *w, const long *arg);
/* A new descriptor in the place of ours. */
long conform_reopen(struct conform_world *w, const long *arg);		/* flags of open() */

#endif
