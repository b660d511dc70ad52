/* SPDX-License-Identifier: GPL-2.0 */
/* What the workloads found. It lives in memory that their processes share with the program. */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "side.h"

struct row {
	char workload[64];
	char strategy[16];
	uint32_t size;
	char of[16];  /* what size counts: "pages", "ranges", "segments" */
	char unit[16];
	bool more;    /* more is better: ratio is ours / theirs */
	unsigned int rounds;
	struct spread ours, theirs, floor; /* median 0: there is none */
	struct spread ratio;		   /* > 1: ours is better */
	struct spread over_floor;
	char theirs_name[16];
	char note[128]; /* why something is missing */
};

#define RESULT_ROWS 512

struct results {
	unsigned int nr;
	struct row rows[RESULT_ROWS];
};

/* Memory for them, shared with processes that are forked later; NULL when there is none. */
struct results *results_alloc(void);

struct measure {
	const char *workload;
	uint32_t size;
	const char *of, *unit;
	bool more;
	unsigned int part; /* which of the sides' samples */
};

/* One row for each side that is ours. */
void results_add(struct results *results, const struct measure *measure, const struct side *sides, unsigned int nr);
/* A row with nothing but a note. */
void results_add_note(struct results *results, const char *workload, const char *note);

/* 0 or a negative errno. */
int results_write(const struct results *results, const char *path, const char *kernel, const char *mode);

#endif
