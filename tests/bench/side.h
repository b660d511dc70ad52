/* SPDX-License-Identifier: GPL-2.0 */
/* Who is measured against whom: sides that do the same thing in turns. */
#ifndef SIDE_H
#define SIDE_H

#include "sample.h"

enum side_kind {
	SIDE_OURS,
	SIDE_THEIRS, /* the kernel's own driver, or what else ours are measured against */
	SIDE_FLOOR,  /* nothing can be better */
};

#define SIDE_PARTS 3

struct side {
	enum side_kind kind;
	const char *name; /* a strategy, or who it is */
	int fd;
	void *arg;
	/* Do it once; values[] for each part. 0 or a negative errno, which ends the side's part in this. */
	int (*turn)(struct side *side, double values[SIDE_PARTS]);
	int error;
	struct sample samples[SIDE_PARTS];
};

struct pace {
	unsigned int min_rounds, max_rounds; /* max_rounds <= SAMPLE_MAX */
	double seconds;			     /* no new round after that, once there were min_rounds */
};

/*
 * Rounds in which each side has a turn, another one first each time, after one round that does not count: the first
 * time, pages and page tables are made.
 */
void sides_take_turns(struct side *sides, unsigned int nr, const struct pace *pace);
/* Forgets what was measured. */
void sides_reset(struct side *sides, unsigned int nr);

#endif
