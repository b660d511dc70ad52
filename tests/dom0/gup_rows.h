/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of what get_user_pages() and its kin do with a piece of memory: one row for each function, its flags, and the
 * state of what it is called on. gntmap-compare shows the rows, test_gup holds them against what is expected.
 *
 *	gup_rows.c	the rows, and running a group of them
 *	gup_observe.c	one row: calls become a few words
 *	gup_callers.c	rows that are others' calls
 *	gup_told.c	rows that are what a secondary MMU is told
 *	gup_memory.c	the memory
 *	gup_expect.c	what the kernel's source makes us expect
 *	gup.c		the calls
 */
#ifndef GUP_ROWS_H
#define GUP_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "gup.h"
#include "gup_memory.h"

/* The state of what a row calls its function on. */
enum gup_state {
	GUP_PRESENT,
	GUP_READ_ONLY,
	GUP_REMOTE,	  /* called by another process */
	GUP_MANY,
	GUP_ENDS_IN,	  /* the second half is other memory */
	GUP_STARTS_IN,	  /* the first half is */
	GUP_ENDS_NOWHERE, /* the second half is nothing */
	GUP_NOT_FAULTED,
	GUP_UNMAPPED,
	GUP_INACCESSIBLE,
	GUP_HINTING,	  /* a scan has made its PTEs PROT_NONE */
	GUP_TOLD,	  /* no calls: what a secondary MMU is told of */
	GUP_NR_STATES,
};

const char *gup_state_name(enum gup_state state);
/* The names of its rows, ended by NULL; until the next call. */
const char *const *gup_row_names(enum gup_state state);

struct gup_table {
	const char *kind;	  /* of the memory: the column */
	bool foreign;		  /* frames instead of a strategy's grants */
	struct granter *granter;
	int node_fd;		  /* -1 where the kind has none */
	const char *block_device; /* for O_DIRECT, or NULL */
	/* Told of each row; text is NULL where it cannot be looked at, and then why says what is missing. */
	void (*told)(void *arg, const char *row, const char *text, const char *why);
	void *arg;
};

/*
 * Run all rows of a state. GUP_HINTING wants what gup_memory_scan() does. Returns 0, or a negative errno of what a row
 * needs, and then *failed says what it was.
 */
int gup_run_rows(const struct gup_table *table, enum gup_state state, const char **failed);

/* Whether rows of this state can be had of this memory at all. */
bool gup_has_state(const char *kind, enum gup_state state, bool xlate);

/*
 * What is expected of a row. version is 6012 for Linux 6.12. *decided_by: the line that decides. NULL: nothing.
 */
const char *gup_expect(const char *row, const char *kind, unsigned int version, bool xlate, const char **decided_by);

/* gup_observe.c */
struct gup_step {
	unsigned int function;
	unsigned int flags;
};

#define GUP_TEXT_SIZE 96

/* What one step is called on. */
struct gup_target {
	const char *addr;
	unsigned int nr_pages;
	pid_t pid;		/* whose: 0 for this process */
	bool zero_pages;	/* reading may bring the kernel's page of zeros, of which nobody counts anything */
	const uint64_t *words;	/* the first one of each page, or zeros for pages that are made when touched */
};

/*
 * Call one function; text says what came of it: "ok", "ok, faulted", "no page", "3 of 8", "EFAULT", or what is wrong with
 * the pages that it gave: not those that the PTEs led to, not the memory's content, counts that did not come back. The
 * first page's PTE afterwards is in *pte, unless NULL. False: it cannot be called on this kernel, text says why.
 */
bool gup_observe(int probe_fd, const struct gup_step *step, const struct gup_target *target, char *text, uint32_t *pte);

#endif
